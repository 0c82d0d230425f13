import { isErrorCode, suggest, type Fault } from '#sdk';
import { loadFlow } from './flow.loader.js';
import type { CompiledFlow, Flow } from './flow.js';
import { rehearse, type Answer, type Rehearsal } from './flow-test.rehearsal.js';
import { compareRun } from './flow-test.comparison.js';
import { flowTestSchema, type FlowTestCase, type FlowTestDocument } from './flow-test.schema.js';
import { coerce } from './coercion.js';
import { isRecord, type Path } from './path.js';
import { describeIssues, findUnknownFields } from './schema-faults.js';
import type { Vocabulary } from './vocabulary.js';
import { parseYaml, type FaultText, type Spot, type YamlDocument } from './yaml-document.js';

export interface FlowTestInput {
  readonly flowText: string;
  readonly testText: string;
  readonly vocabulary: Vocabulary;
  /** Named in faults. */
  readonly flowFile?: string;
  readonly testFile?: string;
}

export interface FlowTestResult {
  readonly name: string;
  readonly passed: boolean;
  /** Where the test stands. */
  readonly line: number | undefined;
  /** What came out otherwise than expected, each at the line that expects it. */
  readonly faults: readonly Fault[];
}

export interface FlowTestReport {
  /** Name of the flow; absent when it has faults. */
  readonly flow: string | undefined;
  readonly tests: readonly FlowTestResult[];
  /** Of the flow or of the test file itself; nothing was run then. */
  readonly faults: readonly Fault[];
}

/** Reads a flow and the tests beside it, and runs each: the engine is the real one, the steps answer what the test says. */
export async function runFlowTests(input: FlowTestInput): Promise<FlowTestReport> {
  const tests = loadFlowTests(input.testText, input.testFile);
  const loaded = loadFlow(input.flowText, {
    vocabulary: input.vocabulary,
    ...(input.flowFile === undefined ? {} : { file: input.flowFile }),
  });
  if (!loaded.flow || !tests.content)
    return { flow: undefined, tests: [], faults: [...loaded.faults, ...tests.faults] };
  const { flow } = loaded;
  const faults = checkTests(tests.content, tests.document, flow.flow, input.vocabulary);
  if (faults.length > 0) return { flow: flow.flow.name, tests: [], faults };
  const results: FlowTestResult[] = [];
  for (const [index, test] of tests.content.tests.entries()) {
    results.push(await runTest(test, ['tests', index], flow, tests.document, input.vocabulary));
  }
  return { flow: flow.flow.name, tests: results, faults: [] };
}

/** Reads a test file without its flow; `content.flow` names the file to load beside it. */
export function loadFlowTests(
  text: string,
  file?: string,
): {
  readonly content: FlowTestDocument | undefined;
  readonly document: YamlDocument;
  readonly faults: readonly Fault[];
} {
  const document = parseYaml(text, file);
  if (document.faults.length > 0) return { content: undefined, document, faults: document.faults };
  const result = flowTestSchema.safeParse(document.data);
  if (result.success) return { content: result.data, document, faults: [] };
  const faults = describeIssues(result.error.issues, flowTestSchema, document.data, 'key').map(
    ({ path, on, rule, detail, fix }) => document.faultAt(path, { rule, detail, fix }, on === 'key' ? { on } : {}),
  );
  return { content: undefined, document, faults };
}

async function runTest(
  test: FlowTestCase,
  path: Path,
  flow: CompiledFlow,
  document: YamlDocument,
  vocabulary: Vocabulary,
): Promise<FlowTestResult> {
  const rehearsal = await rehearse(flow, toRehearsal(test, flow.flow, vocabulary));
  const faults = compareRun(test, rehearsal, vocabulary).map(({ path: below, ...fault }) =>
    document.faultAt([...path, ...below], fault),
  );
  return {
    name: test.name,
    passed: faults.length === 0,
    line: document.faultAt(path, { rule: '', detail: '' }).line,
    faults,
  };
}

