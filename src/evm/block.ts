import type { Rpc } from './rpc-client.js';
import { RpcError } from './rpc-error.js';

export interface BlockHeader {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** Seconds since 1970, as the block says; never used for order. */
  readonly timestamp: number;
  readonly logsBloom: string;
  readonly baseFeePerGas: bigint | undefined;
}

export type BlockTag = 'latest' | 'safe' | 'finalized';

/** In the year 33,658. */
const latestSeconds = 1_000_000_000_000n;

/** Undefined when the node does not have it (yet). */
export async function findBlock(
  rpc: Rpc,
  which: number | BlockTag,
  signal?: AbortSignal,
): Promise<BlockHeader | undefined> {
  const tag = typeof which === 'number' ? toQuantity(which) : which;
  const header = parseHeader(await rpc.request('eth_getBlockByNumber', [tag, false], signal));
  if (header && typeof which === 'number' && header.number !== which) {
    throw new RpcError('transport', `The node answered block ${String(header.number)} when asked for ${String(which)}`);
  }
  return header;
}

export async function findBlockByHash(rpc: Rpc, hash: string, signal?: AbortSignal): Promise<BlockHeader | undefined> {
  const header = parseHeader(await rpc.request('eth_getBlockByHash', [hash, false], signal));
  if (header && header.hash !== hash) throw new RpcError('transport', 'The node answered another block than asked for');
  return header;
}

export function toQuantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** @throws evm.rpc when it is not a quantity, so that nonsense of a node is treated as no answer */
export function parseQuantity(value: unknown): number {
  const parsed = typeof value === 'string' && value.startsWith('0x') ? parseInt(value, 16) : Number.NaN;
  if (!Number.isSafeInteger(parsed)) throw new RpcError('transport', 'The node answered something that is no number');
  return parsed;
}

/**
 * Seconds. Blocks of GoQuorum with Raft are stamped in nanoseconds: what lies tens of thousands of years ahead is taken down
 * by thousands until it does not.
 */
export function parseTimestamp(value: unknown): number {
  const isQuantity = typeof value === 'string' && /^0x[0-9a-f]{1,16}$/i.test(value);
  if (!isQuantity) throw new RpcError('transport', 'The node answered something that is no time');
  let seconds = BigInt(value);
  while (seconds > latestSeconds) seconds /= 1_000n;
  return Number(seconds);
}

/** @throws evm.rpc when it is neither a block nor null */
export function parseHeader(answer: unknown): BlockHeader | undefined {
  if (answer === null) return undefined;
  const block = answer as Readonly<Record<string, unknown>>;
  const { hash, parentHash, logsBloom, baseFeePerGas } = block;
  if (typeof answer !== 'object' || typeof hash !== 'string' || typeof parentHash !== 'string') {
    throw new RpcError('transport', 'The node answered something that is no block');
  }
  return {
    number: parseQuantity(block['number']),
    hash: hash.toLowerCase(),
    parentHash: parentHash.toLowerCase(),
    timestamp: parseTimestamp(block['timestamp']),
    logsBloom: typeof logsBloom === 'string' ? logsBloom : '0x',
    baseFeePerGas: typeof baseFeePerGas === 'string' ? BigInt(baseFeePerGas) : undefined,
  };
}
