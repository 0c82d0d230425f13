import { createHash } from 'node:crypto';
import { PatchbayError, type Fault } from '#sdk';
import { coerce } from './coercion.js';
import type { Flow, LoadedFlow, RetryPolicy, Step } from './flow.js';
import { lintFlow } from './flow.linter.js';
import { flowSchema, type FlowDocument, type RetryDocument, type StepDocument } from './flow.schema.js';
import { defaultRetry } from './retry.js';
import { compileFlow } from './run.js';
import { describeIssues } from './schema-faults.js';
import { compileValue } from './template.js';
import type { Vocabulary } from './vocabulary.js';
import { parseYaml, type YamlDocument } from './yaml-document.js';

/** Nobody reads more, and a hostile document could have tens of thousands. */
const maxFaults = 100;

export interface LoadOptions {
  readonly vocabulary: Vocabulary;
  /** Named in every fault. */
  readonly file?: string;
  /** Name of each connection, and its connector. Absent: names of connections are not checked. */
  readonly connections?: ReadonlyMap<string, string>;
  /** What flows may read as `env`; it is filled into the trigger's inputs at once. Absent: names are not checked. */
  readonly env?: Readonly<Record<string, string>>;
  /** Spreads retries, see {@link compileFlow}. */
  readonly random?: () => number;
}

/** Reads, checks and compiles a flow. Every fault of the document is reported at once, each with its place and remedy. */
export function loadFlow(text: string, options: LoadOptions): LoadedFlow {
  const document = parseYaml(text, options.file);
  const isReadable = document.faults.length === 0 || (document.data !== undefined && document.faults.every(canReadOn));
  if (!isReadable) return { flow: undefined, faults: document.faults, warnings: [] };
  const checked = checkGrammar(document);
  const found = checked.flow ? lintFlow(checked.flow, document, options) : [];
  const warnings = found.filter(({ severity }) => severity === 'warning');
  const faults = [...document.faults, ...checked.faults, ...found.filter(({ severity }) => severity !== 'warning')];
  if (!checked.flow || faults.length > 0) return { flow: undefined, faults: inOrder(faults), warnings };
  const trigger = fillTrigger(checked.flow.trigger, document, options);
  if (trigger.faults.length > 0) return { flow: undefined, faults: trigger.faults, warnings };
  const flow = toFlow(checked.flow, text, trigger.inputs);
  const { vocabulary, random } = options;
  return { flow: compileFlow(flow, vocabulary, random ? { random } : {}), faults: [], warnings };
}

/** After these the rest of the document still means something. */
function canReadOn(fault: Fault): boolean {
  return ['unquoted-template', 'duplicate-key', 'forbidden-key'].includes(fault.rule ?? '');
}

/** From top to bottom, one at each place: the first to complain knows best. */
function inOrder(faults: readonly Fault[]): readonly Fault[] {
  const places = new Map<string, Fault>();
  for (const fault of faults) {
    const place = `${fault.line}:${fault.column}:${fault.pointer}`;
    if (!places.has(place)) places.set(place, fault);
  }
  const sorted = [...places.values()].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
  return sorted.slice(0, maxFaults);
}

/** A flow with faults in its grammar is still linted as far as it can be read, so that nobody corrects a file in rounds. */
function checkGrammar(document: YamlDocument): {
  readonly flow: FlowDocument | undefined;
  readonly faults: readonly Fault[];
} {
  const result = flowSchema.safeParse(document.data);
  if (result.success) return { flow: result.data, faults: [] };
  const faults = describeIssues(result.error.issues, flowSchema, document.data, 'key').map(
    ({ path, on, rule, detail, fix }) => document.faultAt(path, { rule, detail, fix }, on === 'key' ? { on } : {}),
  );
  const readable = flowSchema.safeParse(withoutFaulty(document.data, result.error.issues));
  return { flow: readable.success ? readable.data : undefined, faults };
}

