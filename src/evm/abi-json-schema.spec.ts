import { describe, expect, it } from '@jest/globals';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { AbiParameter } from './abi.js';
import { argumentsSchema, resultSchema } from './abi-json-schema.js';
import { encodeArguments } from './arguments.js';
import { anyParameters, valuesOf } from './testing/abi-samples.js';

const ajv = new Ajv2020({ strict: true, strictTypes: true, addUsedSchema: false });
const to = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';

describe('the JSON Schema of parameters', () => {
  it('given any types and values, when shown or given, then the values fit', () => {
    fc.assert(
      fc.property(
        anyParameters(2).chain((parameters) => fc.tuple(fc.constant(parameters), valuesOf(parameters))),
        ([parameters, values]) => {
          expectFit(ajv.compile(argumentsSchema(parameters)), values.read);
          expectFit(ajv.compile(resultSchema(parameters)), values.read);
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each<[string, unknown, boolean]>([
    ['uint8', '255', true],
    ['uint8', 255, true],
    ['uint8', '0xff', true],
    ['uint8', 256, false],
    ['uint8', -1, false],
    ['uint8', '-1', false],
    ['uint256', 2 ** 53, false],
    ['uint256', '+1', false],
    ['uint256', ' 1', false],
    ['uint256', 1.5, false],
    ['int8', -128, true],
    ['int8', '-0x80', true],
    ['int8', -129, false],
    ['bool', 'yes', false],
    ['address', to, true],
    ['address', to.slice(2), true],
    ['address', 'vitalik.eth', false],
    ['bytes3', '0xabcdef', true],
    ['bytes3', 'abcdef', true],
    ['bytes3', 'q83v', true],
    ['bytes3', 'base64:q83v', true],
    ['bytes3', [1, 2, 3], true],
    ['bytes3', [1, 2], false],
    ['bytes3', '0xabcd', false],
    ['bytes4', 'AAAAAA==', true],
    ['bytes', '', false],
    ['bytes', '0x', true],
    ['bytes', [256], false],
    ['uint8[2]', [1, 2], true],
    ['uint8[2]', [1], false],
    ['uint8[]', [], true],
  ])('given %s, when %j is given, then the schema says what the encoder says', (type, value, isRight) => {
    const parameters: AbiParameter[] = [{ name: 'p', type }];
    expect(ajv.compile(argumentsSchema(parameters))({ p: value })).toBe(isRight);
    const encode = (): string => encodeArguments(parameters, { p: value });
    if (isRight) expect(encode()).toMatch(/^0x/);
    else expect(encode).toThrow();
  });

  it('given a struct, when described, then it is closed, has the words of the source and those for people', () => {
    const parameters: AbiParameter[] = [
      {
        name: 'order',
        type: 'tuple[2]',
        internalType: 'struct Shop.Order[2]',
        components: [{ name: 'isNew', type: 'bool' }],
      },
      { type: 'int8' },
    ];
    expect(argumentsSchema(parameters, { order: 'What is wanted' })).toEqual({
      type: 'object',
      properties: {
        order: {
          type: 'array',
          items: expect.objectContaining({
            type: 'object',
            properties: { isNew: { type: 'boolean', description: 'bool' } },
            required: ['isNew'],
            additionalProperties: false,
          }),
          minItems: 2,
          maxItems: 2,
          description: 'What is wanted (struct Shop.Order[2])',
        },
        arg1: expect.objectContaining({ description: expect.stringContaining('int8') }),
      },
      required: ['order', 'arg1'],
      additionalProperties: false,
    });
  });

  it('given indexed arguments of an event, when shown, then what is hashed is a hash', () => {
    const validate = ajv.compile(
      resultSchema([
        { name: 'who', type: 'address', indexed: true },
        { name: 'names', type: 'string[]', indexed: true },
        { name: 'note', type: 'string' },
      ]),
    );
    expectFit(validate, { who: to, names: { hash: `0x${'ab'.repeat(32)}` }, note: '' });
    expect(validate({ who: to, names: ['a'], note: '' })).toBe(false);
  });
});

function expectFit(validate: ValidateFunction, value: unknown): void {
  const isRight = validate(value);
  expect({ isRight, errors: validate.errors }).toEqual({ isRight: true, errors: null });
}
