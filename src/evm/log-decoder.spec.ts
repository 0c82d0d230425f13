import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AbiCoder, ParamType, id } from 'ethers';
import { signatureOf, topicOf, type AbiFragment } from './abi.js';
import { keccak256 } from './keccak.js';
import { compileLogDecoder } from './log-decoder.js';
import { anyParameters, valuesOf } from './testing/abi-samples.js';

const coder = AbiCoder.defaultAbiCoder();

describe('decoding a log', () => {
  it('given any types and values, when ethers has encoded them, then the decoder reads the same values', () => {
    fc.assert(
      fc.property(
        anyParameters(2).chain((inputs) => fc.tuple(fc.constant(inputs), valuesOf(inputs))),
        ([inputs, values]) => {
          const data = coder.encode(
            inputs.map((input) => ParamType.from(input)),
            values.given,
          );

          const decoded = compileLogDecoder({ type: 'event', name: 'E', inputs }).decode({ topics: ['0x'], data });

          expect(decoded).toEqual({ args: values.read });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('given any data at all, when it is decoded, then nothing is thrown and what fails says why', () => {
    const inputs = ['string', 'uint256[][]', 'bytes', 'address'].map((type, index) => ({
      type,
      name: `p${String(index)}`,
    }));
    const decoder = compileLogDecoder({ type: 'event', name: 'E', inputs });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const { args, decodeError, raw } = decoder.decode({
          topics: [],
          data: `0x${Buffer.from(bytes).toString('hex')}`,
        });
        const failed = Object.values(args).includes(null);
        expect(failed).toBe(decodeError !== undefined);
        if (failed) expect(raw).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });

  it('given a Transfer, when it is decoded, then addresses are lower case and the value is decimal text', () => {
    const decoder = compileLogDecoder(transfer);
    const to = '0x5FbDB2315678afecb367f032d93F642f64180aa3';

    const { args } = decoder.decode({
      topics: [decoder.topic, `0x${'0'.repeat(64)}`, `0x${'0'.repeat(24)}${to.slice(2)}`],
      data: coder.encode(['uint256'], [2n ** 256n - 1n]),
    });

    expect(args).toEqual({ from: `0x${'0'.repeat(40)}`, to: to.toLowerCase(), value: (2n ** 256n - 1n).toString() });
  });

  it('given indexed dynamic values, when decoded, then only their hash is given', () => {
    const decoder = compileLogDecoder({
      type: 'event',
      name: 'Named',
      inputs: [
        { name: 'name', type: 'string', indexed: true },
        { name: 'list', type: 'uint8[2]', indexed: true },
      ],
    });
    expect(decoder.decode({ topics: [decoder.topic, id('a'), id('b')], data: '0x' }).args).toEqual({
      name: { hash: id('a') },
      list: { hash: id('b') },
    });
  });

  it('given text with NUL or broken UTF-8, when decoded, then it can be stored and the raw log is kept', () => {
    const decoder = compileLogDecoder({ type: 'event', name: 'Said', inputs: [{ name: 'text', type: 'string' }] });
    const withNul = coder.encode(['string'], ['a\0b']);
    const broken = coder.encode(['bytes'], ['0x61ff62']);

    expect(decoder.decode({ topics: [], data: withNul })).toEqual({
      args: { text: 'a\u2400b' },
      raw: { topics: [], data: withNul },
    });
    expect(decoder.decode({ topics: [], data: broken })).toEqual({
      args: { text: 'a\ufffdb' },
      raw: { topics: [], data: broken },
    });
  });

  it('given lists whose offsets all point to the same place, when decoded, then the work is bounded', () => {
    const inputs = [{ name: 'deep', type: 'uint256[][][][][]' }];
    // Each list has 64 entries that all point to the next level: 64^5 values in a few kilobytes.
    const level = (depth: number): string =>
      (64).toString(16).padStart(64, '0') +
      (depth === 0 ? '0'.repeat(64 * 64) : (64 * 32).toString(16).padStart(64, '0').repeat(64) + level(depth - 1));
    const data = `0x${(32).toString(16).padStart(64, '0')}${level(4)}`;

    const { args, decodeError } = compileLogDecoder({ type: 'event', name: 'E', inputs }).decode({ topics: [], data });

    expect(args['deep']).toBeNull();
    expect(decodeError).toContain('the list is too long');
  });

  it('given texts that all point to the same long content, when decoded, then they are not multiplied', () => {
    const inputs = [{ name: 'texts', type: 'string[]' }];
    const word = (value: number): string => value.toString(16).padStart(64, '0');
    const [count, content] = [1_000, 'ab'.repeat(32 * 1_000)];
    const offsets = word(32 * count).repeat(count);
    const data = `0x${word(32)}${word(count)}${offsets}${word(32 * 1_000)}${content}`;

    const { args, decodeError } = compileLogDecoder({ type: 'event', name: 'E', inputs }).decode({ topics: [], data });

    expect(args['texts']).toBeNull();
    expect(decodeError).toContain('the same content is used many times');
  });

  it('given arguments without usable names, when decoded, then they are numbered', () => {
    const inputs = [
      { name: '', type: 'uint8' },
      { name: '__proto__', type: 'uint8' },
    ];
    const { args } = compileLogDecoder({ type: 'event', name: 'E', inputs }).decode({
      topics: [],
      data: coder.encode(['uint8', 'uint8'], [1, 2]),
    });
    expect(args).toEqual({ arg0: '1', arg1: '2' });
  });
});

describe('the hash of a signature', () => {
  it('given any bytes, when hashed, then it is what ethers computes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(keccak256(Buffer.from(text, 'utf8'))).toBe(id(text));
      }),
      { numRuns: 50 },
    );
  });

  it('given an event with a tuple, when its topic is computed, then the components are spelled out', () => {
    const event: AbiFragment = {
      type: 'event',
      name: 'Filled',
      inputs: [{ name: 'orders', type: 'tuple[]', components: [{ type: 'address' }, { type: 'uint256[2]' }] }],
    };
    expect(signatureOf(event)).toBe('Filled((address,uint256[2])[])');
    expect(topicOf(event)).toBe(id('Filled((address,uint256[2])[])'));
  });
});

const transfer: AbiFragment = {
  type: 'event',
  name: 'Transfer',
  inputs: [
    { name: 'from', type: 'address', indexed: true },
    { name: 'to', type: 'address', indexed: true },
    { name: 'value', type: 'uint256' },
  ],
};
