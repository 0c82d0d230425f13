import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatUnits, parseUnits } from './units.js';

describe('amounts with decimals', () => {
  it('given any amount and decimals, when formatted and parsed, then it is the same amount', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 256n), 2n ** 256n), fc.integer({ min: 0, max: 30 }), (value, decimals) => {
        expect(parseUnits(formatUnits(value, decimals), decimals)).toBe(value);
      }),
    );
  });

  it.each([
    ['12.5', 6, 12_500_000n],
    ['0.000001', 6, 1n],
    ['-1.50', 1, -15n],
    ['7', 0, 7n],
  ])('given %s with %i decimals, when parsed, then it is %s', (text, decimals, value) => {
    expect(parseUnits(text, decimals)).toBe(value);
  });

  it.each(['', '1.', '.5', '1e5', '0x10', '1,000', '--1', '1.0000001'])(
    'given %j, when parsed with 6 decimals, then it is refused',
    (text) => {
      expect(() => parseUnits(text, 6)).toThrow(expect.objectContaining({ code: 'evm.arguments' }));
    },
  );
});
