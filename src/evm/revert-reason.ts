import { PatchbayError } from '#sdk';
import { signatureOf, type Abi } from './abi.js';
import { keccak256 } from './keccak.js';
import { compileTupleReader, word } from './abi-reader.js';
import { RpcError } from './rpc-error.js';

const errorSelector = '0x08c379a0';
const panicSelector = '0x4e487b71';

const panics: Readonly<Record<string, string>> = {
  '1': 'an assertion failed',
  '17': 'an arithmetic operation overflowed',
  '18': 'a division by zero',
  '33': 'a value is no member of its enum',
  '49': 'pop() on an empty array',
  '50': 'an index is out of bounds',
  '65': 'too much memory was asked for',
};

/** The error of a call that a contract refused, in its own words where it gave any; undefined when it is something else. */
export function asRevert(error: unknown, abi: Abi): PatchbayError | undefined {
  if (!(error instanceof RpcError) || error.kind !== 'rejected') return undefined;
  const data = revertData(error.data);
  if (data === undefined && error.rpcCode !== 3 && !/revert/i.test(error.rpcMessage)) return undefined;
  const reason = (data === undefined ? undefined : describe(data, abi)) ?? withoutPrefix(error.rpcMessage);
  return new PatchbayError('evm.reverted', { detail: `The contract reverted the call: ${reason}`, cause: error });
}

/** Nodes put it in `data`, in `data.data`, or behind a word. */
function revertData(data: unknown): string | undefined {
  if (typeof data === 'object' && data !== null && 'data' in data) return revertData(data.data);
  if (typeof data !== 'string') return undefined;
  const hex = /0x[0-9a-fA-F]*$/.exec(data)?.[0];
  return hex !== undefined && hex.length >= 10 ? hex.toLowerCase() : undefined;
}

function describe(data: string, abi: Abi): string | undefined {
  const selector = data.slice(0, 10);
  const read = (types: Parameters<typeof compileTupleReader>[0]): Record<string, unknown> =>
    compileTupleReader(types)(data, 10, { budget: 1_000, isAltered: false });
  try {
    if (selector === errorSelector) return String(read([{ name: 'reason', type: 'string' }])['reason']);
    if (selector === panicSelector) {
      const code = String(read([{ name: 'code', type: 'uint256' }])['code']);
      return panics[code] ?? `panic ${code}`;
    }
    const fragment = abi.find(
      (candidate) =>
        candidate.type === 'error' && keccak256(Buffer.from(signatureOf(candidate))).slice(0, 10) === selector,
    );
    if (!fragment) return data.length > word ? `unknown error ${selector}` : undefined;
    const args = Object.entries(read(fragment.inputs ?? []));
    return `${fragment.name ?? ''}(${args.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(', ')})`;
  } catch {
    return undefined;
  }
}

function withoutPrefix(message: string): string {
  return message.replace(/^execution reverted:?\s*/i, '') || 'no reason was given';
}
