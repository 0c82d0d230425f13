import type { z } from '#sdk';
import { coerce } from './coercion.js';
import { findDifferences } from './difference.js';
import type { RehearsedRun } from './flow-test.rehearsal.js';
import type { FlowTestCase } from './flow-test.schema.js';
import type { Path } from './path.js';
import { toPlainData } from './plain-data.js';
import { toJson } from './template.helpers.js';
import type { Vocabulary } from './vocabulary.js';

export interface Mismatch {
  /** Below the test. */
  readonly path: Path;
  readonly rule: 'unexpected-end' | 'unexpected-call' | 'missing-call' | 'unexpected-steps' | 'unexpected-error';
  readonly detail: string;
  readonly fix?: string | undefined;
}

/** How a run differs from what its test expects. */
export function compareRun({ then }: FlowTestCase, run: RehearsedRun, vocabulary: Vocabulary): readonly Mismatch[] {
  if (then.run !== run.ended) return [compareEnd(then.run, run)];
  return [
    ...(then.error === undefined || then.error === run.error?.code ? [] : [compareError(then.error, run)]),
    ...(then.calls ? compareCalls(then.calls, run, vocabulary) : []),
    ...compareSteps('failed', then.failed, run.failed),
    ...compareSteps('skipped', then.skipped, run.skipped),
  ];
}

function compareEnd(expected: string, run: RehearsedRun): Mismatch {
  const { error } = run;
  const reason = error
    ? ` ${error.step === undefined ? '' : `Step ${error.step}: `}${error.code}: ${error.message}`
    : '';
  return {
    path: ['then', 'run'],
    rule: 'unexpected-end',
    detail: `Expected the run to be ${expected}, and it was ${run.ended}.${reason}`,
    fix: missingAnswer(run),
  };
}

/** Steps without an answer give nothing; whoever refers to it should learn that the test has to say it. */
function missingAnswer({ error, unanswered }: RehearsedRun): string | undefined {
  if (error?.code !== 'template.missingValue') return undefined;
  const [, step, field] = /no value at steps\.([A-Za-z0-9_]+)(?:\.([^\s.]+))?/.exec(error.message) ?? [];
  if (step === undefined || !unanswered.includes(step)) return undefined;
  return `The test gives no answer of ${step}. Add under given: steps.${step}: { ${field ?? 'id'}: … }`;
}

function compareError(expected: string, { error }: RehearsedRun): Mismatch {
  return {
    path: ['then', 'error'],
    rule: 'unexpected-error',
    detail: `Expected the error ${expected}, and it was ${error ? `${error.code}: ${error.message}` : 'none'}`,
  };
}

function compareSteps(
  list: 'failed' | 'skipped',
  expected: readonly string[] | undefined,
  received: readonly string[],
): readonly Mismatch[] {
  if (!expected || sorted(expected) === sorted(received)) return [];
  const detail = `Expected ${list}: [${expected.join(', ')}], received [${received.join(', ')}].`;
  return [{ path: ['then', list], rule: 'unexpected-steps', detail }];
}

function sorted(names: readonly string[]): string {
  return [...names].sort().join();
}

function compareCalls(
  expected: readonly Record<string, unknown>[],
  run: RehearsedRun,
  vocabulary: Vocabulary,
): readonly Mismatch[] {
  return Array.from({ length: Math.max(expected.length, run.calls.length) }).flatMap(
    (_, index): readonly Mismatch[] => {
      const [wanted] = Object.entries(expected[index] ?? {});
      const call = run.calls[index];
      const path = ['then', 'calls', index];
      if (!wanted) {
        return [
          {
            path: ['then', 'calls'],
            rule: 'unexpected-call',
            detail: `Call ${index + 1} was not expected: ${call?.uses} ${toJson(call?.input)}`,
          },
        ];
      }
      const [uses, input] = wanted;
      if (!call) return [{ path, rule: 'missing-call', detail: `Call ${index + 1} to ${uses} was not made.` }];
      if (uses !== call.uses) {
        return [
          {
            path,
            rule: 'unexpected-call',
            detail: `Expected call ${index + 1} to be ${uses}, and it was ${call.uses} ${toJson(call.input)}`,
          },
        ];
      }
      return compareInputs(uses, input, call.input, vocabulary).map((mismatch) => ({
        ...mismatch,
        path: [...path, uses, ...mismatch.path],
      }));
    },
  );
}

function compareInputs(
  uses: string,
  expected: unknown,
  received: unknown,
  vocabulary: Vocabulary,
): readonly Mismatch[] {
  const schema = vocabulary.action(uses)?.input as z.ZodType | undefined;
  const wanted = schema ? asInput(expected ?? {}, schema) : expected;
  return findDifferences(wanted, toPlainData(received)).map(({ path, expected: one, received: other }) => ({
    path,
    rule: 'unexpected-call',
    detail: `${path.join('.') || 'input'}: expected ${show(one)}, received ${show(other)}`,
  }));
}

/** With the defaults and the spelling that the action's schema gives every input. */
function asInput(value: unknown, schema: z.ZodType): unknown {
  const coerced = coerce(value, schema);
  const result = schema.safeParse(coerced);
  return toPlainData(result.success ? result.data : coerced);
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : toJson(value);
}
