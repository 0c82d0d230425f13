import { describe, expect, it } from '@jest/globals';
import { formatDecimal, parseDecimal, roundDecimal } from './decimal.js';

describe('calculating with decimals', () => {
  it('given a product beyond what floats hold, then no digit is lost', () => {
    const product = parseDecimal('1234567.123456789012345678').times(parseDecimal('1e18'));
    expect(formatDecimal(product)).toBe('1234567123456789012345678');
  });

  it('given a division that does not end, then it has 16 places and its last is rounded', () => {
    expect(formatDecimal(parseDecimal('2').div(3))).toBe('0.6666666666666667');
  });

  it('given numbers of every kind, then each is itself', () => {
    const given = ['1e3', '+5', '.5', '5.', '-0', 0.1, 12, 10n ** 30n, '1E-7'];
    expect(given.map((value) => formatDecimal(parseDecimal(value)))).toEqual([
      '1000',
      '5',
      '0.5',
      '5',
      '0',
      '0.1',
      '12',
      `1${'0'.repeat(30)}`,
      '0.0000001',
    ]);
  });

  it.each([
    ['truncate', [2n, -2n, 1n, -1n]],
    ['halfUp', [3n, -3n, 2n, -2n]],
    ['halfEven', [2n, -2n, 2n, -2n]],
    ['floor', [2n, -3n, 1n, -2n]],
    ['ceil', [3n, -2n, 2n, -1n]],
  ] as const)(
    'given halves, when they are rounded by %s, then positive and negative go its way',
    (rounding, rounded) => {
      expect(['2.5', '-2.5', '1.5', '-1.5'].map((text) => roundDecimal(parseDecimal(text), rounding))).toEqual(rounded);
    },
  );

  it.each([
    '',
    ' 1',
    '1 ',
    '1,000',
    '1_000',
    '0x10',
    'ff',
    'e5',
    '.',
    '1e',
    'NaN',
    'Infinity',
    '1.2.3',
    '<p>1</p>',
    '1\n',
  ])('given %j, then it is no number', (text) => {
    expect(() => parseDecimal(text)).toThrow(expect.objectContaining({ code: 'oracle.answer' }));
  });

  it('given a number with thousands of digits, then it is refused before anything is calculated', () => {
    expect(() => parseDecimal('9'.repeat(1_001))).toThrow(/more than 1000 digits/);
    expect(() => parseDecimal('1e-999999999')).toThrow(/more than 1000 digits/);
  });
});
