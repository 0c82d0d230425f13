import { PatchbayError } from '#sdk';
import { argumentNames, type AbiParameter } from './abi.js';
import { typeOf } from './abi-type.js';
import {
  bytesWriter,
  integerWriter,
  notShown,
  word,
  wordOf,
  writeAddress,
  writeBool,
  writeText,
  type WriteValue,
} from './abi-values.js';
import type { Writing } from './abi-writing.js';

/** Writes the values of one type. When one does not fit, the fault is told to the writing and the digits mean nothing. */
export interface Writer {
  /** Lies behind an offset, because its length is its own. */
  readonly isDynamic: boolean;
  /** Digits that it takes where it stands: itself, or the offset. */
  readonly headSize: number;
  readonly encode: WriteValue;
  /** What is hashed for a topic: whole words without any offset or length. */
  readonly pack: WriteValue;
}

/** Types that are nested deeper than any contract does are an attack on the stack. */
const maxDepth = 32;

const writers = new WeakMap<readonly AbiParameter[], Writer>();

/** Of a list of parameters, given by name or by position. Built once per list, so that encoding looks at no type any more. */
export function writerOf(parameters: readonly AbiParameter[]): Writer {
  let writer = writers.get(parameters);
  if (!writer) {
    writer = tupleWriter(parameters, 0);
    writers.set(parameters, writer);
  }
  return writer;
}

/** @throws evm.arguments when the ABI uses a type that is not known */
export function compileWriter(parameter: AbiParameter, depth = 0): Writer {
  if (depth > maxDepth) {
    throw new PatchbayError('evm.arguments', { detail: `The ABI nests types deeper than ${String(maxDepth)}` });
  }
  const type = typeOf(parameter);
  switch (type.kind) {
    case 'list':
      return listWriter(compileWriter(type.element, depth + 1), type.length);
    case 'tuple':
      return tupleWriter(type.components, depth);
    case 'integer':
      return inPlace(integerWriter(parameter.type, type.isSigned, type.bits));
    case 'bool':
      return inPlace(writeBool);
    case 'address':
      return inPlace(writeAddress);
    case 'string':
      return behindOffset(writeText);
    case 'bytes': {
      const write = bytesWriter(parameter.type, type.length);
      return type.length === undefined ? behindOffset(write) : inPlace(write);
    }
  }
}

function inPlace(encode: WriteValue): Writer {
  return { isDynamic: false, headSize: word, encode, pack: encode };
}

function behindOffset(encode: WriteValue): Writer {
  return { isDynamic: true, headSize: word, encode, pack: (value, writing) => encode(value, writing).slice(word) };
}

function listWriter(element: Writer, length: number | undefined): Writer {
  const each = (value: unknown, writing: Writing, write: WriteValue): string[] => {
    if (!Array.isArray(value)) {
      writing.refuse(`must be a list, ${notShown(value)}`);
      return [];
    }
    if (length !== undefined && value.length !== length) {
      writing.refuse(`must be a list of ${String(length)}, not of ${String(value.length)}`);
    }
    if (!writing.take(value.length)) return [];
    return value.map((item: unknown, index) => {
      writing.enterElement(index);
      const digits = write(item, writing);
      writing.leave();
      return digits;
    });
  };
  const isDynamic = length === undefined || element.isDynamic;
  return {
    isDynamic,
    headSize: isDynamic ? word : length * element.headSize,
    encode: (value, writing) => {
      const items = each(value, writing, element.encode);
      const content = element.isDynamic ? layOut(items, () => true, items.length * word) : items.join('');
      return length === undefined ? wordOf(items.length) + content : content;
    },
    pack: (value, writing) => each(value, writing, element.pack).join(''),
  };
}

interface Part {
  readonly name: string;
  /** Of an argument without a name, another one by which existing clients call it. */
  readonly alias: string | undefined;
  readonly writer: Writer;
}

function tupleWriter(components: readonly AbiParameter[], depth: number): Writer {
  const names = argumentNames(components);
  const parts = components.map((component, index): Part => {
    const alias = index === 0 ? 'input' : `input${String(index)}`;
    return {
      name: names[index]!,
      alias: component.name || names.includes(alias) ? undefined : alias,
      writer: compileWriter(component, depth + 1),
    };
  });
  const isDynamic = parts.some(({ writer }) => writer.isDynamic);
  const size = parts.reduce((sum, { writer }) => sum + writer.headSize, 0);
  const isBehindOffset = (index: number): boolean => parts[index]!.writer.isDynamic;
  return {
    isDynamic,
    headSize: isDynamic ? word : size,
    encode: (value, writing) => layOut(writeParts(parts, 'encode', value, writing), isBehindOffset, size),
    pack: (value, writing) => writeParts(parts, 'pack', value, writing).join(''),
  };
}

function writeParts(parts: readonly Part[], how: 'encode' | 'pack', value: unknown, writing: Writing): string[] {
  if (Array.isArray(value)) return writeInOrder(parts, how, value, writing);
  if (typeof value !== 'object' || value === null) {
    writing.refuse(
      `must be ${parts.length === 0 ? 'empty' : `an object with ${namesOf(parts)}, or a list`}, ${notShown(value)}`,
    );
    return [];
  }
  // What JSON calls an object; own members only, since an argument may well be named toString.
  const given = value as Readonly<Record<string, unknown>>;
  const keys = parts.map(({ name, alias }) =>
    alias !== undefined && !Object.hasOwn(given, name) && Object.hasOwn(given, alias) ? alias : name,
  );
  const digits = parts.map(({ writer }, index) => {
    const key = keys[index]!;
    writing.enterMember(key, key);
    const written = writer[how](Object.hasOwn(given, key) ? given[key] : undefined, writing);
    writing.leave();
    return written;
  });
  refuseUnknown(parts, Object.keys(given), keys, writing);
  return digits;
}

function writeInOrder(
  parts: readonly Part[],
  how: 'encode' | 'pack',
  values: readonly unknown[],
  writing: Writing,
): string[] {
  if (values.length !== parts.length) {
    const wanted = parts.length === 0 ? 'no values' : `${counted(parts.length)} (${namesOf(parts)})`;
    writing.refuse(`must have ${wanted}, not ${String(values.length)}`);
  }
  return parts.slice(0, values.length).map(({ name, writer }, index) => {
    writing.enterMember(index, name);
    const written = writer[how](values[index], writing);
    writing.leave();
    return written;
  });
}

function refuseUnknown(
  parts: readonly Part[],
  given: readonly string[],
  known: readonly string[],
  writing: Writing,
): void {
  for (const key of given) {
    if (known.includes(key)) continue;
    writing.enterMember(key, key);
    writing.refuse(parts.length === 0 ? 'is not known: nothing is taken' : `is not known, there is ${namesOf(parts)}`);
    writing.leave();
  }
}

/** Heads in order, then what they point to. */
function layOut(parts: readonly string[], isBehindOffset: (index: number) => boolean, headSize: number): string {
  let heads = '';
  let tails = '';
  for (const [index, digits] of parts.entries()) {
    if (isBehindOffset(index)) {
      heads += wordOf((headSize + tails.length) / 2);
      tails += digits;
    } else {
      heads += digits;
    }
  }
  return heads + tails;
}

function namesOf(parts: readonly Part[]): string {
  return parts.map(({ name }) => name).join(', ');
}

function counted(values: number): string {
  return values === 1 ? '1 value' : `${String(values)} values`;
}
