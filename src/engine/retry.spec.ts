import { describe, expect, it } from '@jest/globals';
import { defaultRetry, retryDelayMs } from './retry.js';

describe('the delay before the next attempt', () => {
  it('given the default policy, when attempts fail, then the delay doubles from two seconds up to six hours', () => {
    expect([1, 2, 3, 8].map((failed) => retryDelayMs(defaultRetry, failed))).toEqual([2_000, 4_000, 8_000, 256_000]);
    expect(retryDelayMs(defaultRetry, 900)).toBe(6 * 3_600_000);
  });

  it('given a fixed policy, when attempts fail, then the delay stays', () => {
    const policy = { attempts: 3, backoff: 'fixed', delayMs: 500 } as const;
    expect([1, 2, 3].map((failed) => retryDelayMs(policy, failed))).toEqual([500, 500, 500]);
  });

  it("given a source of chance, when an attempt failed, then the delay lies anywhere up to the policy's", () => {
    expect(retryDelayMs(defaultRetry, 3, () => 0.25)).toBe(2_000);
  });
});
