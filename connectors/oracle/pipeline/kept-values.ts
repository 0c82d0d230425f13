import { formatDecimal, isDecimal, parseDecimal } from '../decimal.js';
import { isBytes, isList, isMap, mapOf, type Value, type ValueMap } from './value.js';

/** As text that gives back exactly the same values, types included. */
export function formatKept(values: ValueMap): string {
  return JSON.stringify(encoded(mapOf(Object.entries(values))));
}

export function parseKept(text: string): ValueMap {
  const value = decoded(JSON.parse(text) as Encoded);
  return isMap(value) ? value : mapOf([]);
}

/** Numbers, bytes, lists and maps say what they are; what JSON has of its own stays as it is. */
type Encoded =
  | null
  | boolean
  | string
  | { readonly number: string }
  | { readonly bytes: string }
  | { readonly list: readonly Encoded[] }
  | { readonly map: readonly (readonly [string, Encoded])[] };

function encoded(value: Value): Encoded {
  if (isDecimal(value)) return { number: formatDecimal(value) };
  if (isBytes(value)) return { bytes: Buffer.from(value).toString('base64') };
  if (isList(value)) return { list: value.map(encoded) };
  if (isMap(value)) return { map: Object.entries(value).map(([key, item]) => [key, encoded(item)]) };
  return value;
}

function decoded(value: Encoded): Value {
  if (typeof value !== 'object' || value === null) return value;
  if ('number' in value) return parseDecimal(value.number);
  if ('bytes' in value) return Buffer.from(value.bytes, 'base64');
  if ('list' in value) return value.list.map(decoded);
  return mapOf(value.map.map(([key, item]) => [key, decoded(item)] as const));
}
