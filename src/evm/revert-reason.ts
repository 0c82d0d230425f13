import { PatchbayError } from '#sdk';
import { findBySelector, type Abi, type AbiParameter } from './abi.js';
import { startReading, tupleReaderOf } from './abi-reader.js';
import { RpcError } from './rpc-error.js';

/** Why a contract refused. */
export interface Revert {
  /** `error`: words of the contract. `panic`: a check that the compiler has put in. `custom`: an error of its own. */
  readonly kind: 'error' | 'panic' | 'custom' | 'unknown';
  /** For people; always there. */
  readonly message: string;
  /** Of an error of its own. */
  readonly name?: string;
  /** By name; of an error of its own, and the code of a panic. */
  readonly args?: Readonly<Record<string, unknown>>;
  /** As the contract gave it. */
  readonly data: string;
}

const errorSelector = '0x08c379a0';
const panicSelector = '0x4e487b71';
const errorInputs: readonly AbiParameter[] = [{ name: 'reason', type: 'string' }];
const panicInputs: readonly AbiParameter[] = [{ name: 'code', type: 'uint256' }];

/** By decimal code, all that solc has. */
const panics: Readonly<Record<string, string>> = {
  '0': 'a panic of the compiler',
  '1': 'an assertion failed',
  '17': 'an arithmetic operation overflowed',
  '18': 'a division by zero',
  '33': 'a value is no member of its enum',
  '34': 'an array of bytes in the storage is encoded wrongly',
  '49': 'pop() on an empty array',
  '50': 'an index is out of bounds',
  '65': 'too much memory was asked for',
  '81': 'a function was called that was never assigned',
};

/** Explains the data of a revert. Never throws: what is not understood is `unknown`. */
export function describeRevert(abi: Abi, data: string): Revert {
  const selector = data.slice(0, 10).toLowerCase();
  const read = (inputs: readonly AbiParameter[]): Record<string, unknown> =>
    tupleReaderOf(inputs)(data, 10, startReading(data, 1_000));
  try {
    if (selector === errorSelector) {
      return { kind: 'error', message: String(read(errorInputs)['reason']) || 'no reason was given', data };
    }
    if (selector === panicSelector) {
      const code = String(read(panicInputs)['code']);
      return { kind: 'panic', message: panics[code] ?? `panic ${code}`, args: { code }, data };
    }
    const fragment = findBySelector(abi, 'error', selector);
    if (fragment) {
      const name = fragment.name ?? '';
      const args = read(fragment.inputs ?? []);
      const shown = Object.entries(args).map(([argument, value]) => `${argument}: ${JSON.stringify(value)}`);
      return { kind: 'custom', message: `${name}(${shown.join(', ')})`, name, args, data };
    }
  } catch {
    // What pretends to be an error but cannot be read is told as it is.
  }
  const message = data.length < 10 ? 'no reason was given' : `unknown error ${selector}`;
  return { kind: 'unknown', message, data };
}

/** The error of a call that a contract refused, in its own words where it gave any; undefined when it is something else. */
export function asRevert(error: unknown, abi: Abi): PatchbayError | undefined {
  const reason = findReason(error, abi);
  if (reason === undefined) return undefined;
  return new PatchbayError('evm.reverted', { detail: `The contract reverted the call: ${reason}`, cause: error });
}

/** Why the contract refused a call; undefined when the call failed in another way. */
export function findReason(error: unknown, abi: Abi): string | undefined {
  if (!(error instanceof RpcError) || error.kind !== 'rejected') return undefined;
  const data = revertData(error.data);
  if (data === undefined && error.rpcCode !== 3 && !/revert/i.test(error.rpcMessage)) return undefined;
  const revert = describeRevert(abi, data ?? '0x');
  if (revert.kind !== 'unknown') return revert.message;
  // Nodes put words of their own in front, and some have understood what the ABI has not.
  return (
    error.rpcMessage.replace(/^(vm exception while processing transaction: )?(execution )?reverted?:?\s*/i, '') ||
    revert.message
  );
}

/** Nodes put it in `data`, in `data.data`, or behind a word. */
function revertData(data: unknown): string | undefined {
  if (typeof data === 'object' && data !== null && 'data' in data) return revertData(data.data);
  if (typeof data !== 'string') return undefined;
  const hex = /0x[0-9a-fA-F]*$/.exec(data)?.[0];
  return hex !== undefined && hex.length >= 10 ? hex.toLowerCase() : undefined;
}
