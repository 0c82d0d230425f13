import { describe, expect, it } from '@jest/globals';
import { isInRange, lowestOf, parseRange } from './version-range.js';

describe('a range of versions', () => {
  it.each([
    ['^0.8.20', ['0.8.20', '0.8.37'], ['0.8.19', '0.9.0']],
    ['~0.8.4', ['0.8.4', '0.8.30'], ['0.8.3', '0.9.0']],
    ['0.8.24', ['0.8.24'], ['0.8.23', '0.8.25']],
    ['=0.8.24', ['0.8.24'], ['0.8.25']],
    ['0.8', ['0.8.0', '0.8.37'], ['0.7.6', '0.9.0']],
    ['^0.0.3', ['0.0.3'], ['0.0.4']],
    ['^1.2.3', ['1.9.0'], ['2.0.0']],
    ['>=0.4.22 <0.6.0', ['0.4.22', '0.5.17'], ['0.4.21', '0.6.0']],
    ['>= 0.4.22 < 0.6.0', ['0.5.0'], ['0.6.0']],
    ['>=0.4.22<0.6.0', ['0.5.0'], ['0.6.0']],
    ['>0.8 <=0.9', ['0.9.7'], ['0.8.37', '0.10.0']],
    ['^0.6.0 || ^0.8.0', ['0.6.1', '0.8.1'], ['0.7.0']],
    ['0.5.0 - 0.7.0', ['0.5.0', '0.7.0'], ['0.7.1']],
    ['*', ['0.4.0', '9.9.9'], []],
    ['0.8.x', ['0.8.9'], ['0.7.0']],
    ['"0.8.24"', ['0.8.24'], ['0.8.25']],
  ])('given %s, when versions are held against it, then it takes the right ones', (text, inside, outside) => {
    const range = parseRange(text)!;

    expect(inside.filter((version) => !isInRange(version, range))).toEqual([]);
    expect(outside.filter((version) => isInRange(version, range))).toEqual([]);
  });

  it('given a text that is no range, when it is read, then there is none', () => {
    expect(
      ['', 'latest', '../0.8', '0.8.24.1', '^', '0.8.24-rc', '9'.repeat(300)].filter((text) => parseRange(text)),
    ).toEqual([]);
  });

  it('given a range with a lower bound, when something is to be installed, then that is it', () => {
    expect(lowestOf(parseRange('^0.7.6')!)).toBe('0.7.6');
    expect(lowestOf(parseRange('<0.6.0')!)).toBeUndefined();
  });
});
