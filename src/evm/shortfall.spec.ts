import { describe, expect, it } from '@jest/globals';
import { shortfallOf } from './shortfall.js';
import type { Finality } from './subscription.js';

describe('what is less than final', () => {
  it.each<[confirmations: unknown, final: Finality, isLess: boolean]>([
    [undefined, 'finalized', false],
    ['finalized', 'finalized', false],
    ['safe', 'finalized', true],
    [0, 'finalized', true],
    [63, 'finalized', true],
    ['12', 'finalized', true],
    [64, 'finalized', false],
    [0, 0, false],
    [2, 3, true],
    [3, 3, false],
    ['safe', 3, false],
    ['safe', 'safe', false],
    ['finalized', 3, false],
  ])('given %p where final is %p, then that it is less is %p', (confirmations, final, isLess) => {
    expect(shortfallOf(confirmations, final) !== undefined).toBe(isLess);
  });

  it('given too few blocks, then the warning says how many, and what to do', () => {
    expect(shortfallOf(1)).toEqual({
      pointer: '/confirmations',
      detail: 'The flow moves value and waits for 1 block, which can still be replaced',
      fix: expect.stringContaining('Leave them out'),
      severity: 'warning',
    });
  });
});
