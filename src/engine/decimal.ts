/** Exact decimal numbers of any size, as digits and a power of ten. Amounts on a chain do not fit a `number`. */
export interface Decimal {
  readonly digits: bigint;
  /** How many of the digits are behind the point. */
  readonly scale: number;
}

const maxDigits = 1_000;

/** Numbers, bigints and decimal text; undefined for everything else. Text with leading zeros is an identifier, not a number. */
export function toDecimal(value: unknown): Decimal | undefined {
  if (typeof value === 'bigint') return { digits: value, scale: 0 };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { digits: BigInt(value), scale: 0 } : fromNumber(value);
  if (typeof value !== 'string' || value.length > maxDigits) return undefined;
  const match = /^(-?(?:0|[1-9]\d*))(?:\.(\d+))?$/.exec(value);
  if (!match) return undefined;
  const [, whole = '', fraction = ''] = match;
  return { digits: BigInt(whole + fraction), scale: fraction.length };
}

function fromNumber(value: number): Decimal | undefined {
  if (!Number.isFinite(value)) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] =
    /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const left = a.scale === scale ? a.digits : a.digits * 10n ** BigInt(scale - a.scale);
  const right = b.scale === scale ? b.digits : b.digits * 10n ** BigInt(scale - b.scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A whole number of smallest units as decimal text, e.g. 25000000000 with 6 places is `25000`. */
export function formatUnits(value: bigint, places: number): string {
  const sign = value < 0n ? '-' : '';
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '');
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** Decimal text as a whole number of smallest units; undefined when it has more digits behind the point than there are places. */
export function parseUnits(value: Decimal, places: number): bigint | undefined {
  if (value.scale <= places) return value.digits * 10n ** BigInt(places - value.scale);
  const divisor = 10n ** BigInt(value.scale - places);
  return value.digits % divisor === 0n ? value.digits / divisor : undefined;
}
