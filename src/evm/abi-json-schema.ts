import { argumentNames, type AbiParameter } from './abi.js';
import { isHashed, typeOf } from './abi-type.js';

/** JSON Schema 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Texts for people by the name of the parameter, e.g. from NatSpec. */
export type Descriptions = Readonly<Record<string, string>>;

/** What goes in, by name: what fits is accepted, as far as a schema can say. In order, as a list, is accepted as well. */
export function argumentsSchema(parameters: readonly AbiParameter[], descriptions: Descriptions = {}): JsonSchema {
  return objectSchema(parameters, given, descriptions);
}

/** What comes out, by name: answers of functions, arguments of events (indexed ones too) and of errors. */
export function resultSchema(parameters: readonly AbiParameter[], descriptions: Descriptions = {}): JsonSchema {
  return objectSchema(parameters, shown, descriptions);
}

type Direction = (parameter: AbiParameter) => JsonSchema;

function objectSchema(
  parameters: readonly AbiParameter[],
  direction: Direction,
  descriptions: Descriptions = {},
): JsonSchema {
  const names = argumentNames(parameters);
  const properties = names.map((name, index): [string, JsonSchema] => {
    const schema = direction(parameters[index]!);
    const about = Object.hasOwn(descriptions, name) ? descriptions[name] : undefined;
    return [name, about === undefined ? schema : { ...schema, description: `${about} (${describe(schema)})` }];
  });
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(names.length === 0 ? {} : { required: names }),
    additionalProperties: false,
  };
}

function given(parameter: AbiParameter): JsonSchema {
  const type = typeOf(parameter);
  switch (type.kind) {
    case 'list':
      return listSchema(parameter, given(type.element), type.length);
    case 'tuple':
      return tupleSchema(parameter, objectSchema(type.components, given));
    case 'integer':
      return givenInteger(parameter.type, type.isSigned, type.bits);
    case 'bytes':
      return type.length === undefined ? givenBytes : givenFixedBytes(parameter.type, type.length);
    case 'address':
      return givenAddress;
    case 'bool':
      return bool;
    case 'string':
      return text;
  }
}

function shown(parameter: AbiParameter): JsonSchema {
  if (parameter.indexed && isHashed(parameter)) return hashed(parameter.type);
  const type = typeOf(parameter);
  switch (type.kind) {
    case 'list':
      // An element is not indexed by itself.
      return listSchema(parameter, shown({ ...type.element, indexed: false }), type.length);
    case 'tuple':
      return tupleSchema(parameter, objectSchema(type.components, shown));
    case 'integer':
      return {
        type: 'string',
        pattern: type.isSigned ? '^(0|-?[1-9][0-9]*)$' : '^(0|[1-9][0-9]*)$',
        description: `${parameter.type} as decimal text`,
      };
    case 'bytes':
      return {
        type: 'string',
        pattern: type.length === undefined ? '^0x([0-9a-f]{2})*$' : `^0x[0-9a-f]{${String(type.length * 2)}}$`,
        description: parameter.type,
      };
    case 'address':
      return { type: 'string', pattern: '^0x[0-9a-f]{40}$', description: 'address' };
    case 'bool':
      return bool;
    case 'string':
      return text;
  }
}

const bool: JsonSchema = { type: 'boolean', description: 'bool' };
const text: JsonSchema = { type: 'string', description: 'string' };
const givenAddress: JsonSchema = {
  type: 'string',
  pattern: '^(0x)?[0-9a-fA-F]{40}$',
  description: 'address; in mixed letter case its checksum must be right',
};
const givenBytes: JsonSchema = {
  oneOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', items: { type: 'integer', minimum: 0, maximum: 255 } },
  ],
  description: 'bytes as hexadecimal digits, base64, or numbers',
};

function givenFixedBytes(name: string, length: number): JsonSchema {
  const padding = '='.repeat((3 - (length % 3)) % 3);
  const letters = Math.ceil(length / 3) * 4 - padding.length;
  const base64 = `(base64:)?[A-Za-z0-9+/_-]{${String(letters)}}${padding}`;
  return {
    oneOf: [
      { type: 'string', pattern: `^((0x)?[0-9a-fA-F]{${String(length * 2)}}|${base64})$` },
      {
        type: 'array',
        items: { type: 'integer', minimum: 0, maximum: 255 },
        minItems: length,
        maxItems: length,
      },
    ],
    description: `${name} as hexadecimal digits, base64, or numbers`,
  };
}

/** What JSON readers carry exactly. */
const safe = Number.MAX_SAFE_INTEGER;

function givenInteger(name: string, isSigned: boolean, bits: number): JsonSchema {
  const max = Math.min(safe, 2 ** (isSigned ? bits - 1 : bits) - 1);
  const min = isSigned ? Math.max(-safe, -(2 ** (bits - 1))) : 0;
  return {
    oneOf: [
      { type: 'string', pattern: `^${isSigned ? '-?' : ''}([0-9]{1,80}|0x[0-9a-fA-F]{1,64})$` },
      { type: 'integer', minimum: min, maximum: max },
    ],
    description: `${name} as decimal or 0x text; as a number only where JSON carries it exactly`,
  };
}

function listSchema(parameter: AbiParameter, items: JsonSchema, length: number | undefined): JsonSchema {
  return {
    type: 'array',
    items,
    ...(length === undefined ? {} : { minItems: length, maxItems: length }),
    description: parameter.internalType ?? parameter.type,
  };
}

function tupleSchema(parameter: AbiParameter, schema: JsonSchema): JsonSchema {
  return { ...schema, description: parameter.internalType ?? parameter.type };
}

function hashed(type: string): JsonSchema {
  return {
    type: 'object',
    properties: { hash: { type: 'string', pattern: '^0x[0-9a-f]{64}$' } },
    required: ['hash'],
    additionalProperties: false,
    description: `Hash of the ${type}, which is all that the chain keeps of it`,
  };
}

function describe(schema: JsonSchema): string {
  return String(schema['description']);
}
