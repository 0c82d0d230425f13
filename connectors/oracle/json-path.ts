import { isDecimal, parseDecimal, shown, type Decimal } from './decimal.js';
import { parseExactJson } from './pipeline/exact-json.js';
import { isList, isMap, refusal, shownValue, type Value } from './pipeline/value.js';

/** Keys and places of lists; places count from the end when they are negative. */
export type JsonPath = readonly string[];

/** `missing`: the step that leads nowhere, and what it was taken in. */
export type Found<Json> =
  { readonly value: Json } | { readonly missing: { readonly step: string; readonly from: Json } };

/** What lies at a place of JSON, whether or not its numbers are exact. */
export function findAt<Json>(document: Json, path: JsonPath): Found<Json> {
  let value = document;
  for (const step of path) {
    const next = enter(value, step);
    if (next === undefined) return { missing: { step, from: value } };
    value = next as Json;
  }
  return { value };
}

/** @throws oracle.answer for what is no JSON */
export function readDocument(text: string): Value {
  try {
    return parseExactJson(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    // Also when it is nested deeper than the stack.
    if (!(error instanceof SyntaxError) && !(error instanceof RangeError)) throw error;
    throw refusal(`The answer is no JSON; it begins ${shown(text.slice(0, 60))}`);
  }
}

/**
 * The number at a place in JSON text, with all its digits; also one that is written as text.
 *
 * @throws oracle.answer for what is no JSON, has no such place, or has something else there than a number
 */
export function decimalAt(text: string, path: JsonPath): Decimal {
  const found = findAt(readDocument(text), path);
  if ('missing' in found) throw refusal(describeMissing(found.missing, path.join(',')));
  const { value } = found;
  if (typeof value === 'string' || isDecimal(value)) return parseDecimal(value, 'The value');
  throw refusal(`The value must be a decimal number, not ${value === null ? 'null' : shownValue(value)}`);
}

export function describeMissing({ step, from }: { readonly step: string; readonly from: Value }, path: string): string {
  return `The answer has no ${path}: ${shownValue(from)} has no ${step}`;
}

function enter(value: unknown, step: string): unknown {
  if (isList(value)) return /^-?\d{1,9}$/.test(step) ? value.at(Number(step)) : undefined;
  return isMap(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}
