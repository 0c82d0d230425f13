import { isUtf8 } from 'node:buffer';
import { PatchbayError } from '#sdk';
import { formatDecimal, isDecimal, parseDecimal, shown, type Decimal } from '../decimal.js';

/** What a task gives: numbers are exact, and bytes are no text. */
export type Value =
  null | boolean | string | Decimal | Uint8Array | readonly Value[] | { readonly [key: string]: Value };

export type ValueMap = Readonly<Record<string, Value>>;

/** An error is a value too: it is handed on to the tasks that need it. */
export type Outcome = { readonly value: Value } | { readonly error: PatchbayError };

/** A task cannot use what it was given. Trying again with the same would not help. */
export function refusal(detail: string, fix?: string): PatchbayError {
  return new PatchbayError('oracle.answer', { detail, ...(fix !== undefined && { fix }) });
}

export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

export function isMap(value: unknown): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBytes(value) && !isDecimal(value);
}

export function isList(value: unknown): value is readonly Value[] {
  return Array.isArray(value);
}

/** Text of a number counts as one, with or without an exponent. */
export function toDecimal(value: Value, what: string): Decimal {
  return parseDecimal(isBytes(value) && isUtf8(value) ? Buffer.from(value).toString('utf8') : value, what);
}

/** Whole numbers of JavaScript's own size: precisions, indexes, counts. */
export function toCount(value: Value, what: string): number {
  const number = toDecimal(value, what);
  if (!number.eq(number.round(0, 0)) || number.abs().gt(1_000_000)) {
    throw refusal(`${what} must be a whole number, not ${formatDecimal(number)}`);
  }
  return Number(formatDecimal(number));
}

export function toText(value: Value, what: string): string {
  if (typeof value === 'string') return value;
  if (isBytes(value) && isUtf8(value)) return Buffer.from(value).toString('utf8');
  if (isDecimal(value)) return formatDecimal(value);
  throw refusal(`${what} must be text, not ${shownValue(value)}`);
}

/** Text that begins with 0x and is hexadecimal means the bytes, any other text its UTF-8 form. */
export function toBytes(value: Value, what: string): Uint8Array {
  if (isBytes(value)) return value;
  if (typeof value === 'string') return parseHex(value) ?? Buffer.from(value, 'utf8');
  throw refusal(`${what} must be bytes or text, not ${shownValue(value)}`);
}

const truths = new Set(['true', 'TRUE', 'True', 't', 'T', '1']);
const untruths = new Set(['false', 'FALSE', 'False', 'f', 'F', '0']);

export function toBoolean(value: Value, what: string): boolean {
  if (typeof value === 'boolean') return value;
  const text = isDecimal(value) ? formatDecimal(value) : value;
  if (typeof text === 'string' && truths.has(text)) return true;
  if (typeof text === 'string' && untruths.has(text)) return false;
  throw refusal(`${what} must be true or false, not ${shownValue(value)}`);
}

/** Undefined when it is not 0x and pairs of hexadecimal digits. */
export function parseHex(text: string): Uint8Array | undefined {
  return /^0x(?:[0-9a-fA-F]{2})*$/.test(text) ? Buffer.from(text.slice(2), 'hex') : undefined;
}

export function formatHex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}

/** As it is put into JSON, steps and messages of the hub: numbers as decimal text, bytes as hexadecimal text. */
export function toPlain(value: Value): unknown {
  if (isDecimal(value)) return formatDecimal(value);
  if (isBytes(value)) return formatHex(value);
  if (isList(value)) return value.map(toPlain);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}

/** What the hub knows, as values. Numbers of JavaScript are taken as they are printed. */
export function fromPlain(plain: unknown): Value {
  if (plain === undefined || plain === null) return null;
  if (typeof plain === 'number' || typeof plain === 'bigint') return parseDecimal(plain);
  if (typeof plain === 'string' || typeof plain === 'boolean' || isBytes(plain) || isDecimal(plain)) return plain;
  if (Array.isArray(plain)) return plain.map(fromPlain);
  return mapOf(Object.entries(plain).map(([key, item]) => [key, fromPlain(item)]));
}

/** Without a prototype: keys come from strangers, and `__proto__` is one of them. */
export function mapOf(entries: Iterable<readonly [string, Value]>): ValueMap {
  const map = Object.create(null) as Record<string, Value>;
  for (const [key, value] of entries) map[key] = value;
  return map;
}

export function shownValue(value: Value): string {
  if (isBytes(value)) return `${String(value.length)} bytes`;
  return isDecimal(value) ? formatDecimal(value) : shown(value);
}
