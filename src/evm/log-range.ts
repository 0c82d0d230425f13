import { findBlock, type BlockHeader } from './block.js';
import { readLogs, readLogsOfReceipts, type ChainLog } from './chain-log.js';
import { headers } from './head-follower.js';
import type { LogFilter } from './log-filter.js';
import type { Rpc, RpcClient } from './rpc-client.js';
import { RpcError } from './rpc-error.js';

/** What was found from the first to the last block of a range. */
export interface RangeResult {
  readonly from: number;
  readonly to: number;
  /** Every one with its timestamp. */
  readonly logs: readonly ChainLog[];
  /** Each block of the range, when blocks rather than logs are wanted. */
  readonly blocks: readonly BlockHeader[];
  /** Of the last block. */
  readonly hash: string;
}

const startSpan = 10;
const maxSpan = 10_000;
/** Logs per answer that suit node and hub: larger ones are slower per log, and leave nothing to fetch meanwhile. */
const goodAnswer = 2_000;
const parallelHeaders = 8;

/**
 * Reads ranges as large as the provider accepts and as full as is good: halved when it refuses, then grown by a tenth per
 * success; before the first refusal grown faster, because most of a chain's past has few of the wanted logs.
 */
export class LogRangeReader {
  readonly #rpc: RpcClient;
  #span = startSpan;
  #growth = 2;

  constructor(rpc: RpcClient) {
    this.#rpc = rpc;
  }

  /** How many blocks are asked for at once at the moment. */
  get span(): number {
    return this.#span;
  }

  /**
   * Reads from a block on, up to `to` or as far as one answer reaches. `filter` undefined: the blocks themselves.
   * `isYoung`: blocks that may still be reorganised, which are read again until two looks agree.
   */
  async read(
    filter: LogFilter | undefined,
    range: { readonly from: number; readonly to: number; readonly isYoung: boolean },
    signal?: AbortSignal,
  ): Promise<RangeResult> {
    for (;;) {
      const to = Math.min(range.to, range.from + this.#span - 1);
      try {
        const result = await this.#rpc.pass((rpc) => this.#readOnce(rpc, filter, { ...range, to }, signal));
        this.#adapt(to - range.from + 1, result.logs.length);
        return result;
      } catch (error) {
        if (!(error instanceof RpcError) || error.kind !== 'rangeTooLarge') throw error;
        const span = to - range.from + 1;
        this.#growth = 1.1;
        if (span === 1 && filter) return await this.#readReceipts(filter, range.from, signal);
        this.#span = Math.max(1, Math.min(Math.floor(span / 2), suggestedSpan(error.rpcMessage) ?? span));
      }
    }
  }

  #adapt(span: number, logs: number): void {
    const ideal = logs === 0 ? maxSpan : Math.round((span * goodAnswer) / logs);
    if (span >= this.#span || ideal < this.#span) {
      this.#span = Math.max(1, Math.min(maxSpan, ideal, Math.ceil(this.#span * this.#growth)));
    }
  }

  async #readOnce(
    rpc: Rpc,
    filter: LogFilter | undefined,
    { from, to, isYoung }: { from: number; to: number; isYoung: boolean },
    signal?: AbortSignal,
  ): Promise<RangeResult> {
    if (!filter) {
      const blocks = [...(await headers(rpc, from, to, signal)).values()];
      const last = blocks.at(-1);
      if (!last || blocks.length !== to - from + 1)
        throw new RpcError('transport', 'The node lacks some of the blocks');
      return { from, to, logs: [], blocks, hash: last.hash };
    }
    const [before, logs] = await Promise.all([findBlock(rpc, to, signal), readLogs(rpc, filter, { from, to }, signal)]);
    const after = isYoung ? await findBlock(rpc, to, signal) : before;
    if (
      !before ||
      before.hash !== after?.hash ||
      logs.some((log) => log.blockNumber === to && log.blockHash !== before.hash)
    ) {
      throw new RpcError('transport', 'The chain changed while it was being read');
    }
    return { from, to, logs: await withTimestamps(rpc, logs, signal), blocks: [], hash: before.hash };
  }

  async #readReceipts(filter: LogFilter, number: number, signal?: AbortSignal): Promise<RangeResult> {
    return await this.#rpc.pass(async (rpc) => {
      const block = await findBlock(rpc, number, signal);
      if (!block) throw new RpcError('transport', `The node does not have block ${String(number)}`);
      const logs = await readLogsOfReceipts(rpc, filter, block, signal);
      const dated = logs.map((log) => ({ ...log, timestamp: block.timestamp }));
      return { from: number, to: number, logs: dated, blocks: [], hash: block.hash };
    });
  }
}

/** Newer nodes say the time with the log; otherwise each block that has one is asked for once. */
async function withTimestamps(rpc: Rpc, logs: readonly ChainLog[], signal?: AbortSignal): Promise<readonly ChainLog[]> {
  const missing = [...new Set(logs.filter((log) => log.timestamp === undefined).map((log) => log.blockNumber))];
  if (missing.length === 0) return logs;
  const times = new Map<number, number>();
  for (let start = 0; start < missing.length; start += parallelHeaders) {
    const part = missing.slice(start, start + parallelHeaders);
    for (const block of await Promise.all(part.map((number) => findBlock(rpc, number, signal)))) {
      if (block) times.set(block.number, block.timestamp);
    }
  }
  return logs.map((log) => (log.timestamp === undefined ? { ...log, timestamp: times.get(log.blockNumber) } : log));
}

/** `… this block range should work: [0x1, 0x3e8]`, `… limited to 1000 blocks`. */
function suggestedSpan(message: string): number | undefined {
  const range = /\[(0x[0-9a-f]+), ?(0x[0-9a-f]+)\]/i.exec(message);
  if (range) return Math.max(1, Number(range[2]) - Number(range[1]) + 1);
  const limit = /(\d[\d,]*)[ -]*blocks?/i.exec(message) ?? /range[^\d]*(\d[\d,]*)/i.exec(message);
  const span = limit ? Number(limit[1]!.replaceAll(',', '')) : Number.NaN;
  return span >= 1 ? span : undefined;
}
