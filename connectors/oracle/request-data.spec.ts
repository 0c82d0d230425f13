import { describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { readRequestData } from './request-data.js';

const text = (value: string): string => {
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length > 23) throw new Error('Only short texts are written here');
  return `${(0x60 + bytes.length).toString(16)}${bytes.toString('hex')}`;
};
const get = `${text('get')}${text('https://a.example')}`;
const bignum = (tag: 2 | 3, magnitude: bigint): string =>
  `c${String(tag)}5820${magnitude.toString(16).padStart(64, '0')}`;

function codeOf(hex: string): unknown {
  try {
    return readRequestData(hex);
  } catch (error) {
    return error instanceof PatchbayError ? error.code : error;
  }
}

describe('reading the data of a request', () => {
  it.each([
    ['nothing', '0x', {}],
    ['names and values in a row', `0x${get}`, { get: 'https://a.example' }],
    ['a map of known size', `0xa1${get}`, { get: 'https://a.example' }],
    ['a map of unknown size', `0xbf${get}ff`, { get: 'https://a.example' }],
    ['an empty map', '0xa0', {}],
  ])('given %s, when it is read, then it is a map', (_kind, data, params) => {
    expect(readRequestData(data)).toEqual(params);
  });

  it.each([
    ['0', '00'],
    ['23', '17'],
    ['100', '1864'],
    ['9007199254740991', '1b001fffffffffffff'],
    ['9007199254740993', '1b0020000000000001'],
    ['9223372036854775808', '1b8000000000000000'],
    ['10000000000000000000', '1b8ac7230489e80000'],
    ['18446744073709551615', '1bffffffffffffffff'],
    ['18446744073709551616', bignum(2, 2n ** 64n)],
    [(2n ** 256n - 1n).toString(), bignum(2, 2n ** 256n - 1n)],
    ['-1', '20'],
    ['-9223372036854775808', '3b7fffffffffffffff'],
    ['-18446744073709551616', '3bffffffffffffffff'],
    ['-18446744073709551617', bignum(3, 2n ** 64n)],
    [(-(2n ** 255n)).toString(), bignum(3, 2n ** 255n - 1n)],
  ])('given the number %s, when it is read, then every digit of it is there', (number, encoded) => {
    expect(readRequestData(`0x${text('times')}${encoded}`)).toEqual({ times: number });
  });

  it('given every other kind of value, when it is read, then it is text, bytes, a list or a map', () => {
    const list = `9f${text('a')}${text('b')}ff`;
    const data = `0x${text('raw')}430102ff${text('list')}${list}${text('none')}80${text('yes')}f5${text('no')}f6${text('half')}f93e00${text('map')}a1${text('x')}01`;

    expect(readRequestData(data)).toEqual({
      raw: '0x0102ff',
      list: ['a', 'b'],
      none: [],
      yes: true,
      no: null,
      half: '1.5',
      map: { x: '1' },
    });
  });

  it('given a name twice, when it is read, then the last one counts', () => {
    expect(readRequestData(`0x${text('a')}01${text('a')}02`)).toEqual({ a: '2' });
  });

  it('given bytes behind a complete map, when it is read, then they are ignored', () => {
    expect(readRequestData(`0xa1${get}deadbeef`)).toEqual({ get: 'https://a.example' });
  });

  it.each([
    ['an end where names should begin', '0xff00ff'],
    ['a name without a value', `0x${get}${text('path')}`],
    ['a value that ends too early', `0x${text('get')}78ff6161`],
    ['a list that promises four thousand million values', `0x${text('a')}9affffffff00`],
    ['a name that is a number', '0x0102'],
    ['a name that reaches the prototype', `0x${text('__proto__')}a1${text('x')}01`],
    ['a name that reaches the constructor', `0x${text('a')}a1${text('constructor')}01`],
    ['text that is no UTF-8', `0x${text('a')}62c328`],
    ['a number that is none', `0x${text('a')}f97e00`],
    ['a number without end', `0x${text('a')}f97c00`],
    ['a tag that means something elsewhere', `0x${text('a')}c11a514b67b0`],
    ['a large number that is no bytes', `0x${text('a')}c2${text('x')}`],
    ['a value that is undefined', `0x${text('a')}f7`],
    ['a break where none belongs', `0xa1${text('a')}ff`],
    ['reserved lengths', `0x${text('a')}1c`],
    ['too many values', `0x${text('a')}9f${'00'.repeat(1_001)}ff`],
    ['too many levels', `0x${text('a')}${'81'.repeat(17)}00`],
    ['levels that would end the stack', `0x${text('a')}${'81'.repeat(8_000)}00`],
    ['tags upon tags', `0x${text('a')}${'c2'.repeat(8_000)}00`],
  ])('given %s, when it is read, then it is refused by name', (_kind, data) => {
    expect(codeOf(data)).toBe('oracle.data');
  });

  it('given random bytes, when they are read, then they are read or refused, and never anything else', () => {
    let seed = 1;
    const next = (): number => (seed = (seed * 48_271) % 2_147_483_647);
    for (let round = 0; round < 5_000; round++) {
      const bytes = Buffer.from(Array.from({ length: next() % 40 }, () => next() % 256));
      const read = codeOf(`0x${bytes.toString('hex')}`);
      if (typeof read === 'string') expect(read).toBe('oracle.data');
      else expect(JSON.stringify(read)).toEqual(expect.any(String));
    }
  });
});
