import { describe, expect, it } from '@jest/globals';
import { explanationOf } from './problem.js';

describe('what happened and what to do, as one text', () => {
  it.each([
    ['It is gone', undefined, 'It is gone'],
    ['It is gone', 'Look elsewhere.', 'It is gone. Look elsewhere.'],
    ['It is gone.', 'Look elsewhere.', 'It is gone. Look elsewhere.'],
    ['It is gone:', 'Look elsewhere.', 'It is gone. Look elsewhere.'],
  ])('given %j and %j, when they are put together, then there is one full stop between them', (detail, fix, text) => {
    expect(explanationOf({ detail, fix })).toBe(text);
  });
});
