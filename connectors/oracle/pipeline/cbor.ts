import { parseDecimal } from '../decimal.js';
import { decodeCbor, decodeEntries } from '../request-data.js';
import { isBytes, mapOf, refusal, type Value } from './value.js';

const deepest = 16;

/** What a request carries. Of a key that is there twice the last one counts. @throws oracle.data, oracle.answer */
export function parseDietCbor(bytes: Uint8Array): Value {
  return valueOf(decodeEntries(bytes), 0);
}

/** @throws oracle.data, oracle.answer */
export function parseCbor(bytes: Uint8Array): Value {
  return valueOf(decodeCbor(bytes), 0);
}

function valueOf(decoded: unknown, depth: number): Value {
  if (depth > deepest) throw refusal(`The data is nested more than ${String(deepest)} levels deep`);
  if (decoded === undefined || decoded === null) return null;
  if (typeof decoded === 'string' || typeof decoded === 'boolean' || isBytes(decoded)) return decoded;
  if (typeof decoded === 'bigint' || typeof decoded === 'number') return parseDecimal(decoded, 'A number of the data');
  if (Array.isArray(decoded)) return decoded.map((item) => valueOf(item, depth + 1));
  if (decoded instanceof Map) {
    return mapOf([...decoded].map(([key, item]) => [keyOf(key), valueOf(item, depth + 1)] as const));
  }
  throw refusal('The data has something in it that is neither text nor number, bytes, list or map');
}

function keyOf(key: unknown): string {
  if (typeof key === 'string') return key;
  throw refusal('A key of the data is no text');
}
