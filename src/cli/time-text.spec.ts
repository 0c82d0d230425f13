import { describe, expect, it } from '@jest/globals';
import { durationText, sinceText, timeOf } from './time-text.js';

const now = Date.parse('2026-03-01T12:00:00Z');

describe('times for people', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [61_000, '1 min 1 s'],
    [7_200_000, '2 h'],
    [90_061_000, '1 d 1 h'],
  ])('given %d ms, when they are told, then as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('given a time to come, when it is told, then it is ahead', () => {
    expect(sinceText('2026-03-01T12:00:05Z', now)).toBe('in 5 s');
    expect(sinceText('2026-03-01T11:59:55Z', now)).toBe('5 s ago');
    expect(sinceText(null, now)).toBe('');
  });

  it('given an age, a date or a time, when it is read, then as the API wants it', () => {
    expect(timeOf('2h', now)).toBe('2026-03-01T10:00:00.000Z');
    expect(timeOf('2026-02-28', now)).toBe('2026-02-28T00:00:00.000Z');
    expect(timeOf('2026-02-28T01:02:03+01:00', now)).toBe('2026-02-28T00:02:03.000Z');
    expect(timeOf('yesterday', now)).toBeUndefined();
    expect(timeOf('12', now)).toBeUndefined();
  });
});
