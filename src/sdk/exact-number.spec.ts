import { describe, expect, it } from '@jest/globals';
import { exactNumber } from './exact-number.js';

describe('a number of JSON', () => {
  it.each([
    ['999999999999999', 999_999_999_999_999],
    ['1000000000000001', '1000000000000001'],
    ['-0.00123456789012345', -0.001_234_567_890_123_45],
    ['0.1234567890123456', '0.1234567890123456'],
    ['1.5e30', 1.5e30],
  ])('given %s, then it is a number unless it has more than 15 digits', (written, read) => {
    expect(exactNumber(written)).toBe(read);
  });
});
