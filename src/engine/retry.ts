import type { RetryPolicy } from './flow.js';

const maxDelayMs = 6 * 60 * 60 * 1000;

export const defaultRetry: RetryPolicy = { attempts: 8, backoff: 'exponential', delayMs: 2_000 };

/**
 * How long to wait after so many failed attempts (1 and up). `random` spreads the waiting over the whole time
 * ("full jitter"), so that what failed together does not come back together; absent: exactly as the policy says.
 */
export function retryDelayMs(policy: RetryPolicy, failedAttempts: number, random?: () => number): number {
  const growth = policy.backoff === 'exponential' ? 2 ** Math.max(failedAttempts - 1, 0) : 1;
  const delay = Math.min(policy.delayMs * growth, maxDelayMs);
  return Math.round(random ? delay * random() : delay);
}
