import { keccak256 } from './keccak.js';
import type { Writing } from './abi-writing.js';

/** Hexadecimal digits of one 32-byte word. */
export const word = 64;

export type WriteValue = (value: unknown, writing: Writing) => string;

/** One word. Decimal or 0x text, a number that JSON carries exactly, or a bigint; nothing is cut off or wrapped round. */
export function integerWriter(type: string, isSigned: boolean, bits: number): WriteValue {
  const size = BigInt(bits);
  const max = 2n ** (isSigned ? size - 1n : size) - 1n;
  const min = isSigned ? -max - 1n : 0n;
  const maxNumber = Number(max);
  const range = `from ${bound(min)} to ${bound(max)} (${type})`;
  return (value, writing) => {
    // Most values are this small, and a BigInt for each would take four times as long.
    const small = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
    if (small !== undefined && small <= maxNumber) return small.toString(16).padStart(word, '0');
    const amount = readInteger(value);
    if (amount === undefined) {
      if (typeof value === 'number' && Number.isInteger(value)) {
        return writing.refuse(`must be in quotes: as a JSON number ${String(value)} is not exact`);
      }
      return writing.refuse(`must be a whole number ${range}, ${notShown(value)}`);
    }
    if (amount < min || amount > max) return writing.refuse(`must be ${range}, ${notShown(value)}`);
    return (amount < 0n ? BigInt.asUintN(256, amount) : amount).toString(16).padStart(word, '0');
  };
}

export const writeBool: WriteValue = (value, writing) => {
  if (value === true || value === 'true') return one;
  if (value === false || value === 'false') return zero;
  return writing.refuse(`must be true or false, ${notShown(value)}`);
};

export const writeAddress: WriteValue = (value, writing) => {
  const digits = typeof value === 'string' ? /^(?:0x)?([0-9a-fA-F]{40})$/.exec(value)?.[1] : undefined;
  if (digits === undefined) {
    return writing.refuse(`must be an address, 0x and 40 hexadecimal digits in quotes, ${notShown(value)}`);
  }
  if (!isAddress(`0x${digits}`)) {
    return writing.refuse(
      `must be an address without a typing error: the letter case of "${String(value)}" is a checksum (EIP-55) and is wrong`,
    );
  }
  return digits.toLowerCase().padStart(word, '0');
};

/** Of 20 bytes. One letter case says nothing; mixed ones must be the right checksum (EIP-55). */
export function isAddress(text: string): boolean {
  const digits = /^0x([0-9a-fA-F]{40})$/.exec(text)?.[1];
  if (digits === undefined) return false;
  const lower = digits.toLowerCase();
  return digits === lower || digits === digits.toUpperCase() || digits === checksummed(lower);
}

export const writeText: WriteValue = (value, writing) => {
  if (typeof value !== 'string') return writing.refuse(`must be text, ${notShown(value)}`);
  const bytes = Buffer.from(value, 'utf8');
  // Half of a surrogate pair is no character: it would arrive as another one.
  if (bytes.toString('utf8') !== value) return writing.refuse('must be text of whole Unicode characters');
  return withLength(bytes.toString('hex'));
};

/**
 * Bytes are given as hexadecimal digits, as base64, or as a list of numbers. Text that begins with 0x is hexadecimal.
 * Other text is hexadecimal when it can be: an even number of digits, of the length that the type has. Anything else must
 * be base64, with its padding; a base64 text of hexadecimal digits only is told apart by the prefix `base64:`.
 */
export function bytesWriter(type: string, length: number | undefined): WriteValue {
  const size = length === undefined ? 'bytes' : `${String(length)} bytes (${type})`;
  return (value, writing) => {
    if (value === '') return writing.refuse('must be "0x" where there are no bytes, not ""');
    const digits = readBytes(value, length);
    if (digits === undefined) {
      return writing.refuse(
        `must be ${size} as 0x and pairs of hexadecimal digits, base64, or a list of 0 to 255, ${notShown(value)}`,
      );
    }
    if (length === undefined) return withLength(digits);
    if (digits.length !== length * 2) return writing.refuse(`must be ${size}, not ${String(digits.length / 2)}`);
    return digits.padEnd(word, '0');
  };
}

/** An offset or a length as a word. */
export function wordOf(size: number): string {
  return size.toString(16).padStart(word, '0');
}

/** `not "abc"`, or what kind of thing it is when that is too long. */
export function notShown(value: unknown): string {
  if (value === undefined) return 'but is missing';
  if (Array.isArray(value)) return `not a list of ${String(value.length)}`;
  if (typeof value === 'object' && value !== null) return 'not an object';
  const text = typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
  return `not ${text.length > 100 ? `${text.slice(0, 100)}…` : text}`;
}

const zero = '0'.repeat(word);
const one = `${'0'.repeat(word - 1)}1`;

function readInteger(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const [, sign, digits] = /^(-?)(\d{1,80}|0x[0-9a-fA-F]{1,64})$/.exec(value) ?? [];
  if (digits === undefined) return undefined;
  return sign === '-' ? -BigInt(digits) : BigInt(digits);
}

function bound(value: bigint): string {
  const text = value.toString();
  if (text.length <= 20) return text;
  const bits = String((value < 0n ? -value - 1n : value).toString(2).length);
  return value < 0n ? `-2^${bits}` : `2^${bits}-1`;
}

function readBytes(value: unknown, length: number | undefined): string | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) {
    const isBytes = value.every((item) => Number.isInteger(item) && Number(item) >= 0 && Number(item) <= 255);
    return isBytes ? Buffer.from(value as number[]).toString('hex') : undefined;
  }
  if (typeof value !== 'string') return undefined;
  if (value.startsWith('0x')) return /^0x(?:[0-9a-fA-F]{2})*$/.test(value) ? value.slice(2).toLowerCase() : undefined;
  if (value.startsWith('base64:')) return readBase64(value.slice('base64:'.length));
  const isHex = /^(?:[0-9a-fA-F]{2})+$/.test(value) && (length === undefined || value.length === length * 2);
  return isHex ? value.toLowerCase() : readBase64(value);
}

function readBase64(text: string): string | undefined {
  const standard = text.replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Buffer.from(standard, 'base64');
  // Decoding skips what does not belong; encoding again shows whether there was any.
  return bytes.toString('base64') === standard ? bytes.toString('hex') : undefined;
}

function withLength(digits: string): string {
  return wordOf(digits.length / 2) + digits.padEnd(Math.ceil(digits.length / word) * word, '0');
}

function checksummed(lower: string): string {
  const hash = keccak256(Buffer.from(lower, 'utf8'));
  let text = '';
  for (let index = 0; index < lower.length; index++) {
    const digit = lower.charAt(index);
    text += parseInt(hash.charAt(index + 2), 16) >= 8 ? digit.toUpperCase() : digit;
  }
  return text;
}