function toRehearsal(test: FlowTestCase, flow: Flow, vocabulary: Vocabulary): Rehearsal {
  const { given = {} } = test;
  const answers = new Map<string, Answer>();
  for (const step of stepsOf(flow)) {
    const answer = given[`steps.${step.id}`];
    if (answer === undefined) continue;
    const output = vocabulary.action(step.uses)?.output;
    const error = isRecord(answer) && Object.keys(answer).length === 1 ? answer['error'] : undefined;
    const isError = typeof error === 'string' && isErrorCode(error);
    answers.set(step.id, isError ? { error } : { output: output ? coerce(answer, output) : answer });
  }
  const trigger = vocabulary.trigger(flow.trigger.uses);
  const env = isRecord(given['env'])
    ? Object.entries(given['env']).map(([name, value]) => [name, String(value)] as const)
    : [];
  const run = isRecord(given['run']) ? given['run'] : {};
  return {
    event: trigger ? coerce(test.when, trigger.event) : test.when,
    answers,
    env: Object.fromEntries(env),
    runId: typeof run['id'] === 'string' ? run['id'] : 'run-1',
  };
}

function stepsOf(flow: Flow) {
  return [...flow.steps, ...flow.onFailure, ...flow.onReverted];
}

// ---------------------------------------------------------------- the test file itself

/** Names in tests are checked like those in flows: a test with a wrong name would prove nothing. */
function checkTests(
  content: FlowTestDocument,
  document: YamlDocument,
  flow: Flow,
  vocabulary: Vocabulary,
): readonly Fault[] {
  const faults: Fault[] = [];
  const add = (path: Path, fault: FaultText, spot: Spot = {}) => faults.push(document.faultAt(path, fault, spot));
  const ids = stepsOf(flow).map((step) => step.id);
  const event = vocabulary.trigger(flow.trigger.uses)?.event;
  for (const [index, test] of content.tests.entries()) {
    const path = ['tests', index];
    for (const key of Object.keys(test.given ?? {})) {
      const fault = checkGiven(key, test.given?.[key], ids);
      if (fault) add([...path, 'given', key], fault, { on: 'key' });
    }
    if (event) {
      for (const { path: below, rule, detail, fix } of findUnknownFields(test.when, event)) {
        add(
          [...path, 'when', ...below],
          { rule: rule === 'unknown-input' ? 'unknown-field' : rule, detail: detail.replace('input', 'field'), fix },
          { on: 'key' },
        );
      }
    }
    for (const list of ['failed', 'skipped'] as const) {
      for (const [place, id] of (test.then[list] ?? []).entries()) {
        if (!ids.includes(id)) add([...path, 'then', list, place], unknownStep(id, ids));
      }
    }
    for (const [place, call] of (test.then.calls ?? []).entries()) {
      const [uses = '', ...more] = Object.keys(call);
      const at = [...path, 'then', 'calls', place];
      if (more.length > 0 || uses === '')
        add(at, {
          rule: 'bad-value',
          detail: 'A call is one name and its input.',
          fix: 'Write - connector.action: { … }.',
        });
      else if (!vocabulary.action(uses)) {
        add(
          [...at, uses],
          {
            rule: 'unknown-action',
            detail: `There is no action ${uses}.`,
            fix: suggest(uses, vocabulary.actionNames()),
          },
          { on: 'key' },
        );
      }
    }
  }
  return faults;
}

function checkGiven(key: string, value: unknown, ids: readonly string[]): FaultText | undefined {
  if (key === 'env' || key === 'run') {
    return isRecord(value)
      ? undefined
      : { rule: 'bad-value', detail: `${key} needs a mapping.`, fix: `Write ${key}: { NAME: value }.` };
  }
  const known = [...ids.map((id) => `steps.${id}`), 'env', 'run'];
  if (!known.includes(key))
    return { rule: 'unknown-step', detail: `Nothing is called ${key}.`, fix: suggest(key, known) };
  const error = isRecord(value) && Object.keys(value).length === 1 ? value['error'] : undefined;
  if (typeof error !== 'string' || isErrorCode(error)) return undefined;
  return {
    rule: 'unknown-code',
    detail: `There is no error code ${error}.`,
    fix: 'Use a code such as connection.refused or http.rejected.',
  };
}

function unknownStep(id: string, ids: readonly string[]): FaultText {
  return { rule: 'unknown-step', detail: `There is no step ${id}.`, fix: suggest(id, ids) };
}
