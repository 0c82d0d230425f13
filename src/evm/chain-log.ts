import { hash } from 'node:crypto';
import { parseQuantity, parseTimestamp, toQuantity } from './block.js';
import { matches, type LogFilter } from './log-filter.js';
import { resultOf } from './rpc-batch.js';
import type { Rpc } from './rpc-client.js';
import { RpcError, isUnknownMethod } from './rpc-error.js';

export interface ChainLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly transactionIndex: number;
  readonly logIndex: number;
  /** Of the block, in seconds; undefined when the node does not say it with the log. */
  readonly timestamp: number | undefined;
}

/** In the order of the chain; what was not asked for, what is said twice and what is withdrawn is left out. */
export async function readLogs(
  rpc: Rpc,
  filter: LogFilter,
  range: { readonly from: number; readonly to: number },
  signal?: AbortSignal,
): Promise<ChainLog[]> {
  const query = {
    fromBlock: toQuantity(range.from),
    toBlock: toQuantity(range.to),
    ...(filter.addresses ? { address: filter.addresses } : {}),
    ...(filter.topics.length > 0 ? { topics: filter.topics } : {}),
  };
  const answer: unknown = await rpc.request('eth_getLogs', [query], signal);
  return sortLogs(parseLogs(answer), filter, range);
}

/** All matching logs of one block from its receipts: the proof when a search came back empty or was refused. */
export async function readLogsOfReceipts(
  rpc: Rpc,
  filter: LogFilter,
  block: { readonly number: number; readonly hash: string },
  signal?: AbortSignal,
): Promise<ChainLog[]> {
  const answer: unknown = await rpc
    .request('eth_getBlockReceipts', [block.hash], signal)
    .catch(async (error: unknown) => {
      if (isUnknownMethod(error)) return await readEachReceipt(rpc, block.hash, signal);
      throw error;
    });
  if (!Array.isArray(answer)) throw new RpcError('transport', 'The node does not have the receipts of the block');
  const logs = answer.flatMap((receipt: unknown) => parseLogs((receipt as { logs?: unknown } | null)?.logs));
  if (logs.some((log) => log.blockHash !== block.hash)) {
    throw new RpcError('transport', 'The node answered receipts of another block');
  }
  return sortLogs(logs, filter, { from: block.number, to: block.number });
}

/** As nodes do it that have no receipts by block, such as GoQuorum and older ones of Besu. */
async function readEachReceipt(rpc: Rpc, blockHash: string, signal?: AbortSignal): Promise<readonly unknown[]> {
  const block = await rpc.request<{ transactions?: unknown } | null>('eth_getBlockByHash', [blockHash, false], signal);
  if (!Array.isArray(block?.transactions)) throw new RpcError('transport', 'The node does not have the block');
  const calls = block.transactions.map((hash: unknown) => ({ method: 'eth_getTransactionReceipt', params: [hash] }));
  return (await rpc.requestMany(calls, signal)).map(resultOf);
}

export function parseLogs(answer: unknown): ChainLog[] {
  if (!Array.isArray(answer)) throw new RpcError('transport', 'The node answered something that is no list of logs');
  const logs: ChainLog[] = [];
  for (const entry of answer as readonly Readonly<Record<string, unknown>>[]) {
    // A withdrawn log is a hint to look at the hashes, which happens anyway.
    if (entry['removed'] !== true) logs.push(parseLog(entry));
  }
  return logs;
}

function parseLog(entry: Readonly<Record<string, unknown>>): ChainLog {
  const { address, topics, data, blockHash, transactionHash, blockTimestamp } = entry;
  if (
    typeof address !== 'string' ||
    !Array.isArray(topics) ||
    typeof data !== 'string' ||
    typeof blockHash !== 'string' ||
    typeof transactionHash !== 'string'
  ) {
    throw new RpcError('transport', 'The node answered something that is no log');
  }
  return {
    address: address.toLowerCase(),
    topics: topics as string[],
    data,
    blockNumber: parseQuantity(entry['blockNumber']),
    blockHash,
    transactionHash,
    transactionIndex: parseQuantity(entry['transactionIndex']),
    logIndex: parseQuantity(entry['logIndex']),
    timestamp: typeof blockTimestamp === 'string' ? parseTimestamp(blockTimestamp) : undefined,
  };
}

function sortLogs(logs: ChainLog[], filter: LogFilter, range: { from: number; to: number }): ChainLog[] {
  const fitting = logs.filter(
    (log) => log.blockNumber >= range.from && log.blockNumber <= range.to && matches(filter, log),
  );
  fitting.sort((one, other) => one.blockNumber - other.blockNumber || one.logIndex - other.logIndex);
  return fitting.filter((log, index) => {
    const before = fitting[index - 1];
    return before?.blockNumber !== log.blockNumber || before.logIndex !== log.logIndex;
  });
}

/**
 * The identities of logs that stay the same when their transactions are mined again in another block: chain, transaction,
 * content, and the place among logs of the same transaction with the same content. It is asked for all matching logs of a
 * block one after another.
 */
export function createLogIds(chainId: number): (log: ChainLog) => string {
  const counts = new Map<string, number>();
  let block = '';
  return (log) => {
    if (log.blockHash !== block) {
      counts.clear();
      block = log.blockHash;
    }
    const content = hash('sha256', `${log.address}|${log.topics.join(',')}|${log.data}`, 'hex').slice(0, 32);
    const base = `${String(chainId)}:${log.transactionHash}:${content}`;
    const ordinal = counts.get(base) ?? 0;
    counts.set(base, ordinal + 1);
    return `${base}:${String(ordinal)}`;
  };
}
