import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AbiCoder, Interface, id } from 'ethers';
import { signatureOf, topicOf, type AbiFragment, type AbiParameter } from './abi.js';
import { keccak256 } from './keccak.js';
import { compileLogDecoder } from './log-decoder.js';

const coder = AbiCoder.defaultAbiCoder();

describe('decoding a log', () => {
  it('given any types and values, when ethers has encoded them, then the decoder reads the same values', () => {
    fc.assert(
      fc.property(fc.array(typeAndValue(2), { minLength: 1, maxLength: 5 }), (parts) => {
        const inputs = parts.map(({ parameter }, index) => ({ ...parameter, name: `p${String(index)}` }));
        const data = new Interface([{ type: 'function', name: 'f', inputs }]).encodeFunctionData(
          'f',
          parts.map(({ given }) => given),
        );

        const decoded = compileLogDecoder({ type: 'event', name: 'E', inputs }).decode({
          topics: ['0x'],
          data: `0x${data.slice(10)}`,
        });

        expect(decoded).toEqual({
          args: Object.fromEntries(parts.map(({ read }, index) => [`p${String(index)}`, read])),
        });
      }),
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

interface TypedValue {
  readonly parameter: AbiParameter;
  /** As ethers takes it. */
  readonly given: unknown;
  /** As Patchbay shows it. */
  readonly read: unknown;
}

function typeAndValue(depth: number): fc.Arbitrary<TypedValue> {
  const bits = fc.integer({ min: 1, max: 32 }).map((bytes) => bytes * 8);
  const unsigned = bits.chain((size) =>
    fc.bigInt(0n, 2n ** BigInt(size) - 1n).map((value) => leaf(`uint${String(size)}`, value, value.toString())),
  );
  const signed = bits.chain((size) =>
    fc
      .bigInt(-(2n ** BigInt(size - 1)), 2n ** BigInt(size - 1) - 1n)
      .map((value) => leaf(`int${String(size)}`, value, value.toString())),
  );
  const address = bytesOf(20, 20).map((hex) => leaf('address', hex, hex));
  const fixed = fc
    .integer({ min: 1, max: 32 })
    .chain((size) => bytesOf(size, size).map((hex) => leaf(`bytes${String(size)}`, hex, hex)));
  const bytes = bytesOf(0, 80).map((hex) => leaf('bytes', hex, hex));
  const bool = fc.boolean().map((value) => leaf('bool', value, value));
  const text = fc
    .string({ unit: 'grapheme', maxLength: 50 })
    .filter((value) => !value.includes('\0'))
    .map((value) => leaf('string', value, value));
  const leaves = [unsigned, signed, address, fixed, bytes, bool, text];
  if (depth === 0) return fc.oneof(...leaves);
  const tuple = fc.array(typeAndValue(depth - 1), { minLength: 1, maxLength: 3 }).map((parts) => ({
    parameter: {
      type: 'tuple',
      components: parts.map(({ parameter }, index) => ({ ...parameter, name: `c${String(index)}` })),
    },
    given: parts.map(({ given }) => given),
    read: Object.fromEntries(parts.map(({ read }, index) => [`c${String(index)}`, read])),
  }));
  const list = fc
    .tuple(typeAndValue(depth - 1), fc.integer({ min: 0, max: 3 }), fc.boolean())
    .map(([part, length, isFixed]) => ({
      parameter: { ...part.parameter, type: `${part.parameter.type}[${isFixed && length > 0 ? String(length) : ''}]` },
      given: Array.from({ length }, () => part.given),
      read: Array.from({ length }, () => part.read),
    }));
  return fc.oneof(...leaves, tuple, list);
}

function leaf(type: string, given: unknown, read: unknown): TypedValue {
  return { parameter: { type }, given, read };
}

function bytesOf(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength, maxLength }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);
}
