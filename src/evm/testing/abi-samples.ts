import fc from 'fast-check';
import { argumentNames, type AbiParameter } from '../abi.js';
import { typeOf } from '../abi-type.js';

export interface SampleValue {
  /** As ethers and viem take it: bigint, text, lists. */
  readonly given: unknown;
  /** As Patchbay shows it, and takes it too: decimal text, structs as objects. */
  readonly read: unknown;
}

export interface SampleValues {
  readonly given: readonly unknown[];
  readonly read: Readonly<Record<string, unknown>>;
}

/** Parameters of random types, with lists and structs inside one another down to `depth`. */
export function anyParameters(depth: number): fc.Arbitrary<AbiParameter[]> {
  return fc
    .array(anyType(depth), { minLength: 0, maxLength: 5 })
    .map((types) => types.map((type, index) => ({ ...type, name: `p${String(index)}` })));
}

/** Random values of all of them. */
export function valuesOf(parameters: readonly AbiParameter[]): fc.Arbitrary<SampleValues> {
  const names = argumentNames(parameters);
  return fc.tuple(...parameters.map(valueOf)).map((values) => ({
    given: values.map(({ given }) => given),
    read: Object.fromEntries(values.map(({ read }, index) => [names[index]!, read])),
  }));
}

function valueOf(parameter: AbiParameter): fc.Arbitrary<SampleValue> {
  const type = typeOf(parameter);
  switch (type.kind) {
    case 'list': {
      const { length } = type;
      const size = length === undefined ? { maxLength: 3 } : { minLength: length, maxLength: length };
      return fc.array(valueOf(type.element), size).map((items) => ({
        given: items.map(({ given }) => given),
        read: items.map(({ read }) => read),
      }));
    }
    case 'tuple':
      return valuesOf(type.components);
    case 'integer': {
      const bits = BigInt(type.isSigned ? type.bits - 1 : type.bits);
      const max = 2n ** bits - 1n;
      return fc.bigInt(type.isSigned ? -max - 1n : 0n, max).map((value) => ({ given: value, read: value.toString() }));
    }
    case 'bytes':
      return (type.length === undefined ? hex(0, 80) : hex(type.length, type.length)).map(same);
    case 'address':
      return hex(20, 20).map(same);
    case 'bool':
      return fc.boolean().map(same);
    case 'string':
      return fc
        .string({ unit: 'grapheme', maxLength: 50 })
        .filter((value) => !value.includes('\0'))
        .map(same);
  }
}

function anyType(depth: number): fc.Arbitrary<AbiParameter> {
  const size = fc.integer({ min: 1, max: 32 });
  const leaf = fc.oneof(
    size.map((bytes) => `uint${String(bytes * 8)}`),
    size.map((bytes) => `int${String(bytes * 8)}`),
    size.map((bytes) => `bytes${String(bytes)}`),
    fc.constantFrom('address', 'bool', 'string', 'bytes', 'uint256'),
  );
  const leaves = leaf.map((type): AbiParameter => ({ type }));
  if (depth === 0) return leaves;
  const tuple = fc.array(anyType(depth - 1), { minLength: 1, maxLength: 3 }).map((components): AbiParameter => ({
    type: 'tuple',
    components: components.map((component, index) => ({ ...component, name: `c${String(index)}` })),
  }));
  const list = fc
    .tuple(anyType(depth - 1), fc.constantFrom('', '1', '2', '3'))
    .map(([element, length]): AbiParameter => ({ ...element, type: `${element.type}[${length}]` }));
  return fc.oneof(leaves, tuple, list);
}

function hex(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength, maxLength }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);
}

function same(value: unknown): SampleValue {
  return { given: value, read: value };
}
