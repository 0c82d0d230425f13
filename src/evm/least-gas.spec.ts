import { describe, expect, it } from '@jest/globals';
import { leastGas } from './least-gas.js';

const to = `0x${'11'.repeat(20)}`;

describe('least gas', () => {
  it.each<[string, Parameters<typeof leastGas>[0], bigint]>([
    ['coins alone', { to, data: '0x' }, 21_000n],
    ['a call', { to, data: '0x10c888cd0001' }, 21_000n + 5n * 16n + 4n],
    ['a deployment', { data: '0x6000' }, 53_000n + 16n + 4n],
  ])('given %s, when it is asked for, then it is what a chain takes before executing', (_, request, gas) => {
    expect(leastGas(request)).toBe(gas);
  });
});
