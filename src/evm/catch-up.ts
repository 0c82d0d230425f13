import type { LogRangeReader, RangeResult } from './log-range.js';
import type { Subscription } from './subscription.js';

/** What is deeper than this is not looked at a second time. */
const recheckedBlocks = 20;

/** Reads the past of one subscription up to the target: while one range is being delivered the next is already being fetched. */
export async function catchUp(
  reader: LogRangeReader,
  subscription: Subscription,
  limits: { target(): number; youngFrom(): number },
  signal: AbortSignal,
): Promise<void> {
  const read = async (from: number): Promise<RangeResult> => {
    const to = limits.target();
    const youngFrom = limits.youngFrom();
    // A range is either old or young, so that only the young ones are read twice.
    const end = from < youngFrom ? Math.min(to, youngFrom - 1) : to;
    const range = { from, to: end, isYoung: from >= youngFrom };
    const found = await reader.read(subscription.search, range, signal);
    return { ...found, logs: found.logs.filter((log) => subscription.matches(log)) };
  };
  let next = subscription.place?.next ?? 0;
  if (next > limits.target()) return;
  let reading = read(next);
  for (;;) {
    const found = await reading;
    next = found.to + 1;
    const isLast = next > limits.target() || signal.aborted || subscription.options.signal.aborted;
    if (!isLast) {
      reading = read(next);
      // When the delivery fails nobody waits for it any more.
      reading.catch(() => undefined);
    }
    await subscription.accept(found, { next, parentHash: found.hash });
    subscription.forgetBefore(next - recheckedBlocks);
    if (isLast) return;
  }
}
