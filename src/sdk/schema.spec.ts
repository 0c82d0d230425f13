import { describe, expect, it } from '@jest/globals';
import { finalityInput } from './schema.js';

describe('how settled a block has to be', () => {
  it.each([0, 3, 10_000, 'safe', 'finalized'])('given %j, then it is taken as it is', (written) => {
    expect(finalityInput().parse(written)).toBe(written);
  });

  it.each([-1, 1.5, 10_001, '3', 'latest', null])('given %j, then it is refused', (written) => {
    expect(finalityInput().safeParse(written).success).toBe(false);
  });
});
