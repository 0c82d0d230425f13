import { isUtf8 } from 'node:buffer';
import { parseCbor, parseDietCbor } from '../cbor.js';
import { parseExactJson } from '../exact-json.js';
import type { TaskType } from '../task-type.js';
import { isBytes, isList, isMap, refusal, shownValue, toBoolean, toBytes, toText, type Value } from '../value.js';

const mostSteps = 100;

/** A value inside JSON text. Numbers keep all their digits, also those with a fraction or an exponent. */
export const jsonparse: TaskType = {
  attributes: ['data', 'path', 'separator', 'lax'],
  mostInputs: 1,
  run({ params }) {
    const separator = params.text('separator') ?? ',';
    const path = pathOf(params.find('path'), separator);
    const lax = params.find('lax');
    const isLax = lax !== undefined && toBoolean(lax, 'lax');
    let value = parseDocument(params.getOrInput('data'));
    for (const step of path) {
      const next = enter(value, step);
      if (next === undefined) {
        if (isLax) return null;
        throw refusal(
          `The answer has no ${path.join(separator)}: ${shownValue(value)} has no ${step}`,
          'Correct the path, or set lax="true" to go on with null.',
        );
      }
      value = next;
    }
    return value;
  },
};

/** `diet` is what requests carry, `standard` any value. */
export const cborparse: TaskType = {
  attributes: ['data', 'mode'],
  mostInputs: 1,
  problems(textOf) {
    const mode = textOf('mode');
    if (mode === undefined || mode === 'diet' || mode === 'standard') return [];
    return [{ attribute: 'mode', detail: `mode must be diet or standard, not ${mode}.` }];
  },
  run({ params }) {
    const data = toBytes(params.getOrInput('data'), 'data');
    const mode = params.find('mode') ?? 'diet';
    if (mode === 'diet') return parseDietCbor(data);
    if (mode === 'standard') return parseCbor(data);
    throw refusal(`mode must be diet or standard, not ${shownValue(mode)}`);
  },
};

function parseDocument(data: Value): Value {
  if (typeof data !== 'string' && !(isBytes(data) && isUtf8(data))) {
    throw refusal(`data must be JSON text, not ${shownValue(data)}`);
  }
  const text = typeof data === 'string' ? data : Buffer.from(data).toString('utf8');
  try {
    return parseExactJson(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw refusal(
      `The answer is no JSON: ${error instanceof Error ? error.message : String(error)}; it begins ${shownValue(text.slice(0, 60))}`,
    );
  }
}

function pathOf(path: Value | undefined, separator: string): readonly string[] {
  if (path === undefined || path === '' || path === null) return [];
  const steps = isList(path)
    ? path.map((step) => toText(step, 'A step of the path'))
    : toText(path, 'path').split(separator);
  if (steps.length > mostSteps) throw refusal(`The path has more than ${String(mostSteps)} steps`);
  return steps;
}

/** Undefined when there is nothing. Places of a list count from its end when they are negative. */
function enter(value: Value, step: string): Value | undefined {
  if (isMap(value)) return Object.hasOwn(value, step) ? value[step] : undefined;
  if (!isList(value) || !/^-?\d{1,9}$/.test(step)) return undefined;
  return value.at(Number(step));
}
