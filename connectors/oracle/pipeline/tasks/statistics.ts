import { formatDecimal, isDecimal, parseDecimal, type Decimal } from '../../decimal.js';
import { formatExactJson } from '../exact-json.js';
import type { TaskCall, TaskType } from '../task-type.js';
import { formatHex, isBytes, mapOf, refusal, toCount, toDecimal, type Value } from '../value.js';
import { quotient } from './arithmetic.js';

export const sum: TaskType = {
  attributes: ['values', 'allowedFaults'],
  toleratesFaults: true,
  run: (call) => total(goodDecimals(call)),
};

export const mean: TaskType = {
  attributes: ['values', 'allowedFaults', 'precision'],
  toleratesFaults: true,
  run(call) {
    const values = goodDecimals(call);
    const precision = call.params.find('precision');
    return quotient(
      total(values),
      parseDecimal(values.length),
      precision === undefined ? undefined : toCount(precision, 'precision'),
    );
  },
};

export const median: TaskType = {
  attributes: ['values', 'allowedFaults'],
  toleratesFaults: true,
  run(call) {
    const values = [...goodDecimals(call)].sort((a, b) => a.cmp(b));
    const middle = Math.floor(values.length / 2);
    if (values.length % 2 === 1) return values[middle]!;
    return quotient(values[middle - 1]!.plus(values[middle]!), parseDecimal(2));
  },
};

/** What is there most often, and how often; several when they are equally frequent. */
export const mode: TaskType = {
  attributes: ['values', 'allowedFaults'],
  toleratesFaults: true,
  run(call) {
    const counts = new Map<string, { readonly value: Value; count: number }>();
    for (const value of goodValues(call)) {
      const text = printed(value);
      const known = counts.get(text);
      if (known) known.count++;
      else counts.set(text, { value, count: 1 });
    }
    const most = Math.max(...[...counts.values()].map(({ count }) => count));
    return mapOf([
      ['results', [...counts.values()].flatMap(({ value, count }) => (count === most ? [value] : []))],
      ['occurrences', parseDecimal(most)],
    ]);
  },
};

/** One of the results before it that are no errors, by chance. */
export const any: TaskType = {
  attributes: [],
  toleratesFaults: true,
  run({ params, ports, task }) {
    const good = params.inputs.flatMap(({ outcome }) => ('value' in outcome ? [outcome.value] : []));
    if (good.length === 0) throw refusal(`No task before ${task.id} has a result`);
    return good[Math.min(good.length - 1, Math.floor(ports.random() * good.length))]!;
  },
};

function total(values: readonly Decimal[]): Decimal {
  return values.reduce((sofar, value) => sofar.plus(value), parseDecimal(0));
}

function goodDecimals(call: TaskCall): readonly Decimal[] {
  return goodValues(call).map((value) => toDecimal(value, `A value of the task ${call.task.id}`));
}

/** Nodes are content with one good value unless the job says how many may be missing. */
function goodValues({ params, task }: TaskCall): readonly Value[] {
  const outcomes = params.outcomes('values');
  const good = outcomes.flatMap((outcome) => ('value' in outcome ? [outcome.value] : []));
  const faults = outcomes.length - good.length;
  const given = params.find('allowedFaults');
  const allowed = given === undefined ? Math.max(0, outcomes.length - 1) : toCount(given, 'allowedFaults');
  const failed = outcomes.find((outcome) => 'error' in outcome);
  if (faults > allowed && failed && 'error' in failed) {
    throw refusal(
      `${String(faults)} of the ${String(outcomes.length)} values of the task ${task.id} are missing, and ${String(allowed)} may be. The first one: ${failed.error.detail}`,
    );
  }
  if (good.length === 0) throw refusal(`The task ${task.id} has no values`);
  return good;
}

function printed(value: Value): string {
  if (isDecimal(value)) return formatDecimal(value);
  if (isBytes(value)) return formatHex(value);
  return typeof value === 'string' ? value : formatExactJson(value);
}
