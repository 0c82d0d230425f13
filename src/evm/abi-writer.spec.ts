import { describe, expect, it } from '@jest/globals';
import { AbiCoder, ParamType } from 'ethers';
import fc from 'fast-check';
import { decodeAbiParameters, encodeAbiParameters, type AbiParameter as ViemParameter, type Hex } from 'viem';
import type { AbiParameter } from './abi.js';
import { startReading, tupleReaderOf } from './abi-reader.js';
import { encodeArguments } from './arguments.js';
import { anyParameters, valuesOf, type SampleValues } from './testing/abi-samples.js';

const coder = AbiCoder.defaultAbiCoder();

describe('encoding', () => {
  it('given any types and values, when encoded, then ethers and viem encode the same and all read the same back', () => {
    fc.assert(
      fc.property(parametersAndValues(3), ([parameters, values]) => {
        const types = parameters.map((parameter) => ParamType.from(parameter));
        const expected = coder.encode(types, values.given);

        const encoded = encodeArguments(parameters, values.read);

        expect(encoded).toBe(expected);
        expect(encodeArguments(parameters, values.given)).toBe(expected);
        expect(encodeAbiParameters(parameters as ViemParameter[], values.given)).toBe(expected);
        expect(tupleReaderOf(parameters)(encoded, 2, startReading(encoded))).toEqual(values.read);
        if (parameters.length > 0) {
          const byViem = decodeAbiParameters(parameters as ViemParameter[], encoded as Hex);
          expect(plain(byViem)).toEqual(Object.values(values.read));
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, AbiParameter[], unknown[], unknown[]]>([
    ['no parameters', [], [], []],
    ['empty lists in lists', [{ type: 'uint8[][2]' }], [[[], []]], [[[], []]]],
    ['the smallest number', [{ type: 'int256' }], [(-(2n ** 255n)).toString()], [-(2n ** 255n)]],
    ['the smallest small number', [{ type: 'int8' }], ['-0x80'], [-128n]],
    [
      'a fixed array of structs with text',
      [
        {
          type: 'tuple[2]',
          components: [
            { name: 'a', type: 'string' },
            { name: 'b', type: 'int16[1]' },
          ],
        },
      ],
      [
        [
          { a: '', b: ['-1'] },
          { a: 'x'.repeat(33), b: [5] },
        ],
      ],
      [
        [
          ['', [-1n]],
          ['x'.repeat(33), [5n]],
        ],
      ],
    ],
    [
      'a struct in a struct in a list, behind a fixed array',
      [
        { type: 'bytes3[2]' },
        {
          type: 'tuple[][1]',
          components: [{ name: 'in', type: 'tuple', components: [{ name: 'x', type: 'bytes' }] }],
        },
      ],
      [['0x010203', '0x040506'], [[{ in: { x: '0xab' } }, [['0x']]]]],
      [['0x010203', '0x040506'], [[[['0xab']], [['0x']]]]],
    ],
  ])('given %s, when encoded, then it is what ethers encodes', (_, parameters, given, ethersValues) => {
    expect(encodeArguments(parameters, given)).toBe(
      coder.encode(
        parameters.map((parameter) => ParamType.from(parameter)),
        ethersValues,
      ),
    );
  });

  it('given a list of no more than the limit, when encoded, then every element is there', () => {
    const list = Array.from({ length: 10_000 }, (_, index) => index);
    const encoded = encodeArguments([{ name: 'list', type: 'uint256[]' }], { list });
    expect(encoded).toBe(coder.encode(['uint256[]'], [list]));
  });
});

function parametersAndValues(depth: number): fc.Arbitrary<[AbiParameter[], SampleValues]> {
  return anyParameters(depth).chain((parameters) => fc.tuple(fc.constant(parameters), valuesOf(parameters)));
}

/** As Patchbay shows it. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'number') return value.toString();
  if (typeof value === 'string') return /^0x[0-9a-fA-F]{40}$/.test(value) ? value.toLowerCase() : value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}
