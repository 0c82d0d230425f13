import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeySet } from './key-set.js';

describe('a set of keys', () => {
  it('given any texts, when they are added, then it is told what a Set tells', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 500 }), (texts) => {
        const keys = new KeySet();
        const expected = new Set<string>();
        for (const text of texts) {
          expect(keys.add(text)).toBe(!expected.has(text));
          expected.add(text);
        }
        expect(keys.size).toBe(expected.size);
      }),
    );
  });

  it('given more keys than its first table holds, when they are added again, then none is new', () => {
    const keys = new KeySet();
    for (let n = 0; n < 100_000; n += 1) keys.add(`run-${n}:step`);

    expect(keys.size).toBe(100_000);
    for (let n = 0; n < 100_000; n += 1) if (keys.add(`run-${n}:step`)) throw new Error(`run-${n} was forgotten`);
  });
});
