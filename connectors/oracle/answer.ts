import { encodeArguments, isAddress } from '#evm';
import { PatchbayError } from '#sdk';
import { formatDecimal, isDecimal, parseDecimal, roundDecimal, shown, type Rounding } from './decimal.js';

/** One value that goes on the chain. */
export interface AnswerPart {
  /** See {@link isAnswerType}. */
  readonly type: string;
  readonly value: unknown;
  /** A number is multiplied by it before it is rounded: 100 keeps two decimals, 10^18 eighteen. Absent or null: it is not. */
  readonly times?: unknown;
  /** How a fraction becomes a whole number. Default: it is cut off. */
  readonly rounding?: Rounding | undefined;
}

/** `uint8` to `uint256`, `int8` to `int256`, `bytes1` to `bytes32`, `bool`, `address`, `string`, `bytes`. */
export function isAnswerType(type: string): boolean {
  return ['bool', 'address', 'string', 'bytes'].includes(type) || integerOf(type) !== undefined || sizeOf(type) > 0;
}

/** Fits in one word, which is all that the first Oracle contracts take. */
export function isOneWord({ type }: AnswerPart): boolean {
  return type !== 'string' && type !== 'bytes';
}

/**
 * The values in the order of a callback's arguments, as ABI words. Numbers of any size are exact, and what does not fit its
 * type is refused rather than cut off, wrapped round or made 0. With `requestId` that comes first, as
 * `fulfillOracleRequest2` wants it.
 *
 * @throws oracle.answer, which names the value
 */
export function encodeAnswer(parts: readonly AnswerPart[], requestId?: string): string {
  const values = parts.map((part, index) =>
    fit(part, parts.length === 1 ? 'The answer' : `Value ${String(index + 1)}`),
  );
  const types = parts.map(({ type }) => type);
  const all =
    requestId === undefined ? { types, values } : { types: ['bytes32', ...types], values: [requestId, ...values] };
  return encodeArguments(
    all.types.map((type) => ({ name: '', type })),
    all.values,
  );
}

/** As the writer of ABI words takes it. */
function fit({ type, value, times, rounding }: AnswerPart, what: string): unknown {
  const integer = integerOf(type);
  if (integer) return fitInteger({ value, times, rounding }, integer, what);
  if (times !== undefined && times !== null) {
    throw refuse(`${what} is ${type}: only a number can be multiplied by times`);
  }
  if (typeof value === 'string' && /^\s*<(!doctype|html|head|body|\?xml)\b/i.test(value)) {
    throw refuse(`${what} is a page (${shown(value)}): the source has answered something else than a value`);
  }
  if (type === 'bool') return fitBool(value, what);
  if (type === 'address') return fitAddress(value, what);
  if (type === 'string') return fitText(value, what);
  if (type === 'bytes') return fitBytes(value, what);
  return fitFixedBytes(value, sizeOf(type), what);
}

interface Integer {
  readonly type: string;
  readonly min: bigint;
  readonly max: bigint;
}

function integerOf(type: string): Integer | undefined {
  const [, unsigned, digits] = /^(u?)int(\d{1,3})$/.exec(type) ?? [];
  const bits = BigInt(digits ?? 0);
  if (bits < 8n || bits > 256n || bits % 8n !== 0n) return undefined;
  const isSigned = unsigned === '';
  const max = 2n ** (isSigned ? bits - 1n : bits) - 1n;
  return { type, max, min: isSigned ? -max - 1n : 0n };
}

/** Bytes of `bytes1` to `bytes32`; 0 for other types. */
function sizeOf(type: string): number {
  const size = Number(/^bytes(\d{1,2})$/.exec(type)?.[1] ?? 0);
  return size <= 32 && type === `bytes${String(size)}` ? size : 0;
}

function fitInteger(
  { value, times, rounding }: Pick<AnswerPart, 'value' | 'times' | 'rounding'>,
  { type, min, max }: Integer,
  what: string,
): bigint {
  const given = parseDecimal(value, what);
  const scaled = times === undefined || times === null ? given : given.times(factorOf(times, what));
  const whole = roundDecimal(scaled, rounding);
  if (whole >= min && whole <= max) return whole;
  const text = formatDecimal(scaled);
  const short = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  throw refuse(`${what} is ${short}, which no ${type} can hold${whole < 0n && min === 0n ? ': it is negative' : ''}`);
}

/** By 0 every answer would be 0, and nobody would see that something is missing. */
function factorOf(times: unknown, what: string): ReturnType<typeof parseDecimal> {
  const factor = parseDecimal(times, `times of ${what.toLowerCase()}`);
  if (factor.eq(0)) throw refuse(`times of ${what.toLowerCase()} is 0`);
  return factor;
}

const booleans = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ['true', true],
  ['false', false],
  [1, true],
  [0, false],
  ['1', true],
  ['0', false],
]);

function fitBool(value: unknown, what: string): boolean {
  const known = booleans.get(value);
  if (known === undefined) throw refuse(`${what} must be true, false, 1 or 0, not ${shown(value)}`);
  return known;
}

function fitAddress(value: unknown, what: string): string {
  if (typeof value === 'string' && isAddress(value)) return value;
  throw refuse(`${what} must be an address, not ${shown(value)}`, 'Check its length and, in mixed case, its checksum.');
}

function fitText(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || isDecimal(value)) {
    return formatDecimal(parseDecimal(value, what));
  }
  throw refuse(`${what} must be text, not ${shown(value)}`);
}

function fitBytes(value: unknown, what: string): string {
  if (typeof value === 'string' && isHexadecimal(value)) return value;
  throw refuse(`${what} must be bytes as 0x and pairs of hexadecimal digits, not ${shown(value)}`);
}

/** Text stands at the left, with zeros behind it; bytes are given whole, since nobody could tell which side they belong to. */
function fitFixedBytes(value: unknown, size: number, what: string): string {
  if (typeof value !== 'string' || value === '') throw refuse(`${what} must be text, not ${shown(value)}`);
  if (value.startsWith('0x')) {
    if (isHexadecimal(value) && value.length === 2 + size * 2) return value;
    throw refuse(`${what} must have ${String(size * 2)} hexadecimal digits after 0x, not ${shown(value)}`);
  }
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length > size) {
    throw refuse(`${what} has ${String(bytes.length)} bytes, which do not fit in ${String(size)}: ${shown(value)}`);
  }
  return `0x${bytes.toString('hex').padEnd(size * 2, '0')}`;
}

function isHexadecimal(text: string): boolean {
  return /^0x(?:[0-9a-fA-F]{2})*$/.test(text);
}

function refuse(detail: string, fix?: string): PatchbayError {
  return new PatchbayError('oracle.answer', { detail, ...(fix === undefined ? {} : { fix }) });
}
