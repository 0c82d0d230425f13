import { LosslessNumber, parse, stringify } from 'lossless-json';
import { formatDecimal, isDecimal, parseDecimal } from '../decimal.js';
import { formatHex, isBytes, isList, isMap, mapOf, refusal, shownValue, type Value, type ValueMap } from './value.js';

/**
 * JSON whose numbers keep every digit. Of a key that is there twice the last one counts, as for most readers.
 *
 * @throws SyntaxError
 */
export function parseExactJson(text: string): Value {
  return plainOf(parse(text, null, { parseNumber: (digits) => parseDecimal(digits), onDuplicateKey: lastOne }));
}

/** Numbers with all their digits, bytes as hexadecimal text. */
export function formatExactJson(value: Value): string {
  return stringify(jsonOf(value)) ?? 'null';
}

/** Also when it is written as JSON. */
export function toMap(value: Value, what: string): ValueMap {
  const given = structureIn(value);
  if (isMap(given)) return given;
  throw refusal(`${what} must be a map, not ${shownValue(value)}`);
}

/** Also when it is written as JSON. */
export function toList(value: Value, what: string): readonly Value[] {
  const given = structureIn(value);
  if (isList(given)) return given;
  throw refusal(`${what} must be a list, not ${shownValue(value)}`);
}

function structureIn(value: Value): Value {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return parseExactJson(value);
  } catch {
    return value;
  }
}

function lastOne({ newValue }: { readonly newValue: unknown }): unknown {
  return newValue;
}

/** The library's objects have a prototype, which keys of strangers must not reach. */
function plainOf(parsed: unknown): Value {
  if (Array.isArray(parsed)) return parsed.map(plainOf);
  if (typeof parsed !== 'object' || parsed === null || isDecimal(parsed)) return parsed as Value;
  return mapOf(Object.entries(parsed).map(([key, item]) => [key, plainOf(item)]));
}

function jsonOf(value: Value): unknown {
  if (isDecimal(value)) return new LosslessNumber(formatDecimal(value));
  if (isBytes(value)) return formatHex(value);
  if (isList(value)) return value.map(jsonOf);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonOf(item)]));
}
