import { Tag, decodeSequence, type DecodeOptions } from 'cbor2';
import { PatchbayError } from '#sdk';

const maxDepth = 16;
const maxItems = 1_000;
const shownBytes = 200;

/** Names that a careless reader of the parameters would take for something else. */
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The parameters of a request, which contracts write as CBOR: keys and values in a row, or a map. Text stays text, whole
 * numbers of any size are decimal text, fractions too, bytes 0x hex; of keys that come twice the last one counts. What
 * stands behind a complete map is ignored, as nodes have always done.
 *
 * @throws oracle.data when it is none, or larger or deeper than a request needs to be
 */
export function readRequestData(hex: string): Record<string, unknown> {
  return paramsOf(decodeEntries(Buffer.from(hex.slice(2), 'hex')), { items: 0 }, 0);
}

/**
 * Keys and values in a row, without the marks of a map around them, or a map; as {@link decodeCbor} gives them.
 *
 * @throws oracle.data
 */
export function decodeEntries(bytes: Uint8Array): unknown {
  const [first] = bytes;
  if (first === undefined) return new Map();
  // It would end the map before it has begun, and garbage would pass for a request without parameters.
  if (first === 0xff) throw refuse('begins with an end');
  const isMap = first >> 5 === 5;
  return decodeCbor(isMap ? bytes : Uint8Array.of(0xbf, ...bytes, 0xff));
}

const tags: NonNullable<DecodeOptions['tags']> = new Map([
  [2, ({ contents }: { contents: unknown }) => magnitude(contents)],
  [3, ({ contents }: { contents: unknown }) => -1n - magnitude(contents)],
]);

/**
 * The first value of CBOR, as it was written: maps are `Map`s, whole numbers beyond 2^53 bigints, bytes arrays of them.
 *
 * @throws oracle.data
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  try {
    // The depth of the library counts some levels twice; ours is checked afterwards.
    return decodeSequence(bytes, { preferMap: true, ignoreGlobalTags: true, tags, maxDepth: 4 * maxDepth }).next()
      .value;
  } catch (error) {
    throw new PatchbayError('oracle.data', {
      detail: `The data of the request is no CBOR that can be read: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    });
  }
}

function magnitude(contents: unknown): bigint {
  if (!(contents instanceof Uint8Array)) throw new TypeError('A large number has to be made of bytes');
  return BigInt(`0x${Buffer.from(contents).toString('hex') || '0'}`);
}

interface Count {
  items: number;
}

function paramsOf(map: unknown, count: Count, depth: number): Record<string, unknown> {
  if (!(map instanceof Map)) throw refuse('is no list of names and values');
  const params: Record<string, unknown> = {};
  for (const [key, value] of map as ReadonlyMap<unknown, unknown>) {
    if (typeof key !== 'string') throw refuse('has a name that is no text');
    if (forbiddenKeys.has(key)) throw refuse(`has the name ${key}`);
    params[key] = valueOf(value, count, depth + 1);
  }
  return params;
}

function valueOf(value: unknown, count: Count, depth: number): unknown {
  if (++count.items > maxItems) throw refuse(`has more than ${String(maxItems)} values`);
  if (depth > maxDepth) throw refuse(`is nested more than ${String(maxDepth)} levels deep`);
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'bigint':
      return value.toString();
    case 'number':
      if (Number.isFinite(value)) return plainText(value);
      throw refuse('has a number that is none');
    default:
      break;
  }
  if (value === null) return null;
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map((item) => valueOf(item, count, depth + 1));
  if (value instanceof Map) return paramsOf(value, count, depth);
  if (value instanceof Tag)
    throw refuse(`has the tag ${String(value.tag).slice(0, shownBytes)}, which means nothing here`);
  throw refuse('has a value of a kind that is not known here');
}

/** Without an exponent where that is a whole number, since readers expect digits. */
function plainText(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

function refuse(because: string): PatchbayError {
  return new PatchbayError('oracle.data', { detail: `The data of the request ${because}.` });
}
