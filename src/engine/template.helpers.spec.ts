import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { compileTemplate } from './template.js';
import { findHelper, templateHelpers } from './template.helpers.js';

function call(name: string, ...args: readonly unknown[]): unknown {
  return findHelper(name)?.run(...args);
}

describe('the helpers of templates', () => {
  it.each(templateHelpers.map((helper) => [helper.name, helper] as const))(
    'given the example of %s, when it is rendered, then it gives what the docs say',
    (_, { example }) => {
      expect(String(compileTemplate(example.template)({ event: { amount: 1 } }))).toBe(example.gives);
    },
  );

  it('given any amount and unit, when it is formatted and parsed, then it is the same amount', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 256n), max: 2n ** 256n }),
        fc.integer({ min: 0, max: 77 }),
        (amount, places) => {
          expect(call('parseUnits', call('formatUnits', amount.toString(), places), places)).toBe(amount.toString());
        },
      ),
    );
  });

  it.each([
    ['formatUnits', ['25000000000', 6], '25000'],
    ['formatUnits', ['1', 'ether'], '0.000000000000000001'],
    ['formatUnits', [-1500000, 6], '-1.5'],
    [
      'formatUnits',
      ['115792089237316195423570985008687907853269984665640564039457584007913129639935', 0],
      '115792089237316195423570985008687907853269984665640564039457584007913129639935',
    ],
    ['parseUnits', ['-0.5', 6], '-500000'],
    ['parseUnits', [1.5, 'gwei'], '1500000000'],
    ['parseUnits', ['1.500', 1], '15'],
    ['slice', ['abcdef', -2], 'ef'],
    ['slice', [[1, 2, 3], 1], [2, 3]],
    ['replace', ['a.b.c', '.', '$&'], 'a$&b$&c'],
    ['date', ['2026-01-31T10:20:30Z', 'time'], '10:20:30'],
    ['date', ['2026-01-31T10:20:30Z', 'seconds'], 1769854830],
    ['date', [1769854830000], '2026-01-31T10:20:30.000Z'],
    ['json', [{ a: 2n ** 64n }], '{"a":"18446744073709551616"}'],
    ['concat', ['a', 1, true, 5n], 'a1true5'],
  ])('given %s with %j, when it is called, then it gives %j', (name, args, result) => {
    expect(call(name, ...args)).toEqual(result);
  });

  it.each([
    ['formatUnits', ['1.5', 6]],
    ['formatUnits', ['abc', 6]],
    ['formatUnits', ['1', 300]],
    ['formatUnits', [2 ** 60, 6]],
    ['parseUnits', ['1.2345678', 6]],
    ['parseUnits', ['1e5', 6]],
    ['parseUnits', ['', 6]],
    ['lower', [{}]],
    ['slice', ['abc', 'x']],
    ['replace', ['abc', '', 'x']],
    ['date', ['yesterday']],
    ['date', [0, 'fancy']],
  ])('given %s with %j, when it is called, then the bad value is refused by name', (name, args) => {
    expect(() => call(name, ...args)).toThrow(`The helper ${name} `);
    expect(() => call(name, ...args)).toThrow(expect.objectContaining({ code: 'template.helper' }));
  });
});
