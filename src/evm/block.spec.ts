import { describe, expect, it } from '@jest/globals';
import { parseHeader, parseTimestamp } from './block.js';

const seconds = 1_700_000_000;

function quantity(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

describe('the time of a block', () => {
  it.each([
    ['seconds', BigInt(seconds)],
    ['milliseconds', BigInt(seconds) * 1_000n],
    ['microseconds', BigInt(seconds) * 1_000_000n],
    ['nanoseconds, as GoQuorum with Raft', BigInt(seconds) * 1_000_000_000n + 123_456_789n],
  ])('given %s, when it is read, then it is seconds', (_unit, value) => {
    expect(parseTimestamp(quantity(value))).toBe(seconds);
  });

  it.each([
    ['the first block', 0],
    ['the year 9999', 253_402_300_799],
  ])('given %s, when it is read, then it stays', (_name, value) => {
    expect(parseTimestamp(quantity(value))).toBe(value);
  });

  it.each([[undefined], [12], ['soon'], [`0x${'f'.repeat(17)}`]])(
    'given %p, when it is read, then it is no answer',
    (value) => {
      expect(() => parseTimestamp(value)).toThrow(expect.objectContaining({ kind: 'transport' }));
    },
  );
});

describe('a block', () => {
  it('given one of GoQuorum with Raft, when it is read, then it is a block without a base fee', () => {
    const block = parseHeader({
      number: '0x10',
      hash: `0x${'AB'.repeat(32)}`,
      parentHash: `0x${'cd'.repeat(32)}`,
      timestamp: quantity(BigInt(seconds) * 1_000_000_000n),
      difficulty: '0x0',
    });
    expect(block).toEqual({
      number: 16,
      hash: `0x${'ab'.repeat(32)}`,
      parentHash: `0x${'cd'.repeat(32)}`,
      timestamp: seconds,
      logsBloom: '0x',
      baseFeePerGas: undefined,
    });
  });
});
