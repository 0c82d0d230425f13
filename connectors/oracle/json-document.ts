import { PatchbayError } from '#sdk';
import { isDecimal, parseDecimal, shown, type Decimal } from './decimal.js';
import { parseExactJson } from './pipeline/exact-json.js';
import { isList, isMap, shownValue, type Value } from './pipeline/value.js';

/** Keys and places of lists; places count from the end when they are negative. */
export type JsonPath = readonly string[];

/**
 * The number at a place in JSON text, with all its digits; also one that is written as text.
 *
 * @throws oracle.answer for what is no JSON, has no such place, or has something else there than a number
 */
export function decimalAt(text: string, path: JsonPath): Decimal {
  let value = parseDocument(text);
  for (const step of path) {
    const next = enter(value, step);
    if (next === undefined) {
      throw refusal(`The answer has no ${path.join(',')}: ${shownValue(value)} has no ${step}`);
    }
    value = next;
  }
  if (typeof value === 'string' || isDecimal(value)) return parseDecimal(value, 'The value');
  throw refusal(`The value must be a decimal number, not ${value === null ? 'null' : shownValue(value)}`);
}

function parseDocument(text: string): Value {
  try {
    return parseExactJson(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    // Also when it is nested deeper than the stack.
    if (!(error instanceof SyntaxError) && !(error instanceof RangeError)) throw error;
    throw refusal(`The answer is no JSON; it begins ${shown(text.slice(0, 60))}`);
  }
}

function enter(value: Value, step: string): Value | undefined {
  if (isMap(value)) return Object.hasOwn(value, step) ? value[step] : undefined;
  if (!isList(value) || !/^-?\d{1,9}$/.test(step)) return undefined;
  return value.at(Number(step));
}

function refusal(detail: string): PatchbayError {
  return new PatchbayError('oracle.answer', { detail });
}
