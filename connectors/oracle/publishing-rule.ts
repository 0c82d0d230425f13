import { parseDecimal, type Decimal } from './decimal.js';

export interface Deviation {
  readonly percent: Decimal;
  /** In units of the contract. */
  readonly absolute: Decimal;
}

export interface PublishingPolicy {
  readonly deviation: Deviation | undefined;
  readonly heartbeatMs: number | undefined;
  readonly minIntervalMs: number | undefined;
}

export interface Published {
  readonly raw: bigint;
  /** Seconds; undefined when the contract does not tell. */
  readonly updatedAt: number | undefined;
}

export type PublishingReason = 'first' | 'always' | 'deviation' | 'heartbeat' | 'tooSoon' | 'unchanged';

const hundred = parseDecimal(100);

/** Whether a new value is worth a transaction, by what is on the chain now. */
export function decide(
  policy: PublishingPolicy,
  { current, next, now }: { readonly current: Published | undefined; readonly next: bigint; readonly now: number },
): { readonly isPublished: boolean; readonly reason: PublishingReason } {
  if (!current) return { isPublished: true, reason: 'first' };
  const ageMs = current.updatedAt === undefined ? undefined : (now - current.updatedAt) * 1_000;
  const { deviation, heartbeatMs, minIntervalMs } = policy;
  if (minIntervalMs !== undefined && ageMs !== undefined && ageMs < minIntervalMs) {
    return { isPublished: false, reason: 'tooSoon' };
  }
  if (heartbeatMs !== undefined && ageMs !== undefined && ageMs >= heartbeatMs) {
    return { isPublished: true, reason: 'heartbeat' };
  }
  if (!deviation) {
    return heartbeatMs === undefined
      ? { isPublished: true, reason: 'always' }
      : { isPublished: false, reason: 'unchanged' };
  }
  return deviates(deviation, current.raw, next)
    ? { isPublished: true, reason: 'deviation' }
    : { isPublished: false, reason: 'unchanged' };
}

/**
 * As the flux monitor of Chainlink nodes decides: without any threshold always, else when the difference is greater than
 * the absolute one and at least so many percent of the old value. From 0 every other value is far enough away.
 */
export function deviates({ percent, absolute }: Deviation, old: bigint, next: bigint): boolean {
  if (percent.eq(0) && absolute.eq(0)) return true;
  const difference = parseDecimal(next).minus(parseDecimal(old)).abs();
  if (!difference.gt(absolute)) return false;
  if (old === 0n) return next !== 0n;
  return difference.times(hundred).gte(parseDecimal(old).abs().times(percent));
}
