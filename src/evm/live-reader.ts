import { readLogs, readLogsOfReceipts, type ChainLog } from './chain-log.js';
import type { BlockWindow } from './block-window.js';
import { mayContain, type LogFilter } from './log-filter.js';
import type { Rpc, RpcClient } from './rpc-client.js';
import { RpcError } from './rpc-error.js';

/** Counts what a node got wrong, so that an operator sees a bad provider. */
export interface LiveReaderCounters {
  /** Logs that a search left out although the block has them. */
  missedLogs: number;
}

/**
 * Reads the newest blocks, whose hashes the window knows. Every log must belong to a block of the window, and a block
 * without logs is believed only when its bloom proves it or its receipts say the same: nodes answer with an empty list for
 * blocks that they have not indexed yet.
 */
export async function readLive(
  rpc: RpcClient,
  window: BlockWindow,
  filter: LogFilter,
  range: { readonly from: number; readonly to: number; readonly recheckFrom: number },
  counters: LiveReaderCounters,
  signal?: AbortSignal,
): Promise<readonly ChainLog[]> {
  return await rpc.pass(async (node) => {
    const logs = await readLogs(node, filter, { from: range.recheckFrom, to: range.to }, signal);
    if (logs.some((log) => window.get(log.blockNumber)?.hash !== log.blockHash)) {
      throw new RpcError('transport', 'The chain changed while it was being read');
    }
    const found = new Set(logs.map((log) => log.blockNumber));
    const missed: ChainLog[] = [];
    for (let number = range.from; number <= range.to; number++) {
      if (!found.has(number)) missed.push(...(await readSilent(node, window, filter, number, signal)));
    }
    counters.missedLogs += missed.length;
    const all = missed.length === 0 ? logs : [...logs, ...missed].sort(byPlace);
    return all.map((log) => ({ ...log, timestamp: window.get(log.blockNumber)?.timestamp }));
  });
}

/** A second look at a block that seems to have nothing. */
async function readSilent(
  node: Rpc,
  window: BlockWindow,
  filter: LogFilter,
  number: number,
  signal?: AbortSignal,
): Promise<readonly ChainLog[]> {
  const block = window.get(number);
  if (!block || isUnused(block.logsBloom) || !mayContain(block.logsBloom, filter)) return [];
  try {
    return await readLogsOfReceipts(node, filter, block, signal);
  } catch (error) {
    // Not every node offers receipts by block; the look back over the newest blocks remains.
    if (error instanceof RpcError && error.kind === 'rejected') return [];
    throw error;
  }
}

/** An empty bloom proves that there is nothing, a full one proves nothing: some rollups write one of these always. */
function isUnused(bloom: string): boolean {
  return /^0x(0*|f*)$/.test(bloom);
}

function byPlace(one: ChainLog, other: ChainLog): number {
  return one.blockNumber - other.blockNumber || one.logIndex - other.logIndex;
}
