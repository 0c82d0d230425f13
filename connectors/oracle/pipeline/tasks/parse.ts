import { isUtf8 } from 'node:buffer';
import { describeMissing, findAt, readDocument } from '../../json-path.js';
import { parseCbor, parseDietCbor } from '../cbor.js';
import type { TaskType } from '../task-type.js';
import { isBytes, isList, refusal, shownValue, toBoolean, toBytes, toText, type Value } from '../value.js';

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
    const found = findAt(readDocument(textOf(params.getOrInput('data'))), path);
    if ('value' in found) return found.value;
    if (isLax) return null;
    throw refusal(
      describeMissing(found.missing, path.join(separator)),
      'Correct the path, or set lax="true" to go on with null.',
    );
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

function textOf(data: Value): string {
  if (typeof data === 'string') return data;
  if (isBytes(data) && isUtf8(data)) return Buffer.from(data).toString('utf8');
  throw refusal(`data must be JSON text, not ${shownValue(data)}`);
}

function pathOf(path: Value | undefined, separator: string): readonly string[] {
  if (path === undefined || path === '' || path === null) return [];
  const steps = isList(path)
    ? path.map((step) => toText(step, 'A step of the path'))
    : toText(path, 'path').split(separator);
  if (steps.length > mostSteps) throw refusal(`The path has more than ${String(mostSteps)} steps`);
  return steps;
}
