import Big from 'big.js';
import { PatchbayError } from '#sdk';

export type Decimal = Big;

/** What a job calculates with, exactly; only a division is cut, as Chainlink nodes cut it: 16 places, half away from zero. */
const Decimals = Big();
Decimals.DP = 16;
Decimals.RM = Big.roundHalfUp;

/** Far more than any word of a chain has; text beyond it only costs time. */
const mostDigits = 1_000;

export const roundings = ['truncate', 'halfUp', 'halfEven', 'floor', 'ceil'] as const;
/** `truncate` towards zero, `floor` down, `ceil` up, the others to the nearest: a half away from zero, or to the even one. */
export type Rounding = (typeof roundings)[number];

/**
 * A decimal number as text, with or without exponent; whole numbers also as numbers or bigints.
 *
 * @throws oracle.answer for everything else: NaN, blanks, separators, hexadecimal digits, whole pages
 */
export function parseDecimal(value: unknown, what = 'The value'): Decimal {
  if (isDecimal(value)) return value;
  if (typeof value === 'bigint') return new Decimals(value.toString());
  if (typeof value === 'number') return parseNumber(value, what);
  if (typeof value === 'string') return parseText(value, what);
  throw refuse(what, value);
}

export function isDecimal(value: unknown): value is Decimal {
  return value instanceof Decimals;
}

/** A whole number. */
export function roundDecimal(value: Decimal, rounding: Rounding = 'truncate'): bigint {
  switch (rounding) {
    case 'truncate':
      return wholeOf(value.round(0, Big.roundDown));
    case 'halfUp':
      return wholeOf(value.round(0, Big.roundHalfUp));
    case 'halfEven':
      return wholeOf(value.round(0, Big.roundHalfEven));
    case 'floor':
      return wholeOf(value.round(0, value.lt(0) ? Big.roundUp : Big.roundDown));
    case 'ceil':
      return wholeOf(value.round(0, value.lt(0) ? Big.roundDown : Big.roundUp));
  }
}

/** All its digits, without an exponent. */
export function formatDecimal(value: Decimal): string {
  return value.eq(0) ? '0' : value.toFixed();
}

function parseText(text: string, what: string): Decimal {
  const [, digits = '', exponent = '0'] = /^[+-]?(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  if (digits === '') throw refuse(what, text);
  if (digits.length + Math.abs(Number(exponent)) > mostDigits) {
    throw new PatchbayError('oracle.answer', { detail: `${what} has more than ${String(mostDigits)} digits` });
  }
  return new Decimals(text.startsWith('+') ? text.slice(1) : text);
}

/** Fractions are taken as they are printed; of a whole number beyond 2^53 nobody knows any more what it was. */
function parseNumber(value: number, what: string): Decimal {
  if (!Number.isFinite(value)) throw refuse(what, value);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new PatchbayError('oracle.answer', {
      detail: `${what} is ${String(value)}, a JSON number that is not exact`,
      fix: 'Pass such a number as text from where it comes from.',
    });
  }
  return parseText(String(value), what);
}

function wholeOf(value: Decimal): bigint {
  return BigInt(formatDecimal(value));
}

function refuse(what: string, value: unknown): PatchbayError {
  return new PatchbayError('oracle.answer', {
    detail: `${what} must be a decimal number, not ${shown(value)}`,
    fix: 'Look at the step that it comes from: the source may have answered something else than a number.',
  });
}

/** For messages: what it is, and its beginning when it is text. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
}
