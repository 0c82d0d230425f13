import type { ChainLog } from './chain-log.js';
import type { LogFilter } from './log-filter.js';
import { LogRangeReader, type RangeResult } from './log-range.js';
import type { RpcClient } from './rpc-client.js';

export interface PastLogs {
  readonly logs: readonly ChainLog[];
  /** The block to go on with after these. */
  readonly next: number;
}

/** Logs of one part: few enough to be stored in one go. */
const partSize = 2_000;

/** Reads old blocks in order; while one part is being dealt with the next range is already being fetched. */
export async function* readPastLogs(
  rpc: RpcClient,
  filter: LogFilter,
  { from, to }: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): AsyncGenerator<PastLogs> {
  const reader = new LogRangeReader(rpc);
  const read = (start: number): Promise<RangeResult> => {
    const reading = reader.read(filter, { from: start, to, isYoung: false }, signal);
    // When the reader of this generator gives up, nobody waits for it any more.
    reading.catch(() => undefined);
    return reading;
  };
  if (from > to) return;
  let reading = read(from);
  for (let next = from; next <= to && !signal.aborted;) {
    const found = await reading;
    next = found.to + 1;
    if (next <= to) reading = read(next);
    for (let start = 0; start === 0 || start < found.logs.length; start += partSize) {
      const following = found.logs[start + partSize];
      yield { logs: found.logs.slice(start, start + partSize), next: following?.blockNumber ?? next };
    }
  }
}
