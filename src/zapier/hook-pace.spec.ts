import { describe, expect, it } from '@jest/globals';
import { HookPace, accountOf } from './hook-pace.js';

function aPace(perSecond: number, perFiveMinutes: number) {
  let now = 1_000_000;
  const pace = new HookPace({ perSecond, perFiveMinutes }, () => now);
  return { pace, pass: (ms: number) => (now += ms) };
}

describe('the pace of hooks', () => {
  it('given a burst for one hook, then it is spread evenly, and other hooks do not wait', () => {
    const { pace, pass } = aPace(10, 1_000);

    expect([1, 2, 3].map(() => pace.reserve('a', 'user'))).toEqual([0, 100, 200]);
    expect(pace.reserve('b', 'user')).toBe(0);
    pass(1_000);
    expect(pace.reserve('a', 'user')).toBe(0);
  });

  it('given an account that has had its share, then it waits until the first requests are five minutes old', () => {
    const { pace, pass } = aPace(1_000, 5);
    for (const hook of ['a', 'b', 'c', 'd', 'e']) expect(pace.reserve(hook, 'user')).toBe(0);

    expect(pace.reserve('f', 'user')).toBeGreaterThanOrEqual(300_000);
    expect(pace.reserve('f', 'other')).toBeLessThan(1_000_000);
    pass(700_000);
    expect(pace.reserve('g', 'user')).toBe(0);
  });

  it('given what another process has sent, then that counts too', () => {
    const { pace } = aPace(1_000, 5);
    pace.seed('user', 5);

    expect(pace.reserve('a', 'user')).toBeGreaterThanOrEqual(299_000);
  });

  it.each([
    ['https://hooks.zapier.com/hooks/standard/1001/abc/', 'https://hooks.zapier.com 1001'],
    ['https://hooks.zapier.com/hooks/catch/1001/abc', 'https://hooks.zapier.com 1001'],
    ['https://zapier.com/hooks/callback/xyz', 'https://zapier.com'],
  ])('given %s, then its account is %s', (url, account) => {
    expect(accountOf(url)).toBe(account);
  });
});
