import { describe, expect, it } from '@jest/globals';
import { AbiCoder, encodeBytes32String } from 'ethers';
import { encodeAnswer, isAnswerType, type AnswerPart } from './answer.js';

const coder = AbiCoder.defaultAbiCoder();
const requestId = `0x${'ab'.repeat(32)}`;

function expected(types: readonly string[], values: readonly unknown[]): string {
  return coder.encode(types, values);
}

describe('encoding an answer', () => {
  it.each<[string, AnswerPart, unknown]>([
    ['a price with two decimals', { type: 'uint256', value: '3512.87', times: 100 }, 351_287n],
    ['a price whose rest is cut off', { type: 'uint256', value: '1.999' }, 1n],
    ['a price that is rounded', { type: 'uint256', value: '1.999', rounding: 'halfUp' }, 2n],
    [
      'eighteen decimals',
      { type: 'uint256', value: '1234567.123456789012345678', times: '1000000000000000000' },
      1_234_567_123_456_789_012_345_678n,
    ],
    [
      'eighteen decimals by an exponent',
      { type: 'uint256', value: '123456789.123456789', times: '1e18' },
      123_456_789_123_456_789_000_000_000n,
    ],
    ['a negative amount', { type: 'int256', value: '-273.15', times: '100' }, -27_315n],
    ['a negative fraction that is cut off', { type: 'int256', value: '-0.5' }, 0n],
    ['a negative factor', { type: 'int256', value: '5', times: '-100' }, -500n],
    [
      'a factor beyond 2^63',
      { type: 'uint256', value: '0.5', times: '10000000000000000000' },
      5_000_000_000_000_000_000n,
    ],
    ['no factor', { type: 'uint256', value: '42', times: null }, 42n],
    ['10^77', { type: 'uint256', value: `1${'0'.repeat(77)}` }, 10n ** 77n],
    ['10^77 by its factor', { type: 'uint256', value: '1', times: '1e77' }, 10n ** 77n],
    ['the largest uint256', { type: 'uint256', value: (2n ** 256n - 1n).toString() }, 2n ** 256n - 1n],
    ['the least int256', { type: 'int256', value: -(2n ** 255n) }, -(2n ** 255n)],
    ['an integer that floats lose', { type: 'uint256', value: '1565616210741547008' }, 1_565_616_210_741_547_008n],
    ['a number', { type: 'uint8', value: 255 }, 255n],
    ['the least int8', { type: 'int8', value: '-128' }, -128n],
    ['a plus sign', { type: 'uint256', value: '+5' }, 5n],
    ['true', { type: 'bool', value: 'true' }, true],
    ['0 as a bool', { type: 'bool', value: 0 }, false],
    [
      'an address',
      { type: 'address', value: '0x5FbDB2315678afecb367f032d93F642f64180aa3' },
      '0x5FbDB2315678afecb367f032d93F642f64180aa3',
    ],
    ['short text in a word', { type: 'bytes32', value: 'Kraken' }, encodeBytes32String('Kraken')],
    [
      '32 bytes of text',
      { type: 'bytes32', value: 'ä'.repeat(16) },
      `0x${Buffer.from('ä'.repeat(16)).toString('hex')}`,
    ],
    ['a word', { type: 'bytes32', value: requestId }, requestId],
    ['four bytes', { type: 'bytes4', value: '0x70a08231' }, '0x70a08231'],
    [
      'text',
      { type: 'string', value: 'größer als ein Wort, nämlich länger als 32 Zeichen' },
      'größer als ein Wort, nämlich länger als 32 Zeichen',
    ],
    ['a number as text', { type: 'string', value: 12.5 }, '12.5'],
    ['no bytes', { type: 'bytes', value: '0x' }, '0x'],
    ['bytes', { type: 'bytes', value: `0x${'0123'.repeat(40)}` }, `0x${'0123'.repeat(40)}`],
  ])('given %s, then it is encoded as ethers would', (_title, part, value) => {
    expect(encodeAnswer([part])).toBe(expected([part.type], [value]));
  });

  it('given several values and the id of the request, then the id is the first word and offsets count it', () => {
    const parts: AnswerPart[] = [
      { type: 'uint256', value: '1.5', times: '1000000000000000000' },
      { type: 'string', value: 'ETH/USD' },
      { type: 'int64', value: '-7' },
      { type: 'bytes', value: '0x010203' },
    ];
    expect(encodeAnswer(parts, requestId)).toBe(
      expected(
        ['bytes32', 'uint256', 'string', 'int64', 'bytes'],
        [requestId, 1_500_000_000_000_000_000n, 'ETH/USD', -7n, '0x010203'],
      ),
    );
  });

  it.each<[string, AnswerPart, RegExp]>([
    [
      'a negative number for uint256',
      { type: 'uint256', value: '-5' },
      /-5, which no uint256 can hold: it is negative/,
    ],
    [
      'a negative fraction below -1 after its factor',
      { type: 'uint64', value: '-0.01', times: 100 },
      /-1, which no uint64/,
    ],
    ['more than a uint256 holds', { type: 'uint256', value: '1', times: '1e78' }, /which no uint256 can hold/],
    ['more than an int256 holds', { type: 'int256', value: (2n ** 255n).toString() }, /which no int256 can hold/],
    ['more than a uint8 holds', { type: 'uint8', value: '256' }, /256, which no uint8 can hold/],
    ['a factor of 0', { type: 'uint256', value: '5', times: '0' }, /times of the answer is 0/],
    [
      'a factor that is no number',
      { type: 'uint256', value: '5', times: 'many' },
      /times of the answer must be a decimal number/,
    ],
    ['an exponent that would fill the memory', { type: 'uint256', value: '1e1000000000' }, /more than 1000 digits/],
    ['nothing', { type: 'uint256', value: null }, /not nothing/],
    ['NaN', { type: 'uint256', value: Number.NaN }, /not NaN/],
    ['NaN as text', { type: 'uint256', value: 'NaN' }, /not "NaN"/],
    ['an endless number', { type: 'uint256', value: Infinity }, /not Infinity/],
    ['empty text', { type: 'uint256', value: '' }, /not ""/],
    ['a blank', { type: 'uint256', value: ' 1' }, /not " 1"/],
    ['separators', { type: 'uint256', value: '1,000' }, /not "1,000"/],
    ['underscores', { type: 'uint256', value: '1_000' }, /not "1_000"/],
    ['hexadecimal digits', { type: 'uint256', value: '0x10' }, /not "0x10"/],
    ['a page', { type: 'uint256', value: '<html><body>502</body></html>' }, /not "<html>/],
    ['a page as text', { type: 'string', value: '<!DOCTYPE html><html></html>' }, /is a page/],
    ['an object', { type: 'uint256', value: {} }, /not an object/],
    ['a list', { type: 'string', value: ['a'] }, /must be text, not a list/],
    ['a number that JSON has spoilt', { type: 'uint256', value: 1e21 }, /a JSON number that is not exact/],
    ['yes', { type: 'bool', value: 'yes' }, /must be true, false, 1 or 0, not "yes"/],
    ['2 as a bool', { type: 'bool', value: 2 }, /not 2/],
    [
      'a wrong checksum',
      { type: 'address', value: '0x5FbDB2315678afecb367f032d93F642f64180aA3' },
      /must be an address/,
    ],
    ['33 bytes of text', { type: 'bytes32', value: 'ä'.repeat(16) + 'x' }, /33 bytes, which do not fit in 32/],
    ['no text', { type: 'bytes32', value: '' }, /must be text, not ""/],
    ['half a word', { type: 'bytes32', value: '0x1234' }, /must have 64 hexadecimal digits/],
    ['bytes without 0x', { type: 'bytes', value: 'abcd' }, /must be bytes as 0x/],
    ['a factor for text', { type: 'string', value: 'a', times: 2 }, /only a number can be multiplied/],
  ])('given %s, then it is refused', (_title, part, message) => {
    expect(() => encodeAnswer([part])).toThrow(
      expect.objectContaining({ code: 'oracle.answer', message: expect.stringMatching(message) }),
    );
  });

  it('given several values, when one does not fit, then it is named', () => {
    const parts = [
      { type: 'uint256', value: 1 },
      { type: 'uint256', value: 'null' },
    ];
    expect(() => encodeAnswer(parts)).toThrow(/^Value 2 must be a decimal number, not "null"/);
  });

  it('given names of types, then only those that Solidity has are known', () => {
    expect(['uint8', 'int256', 'bytes1', 'bytes32', 'bool', 'string', 'bytes', 'address'].every(isAnswerType)).toBe(
      true,
    );
    expect(
      ['uint', 'uint7', 'int264', 'bytes0', 'bytes33', 'bytes01', 'uint256[]', 'toString'].some(isAnswerType),
    ).toBe(false);
  });
});
