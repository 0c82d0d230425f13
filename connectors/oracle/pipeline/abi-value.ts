import type { AbiParameter } from '#evm';
import { parseDecimal, roundDecimal } from '../decimal.js';
import { toList, toMap } from './exact-json.js';
import {
  fromPlain,
  isBytes,
  isList,
  isMap,
  mapOf,
  parseHex,
  refusal,
  toBoolean,
  toBytes,
  toDecimal,
  toText,
  type Value,
} from './value.js';

/**
 * A value as the writer of ABI words takes it. Numbers lose what is behind the point, as nodes do it; what does not fit the
 * type is refused, also where a node would wrap it round.
 */
function toArgument(value: Value, parameter: AbiParameter, what: string): unknown {
  const { type, components = [] } = parameter;
  if (type.endsWith(']')) {
    const element = { ...parameter, type: type.slice(0, type.lastIndexOf('[')) };
    return toList(value, what).map((item, index) => toArgument(item, element, `${what}[${String(index)}]`));
  }
  if (type === 'tuple') return toArguments(value, components, what);
  if (/^u?int/.test(type)) return toInteger(value, what);
  if (type === 'bool') return toBoolean(value, what);
  if (type === 'address') return toAddress(value, what);
  if (type === 'string') return toText(value, what);
  if (type === 'bytes') return toBytes(value, what);
  return toFixedBytes(value, Number(type.slice('bytes'.length)), what);
}

/** In the order of the parameters. What there is beside them is left out. */
export function toArguments(value: Value, parameters: readonly AbiParameter[], what: string): readonly unknown[] {
  if (isList(value)) {
    if (value.length !== parameters.length) {
      throw refusal(`${what} must have ${String(parameters.length)} values, not ${String(value.length)}`);
    }
    return parameters.map((parameter, index) => toArgument(value[index]!, parameter, parameter.name ?? what));
  }
  const given = toMap(value, what);
  return parameters.map((parameter, index) => {
    const name = parameter.name ?? String(index);
    if (!Object.hasOwn(given, name)) throw refusal(`${what} has no ${name}`);
    return toArgument(given[name]!, parameter, name);
  });
}

/** What was read from ABI words: whole numbers become numbers, and bytes bytes. */
function fromArgument(plain: unknown, { type, components = [] }: AbiParameter): Value {
  if (Array.isArray(plain)) {
    const element = { type: type.slice(0, type.lastIndexOf('[')), components };
    return plain.map((item) => fromArgument(item, element));
  }
  if (type === 'tuple') return fromArguments(fromPlain(plain), components);
  if (typeof plain !== 'string') return fromPlain(plain);
  if (/^u?int/.test(type)) return parseDecimal(plain);
  return type.startsWith('bytes') ? (parseHex(plain) ?? plain) : plain;
}

export function fromArguments(values: Value, parameters: readonly AbiParameter[]): Value {
  if (!isMap(values)) return values;
  return mapOf(
    parameters.map(({ name = '', ...parameter }) => [name, fromArgument(values[name] ?? null, parameter)] as const),
  );
}

function toInteger(value: Value, what: string): bigint {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value)) return BigInt(value);
  return roundDecimal(toDecimal(value, what), 'truncate');
}

/** In one letter case: a checksum that was wrong would otherwise hold up an answer. */
function toAddress(value: Value, what: string): string {
  const bytes = typeof value === 'string' ? parseHex(value) : value;
  if (bytes !== undefined && isBytes(bytes) && bytes.length === 20) return `0x${Buffer.from(bytes).toString('hex')}`;
  throw refusal(`${what} must be an address: 0x and 40 hexadecimal digits`);
}

/** Text stands at the left, as contracts have it; nodes only take text that is exactly as long as the type. */
function toFixedBytes(value: Value, size: number, what: string): Uint8Array {
  const bytes = toBytes(value, what);
  if (bytes.length > size)
    throw refusal(`${what} has ${String(bytes.length)} bytes, and only ${String(size)} have room`);
  return Buffer.concat([bytes], size);
}
