import { PatchbayError, type ContractError } from '#sdk';
import { findBySelector, signatureOf, type Abi, type AbiFragment } from './abi.js';
import { startReading, tupleReaderOf } from './abi-reader.js';
import { RpcError } from './rpc-error.js';

/** Why a contract refused. */
export interface Revert {
  /** `error`: words of the contract. `panic`: a check that the compiler has put in. `custom`: an error of its own. */
  readonly kind: 'error' | 'panic' | 'custom' | 'unknown';
  /** For people; always there. */
  readonly message: string;
  /** Absent of what is unknown. */
  readonly error?: ContractError;
  /** As the contract gave it. */
  readonly data: string;
}

/** Why a contract refused a call, in words, and in parts where they are known. */
export interface RevertReason {
  readonly words: string;
  readonly error?: ContractError | undefined;
}

const errorSelector = '0x08c379a0';
const panicSelector = '0x4e487b71';
const errorFragment: AbiFragment = { type: 'error', name: 'Error', inputs: [{ name: 'reason', type: 'string' }] };
const panicFragment: AbiFragment = { type: 'error', name: 'Panic', inputs: [{ name: 'code', type: 'uint256' }] };

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
  const read = (fragment: AbiFragment): ContractError => ({
    name: fragment.name ?? '',
    signature: signatureOf(fragment),
    args: tupleReaderOf(fragment.inputs ?? [])(data, 10, startReading(data, 1_000)),
  });
  try {
    if (selector === errorSelector) {
      const error = read(errorFragment);
      return { kind: 'error', message: String(error.args['reason']) || 'no reason was given', error, data };
    }
    if (selector === panicSelector) {
      const error = read(panicFragment);
      const code = String(error.args['code']);
      return { kind: 'panic', message: panics[code] ?? `panic ${code}`, error, data };
    }
    const fragment = findBySelector(abi, 'error', selector);
    if (fragment) {
      const error = read(fragment);
      const shown = Object.entries(error.args).map(([argument, value]) => `${argument}: ${JSON.stringify(value)}`);
      return { kind: 'custom', message: `${error.name}(${shown.join(', ')})`, error, data };
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
  return new PatchbayError('evm.reverted', {
    detail: `The contract reverted the call: ${reason.words}`,
    contractError: reason.error,
    cause: error,
  });
}

/** Why the contract refused a call; undefined when the call failed in another way. */
export function findReason(error: unknown, abi: Abi): RevertReason | undefined {
  if (!(error instanceof RpcError) || error.kind !== 'rejected') return undefined;
  const data = revertData(error.data);
  if (data === undefined && error.rpcCode !== 3 && !/revert/i.test(error.rpcMessage)) return undefined;
  const revert = describeRevert(abi, data ?? '0x');
  if (revert.kind !== 'unknown') return { words: revert.message, error: revert.error };
  // Nodes put words of their own in front, and some have understood what the ABI has not.
  const words = error.rpcMessage.replace(
    /^(vm exception while processing transaction: )?(execution )?reverted?:?\s*/i,
    '',
  );
  return { words: words || revert.message };
}

/** Nodes put it in `data`, in `data.data`, or behind a word. */
function revertData(data: unknown): string | undefined {
  if (typeof data === 'object' && data !== null && 'data' in data) return revertData(data.data);
  if (typeof data !== 'string') return undefined;
  const hex = /0x[0-9a-fA-F]*$/.exec(data)?.[0];
  return hex !== undefined && hex.length >= 10 ? hex.toLowerCase() : undefined;
}