function withoutFaulty(
  data: unknown,
  issues: readonly { readonly path: readonly PropertyKey[]; readonly code: string }[],
): unknown {
  const copy: unknown = structuredClone(data);
  for (const issue of issues) {
    const names: readonly PropertyKey[] = 'keys' in issue ? (issue.keys as string[]) : [];
    const parents = names.length > 0 ? issue.path : issue.path.slice(0, -1);
    const parent = parents.reduce<unknown>(
      (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
      copy,
    );
    if (typeof parent !== 'object' || parent === null || Array.isArray(parent)) continue;
    for (const name of names.length > 0 ? names : issue.path.slice(-1))
      replaceFaulty(parent as Record<PropertyKey, unknown>, name);
  }
  return copy;
}

/** A trigger listens before there is an event, so its inputs are filled in here, once. */
function fillTrigger(
  trigger: FlowDocument['trigger'],
  document: YamlDocument,
  { vocabulary, env }: LoadOptions,
): { readonly inputs: Readonly<Record<string, unknown>>; readonly faults: readonly Fault[] } {
  const inputs = trigger.with ?? {};
  const input = vocabulary.trigger(trigger.uses)?.input;
  const template = compileValue(inputs, 'the trigger');
  if (!input || (!template.isConstant && env === undefined)) return { inputs, faults: [] };
  try {
    const filled = coerce(template.render({ env: env ?? {} }), input) as Record<string, unknown>; // a record stays one
    const result = input.safeParse(filled);
    const found = result.success
      ? []
      : describeIssues(result.error.issues, input, template.isConstant ? filled : {}, 'input');
    return {
      inputs: filled,
      faults: found.map(({ path, rule, detail, fix }) =>
        document.faultAt(['trigger', 'with', ...path], { rule, detail, fix }),
      ),
    };
  } catch (thrown) {
    const { detail, fix } = PatchbayError.from(thrown);
    return { inputs, faults: [document.faultAt(['trigger', 'with'], { rule: 'bad-template', detail, fix })] };
  }
}

/** Optional keys go; the required ones get a value of the right form, and the linter's fault at the same place is dropped. */
function replaceFaulty(parent: Record<PropertyKey, unknown>, name: PropertyKey): void {
  if (name === 'name') parent[name] = 'unnamed';
  else if (name === 'uses') parent[name] = 'unreadable.use';
  else delete parent[name];
}

function toFlow(document: FlowDocument, text: string, inputs: Flow['trigger']['with']): Flow {
  const retry = mergeRetry(defaultRetry, document.retry);
  const toSteps = (steps: readonly StepDocument[] | undefined, prefix: string) =>
    (steps ?? []).map((step, index) => toStep(step, `${prefix}-${index + 1}`, retry));
  return {
    name: document.name,
    description: document.description,
    version: createHash('sha256').update(text).digest('hex').slice(0, 32),
    document: text,
    trigger: {
      uses: document.trigger.uses,
      connection: document.trigger.connection,
      with: inputs,
      where: document.trigger.where,
    },
    steps: toSteps(document.steps, 'step'),
    onFailure: toSteps(document.onFailure, 'onFailure'),
    onReverted: toSteps(document.onReverted, 'onReverted'),
    idempotencyKey: document.idempotencyKey,
    orderingKey: document.orderingKey,
    concurrency: document.concurrency,
    timeoutMs: document.timeout,
    enabled: document.enabled ?? true,
  };
}

function toStep(step: StepDocument, place: string, retry: RetryPolicy): Step {
  return {
    id: step.id ?? place,
    uses: step.uses,
    connection: step.connection,
    with: step.with ?? {},
    where: step.where,
    forEach: step.forEach,
    onError: step.onError ?? 'stop',
    retry: mergeRetry(retry, step.retry),
    timeoutMs: step.timeout,
  };
}

function mergeRetry(base: RetryPolicy, own: RetryDocument | undefined): RetryPolicy {
  return {
    attempts: own?.attempts ?? base.attempts,
    backoff: own?.backoff ?? base.backoff,
    delayMs: own?.delay ?? base.delayMs,
  };
}
