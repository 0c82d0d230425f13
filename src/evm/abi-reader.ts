import { isUtf8 } from 'node:buffer';
import { argumentNames, type AbiParameter } from './abi.js';
import { isDynamic, typeOf } from './abi-type.js';
import { word } from './abi-values.js';

/** What the reading of one log or answer shares: its limits, and whether something had to be shown differently. */
export interface Reading {
  /** Elements that may still be read. Offsets may overlap, so that a short text can describe an endless value. */
  elements: number;
  /** Digits of text and bytes that may still be read: where nothing overlaps, these are no more than there are. */
  digits: number;
  /** Text was not valid UTF-8 or contained what PostgreSQL cannot store. */
  isAltered: boolean;
}

export function startReading(hex: string, elements = 10_000): Reading {
  return { elements, digits: hex.length, isAltered: false };
}

/**
 * Reads one value. `hex` has no 0x; positions count hexadecimal digits. `base` is where offsets count from,
 * `at` is where the head of the value lies.
 */
export type Reader = (hex: string, base: number, at: number, reading: Reading) => unknown;

/** Builds the reader of a type once, so that reading a value looks at no type any more. */
export function compileReader(parameter: AbiParameter): Reader {
  const type = typeOf(parameter);
  switch (type.kind) {
    case 'list':
      return arrayReader(type.element, type.length);
    case 'tuple':
      return tupleReader(type.components);
    case 'integer':
      return type.isSigned ? signedReader(type.bits) : unsignedReader(type.bits);
    case 'bytes':
      return type.length === undefined ? readBytes : fixedBytesReader(type.length);
    case 'address':
      return readAddress;
    case 'bool':
      return readBool;
    case 'string':
      return readString;
  }
}

/** Digits that the head of a value takes: an offset, or the value itself. */
export function headSize(parameter: AbiParameter): number {
  if (isDynamic(parameter)) return word;
  const type = typeOf(parameter);
  if (type.kind === 'list') return (type.length ?? 0) * headSize(type.element);
  if (type.kind === 'tuple') return type.components.reduce((sum, part) => sum + headSize(part), 0);
  return word;
}

type TupleReader = (hex: string, at: number, reading: Reading) => Record<string, unknown>;

const tupleReaders = new WeakMap<readonly AbiParameter[], TupleReader>();

/** Reads a list of parameters as an object, e.g. the arguments of an error that begin at `at`. Built once per list. */
export function tupleReaderOf(parameters: readonly AbiParameter[]): TupleReader {
  let reader = tupleReaders.get(parameters);
  if (!reader) {
    const read = tupleReader(parameters, false);
    reader = (hex, at, reading) => read(hex, at, at, reading);
    tupleReaders.set(parameters, reader);
  }
  return reader;
}

class OutOfBounds extends RangeError {}

const zeros = '0'.repeat(word);

function need(hex: string, at: number, digits: number): void {
  if (at + digits > hex.length) throw new OutOfBounds('the data ends too early');
}

const readAddress: Reader = (hex, _base, at) => {
  need(hex, at, word);
  if (!hex.startsWith(zeros.slice(0, 24), at)) throw new RangeError('the address is longer than 20 bytes');
  return `0x${hex.slice(at + 24, at + word).toLowerCase()}`;
};

const readBool: Reader = (hex, _base, at) => {
  need(hex, at, word);
  return hex.slice(at, at + word) !== zeros;
};

function unsignedReader(bits: number): Reader {
  const digits = bits / 4;
  const shown = Math.min(13, digits);
  const zeroDigits = digits - shown;
  return (hex, _base, at) => {
    need(hex, at, word);
    const start = at + word - digits;
    // 13 digits are 52 bits: exact as a number, and most values on a chain are that small.
    if (zeroDigits === 0 || hex.startsWith(zeros.slice(0, zeroDigits), start)) {
      return String(parseInt(hex.slice(at + word - shown, at + word), 16));
    }
    return BigInt(`0x${hex.slice(start, at + word)}`).toString();
  };
}

function signedReader(bits: number): Reader {
  const digits = bits / 4;
  return (hex, _base, at) => {
    need(hex, at, word);
    return BigInt.asIntN(bits, BigInt(`0x${hex.slice(at + word - digits, at + word)}`)).toString();
  };
}

function fixedBytesReader(bytes: number): Reader {
  return (hex, _base, at) => {
    need(hex, at, word);
    return `0x${hex.slice(at, at + bytes * 2).toLowerCase()}`;
  };
}

const readBytes: Reader = (hex, base, at, reading) => {
  const { start, end } = span(hex, base, at, reading);
  return `0x${hex.slice(start, end).toLowerCase()}`;
};

const readString: Reader = (hex, base, at, reading) => {
  const { start, end } = span(hex, base, at, reading);
  const bytes = Buffer.from(hex.slice(start, end), 'hex');
  if (!isUtf8(bytes)) reading.isAltered = true;
  const text = bytes.toString('utf8');
  if (!text.includes('\0')) return text;
  reading.isAltered = true;
  return text.replaceAll('\0', '\u2400');
};

/** Where the content of a `string` or `bytes` lies. */
function span(hex: string, base: number, at: number, reading: Reading): { start: number; end: number } {
  const head = follow(hex, base, at);
  const start = head + word;
  const end = start + readSmall(hex, head) * 2;
  if (end > hex.length) throw new OutOfBounds('the data ends too early');
  if (end - start > reading.digits) throw new OutOfBounds('the same content is used many times');
  reading.digits -= end - start;
  return { start, end };
}

function follow(hex: string, base: number, at: number): number {
  return base + readSmall(hex, at) * 2;
}

/** An offset or a length: anything that does not fit far into the data is a lie. */
function readSmall(hex: string, at: number): number {
  need(hex, at, word);
  if (!hex.startsWith(zeros.slice(0, word - 8), at)) throw new OutOfBounds('an offset or a length is beyond the data');
  return parseInt(hex.slice(at + word - 8, at + word), 16);
}

function arrayReader(element: AbiParameter, fixedLength: number | undefined): Reader {
  const read = compileReader(element);
  const size = headSize(element);
  const isBehindOffset = fixedLength === undefined || isDynamic(element);
  return (hex, base, at, reading) => {
    let start = isBehindOffset ? follow(hex, base, at) : at;
    let length = fixedLength;
    if (length === undefined) {
      length = readSmall(hex, start);
      start += word;
    }
    // An element of no size needs no data, so only the budget bounds its count.
    if (length > reading.elements || start + length * size > hex.length) throw new OutOfBounds('the list is too long');
    reading.elements -= length;
    const values = new Array<unknown>(length);
    for (let index = 0; index < length; index++) values[index] = read(hex, start, start + index * size, reading);
    return values;
  };
}

function tupleReader(
  components: readonly AbiParameter[],
  isBehindOffset = components.some(isDynamic),
): (...args: Parameters<Reader>) => Record<string, unknown> {
  const names = argumentNames(components);
  let offset = 0;
  const parts = components.map((component, index) => {
    const part = { name: names[index]!, read: compileReader(component), offset };
    offset += headSize(component);
    return part;
  });
  return (hex, base, at, reading) => {
    const start = isBehindOffset ? follow(hex, base, at) : at;
    const value: Record<string, unknown> = {};
    for (const part of parts) value[part.name] = part.read(hex, start, start + part.offset, reading);
    return value;
  };
}
