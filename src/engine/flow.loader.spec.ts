import { describe, expect, it } from '@jest/globals';
import { flowJsonSchema, loadFlow } from './index.js';
import { aFlow, testVocabulary, valueVocabulary } from './testing/flow-runs.js';

function rulesOf(text: string, options = {}): readonly (string | undefined)[] {
  return loadFlow(text, { vocabulary: testVocabulary, ...options }).faults.map((fault) => fault.rule);
}

const flowText = 'name: example\ntrigger: { uses: test.heard }\nsteps: [{ uses: test.notify }]\n';

describe('loading a flow', () => {
  it('given little, when it is loaded, then the defaults are filled in', () => {
    const { flow } = aFlow('retry: { attempts: 3 }\nsteps: [{ uses: test.notify, retry: { delay: 5s } }]');
    expect(flow).toMatchObject({ enabled: true, onFailure: [], onReverted: [], timeoutMs: undefined });
    expect(flow.version).toMatch(/^[0-9a-f]{32}$/);
    expect(flow.steps[0]).toMatchObject({
      id: 'step-1',
      onError: 'stop',
      with: {},
      retry: { attempts: 3, backoff: 'exponential', delayMs: 5_000 },
    });
  });

  it.each([
    ['%YAML 1.2\n---\n' + flowText, 'yaml-feature'],
    [flowText + '---\nname: other\n', 'several-documents'],
    [flowText + 'name: again\n', 'duplicate-key'],
    [flowText.replace('{ uses: test.heard }', '!!map { uses: test.heard }'), 'yaml-feature'],
    [flowText + '<<: { enabled: true }\n', 'yaml-feature'],
    [
      flowText.replace('uses: test.notify', `uses: test.notify, with: { data: ${'['.repeat(25)}${']'.repeat(25)} }`),
      'too-deep',
    ],
    ['#'.repeat(70_000), 'too-large'],
    ['', 'bad-value'],
    ['- a', 'bad-value'],
    [flowText + '\tx: 1', 'yaml'],
    [flowText.replace('[{ uses: test.notify }]', `[${'{ uses: test.notify },'.repeat(101)}]`), 'bad-value'],
  ])('given %j, when it is loaded, then %s is named', (text, rule) => {
    expect(rulesOf(text)).toContain(rule);
  });

  it.each([
    ['brackets', '['.repeat(64_000)],
    ['closed brackets', ']'.repeat(64_000)],
    ['mappings', '{a: '.repeat(16_000)],
    ['keys', Array.from({ length: 9_000 }, (_, index) => `k${index}:`).join('\n')],
    ['anchors', '&a '.repeat(20_000)],
    [
      'templates',
      `name: x\ntrigger: { uses: test.heard }\nsteps: [{ uses: test.notify, with: { text: "${'{{a}}'.repeat(12_000)}" } }]`,
    ],
  ])('given nothing but %s, when it is loaded, then it is refused in bounded time', (_, text) => {
    const startedAt = performance.now();
    const count = rulesOf(text).length;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(100);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  });

  it('given connections, when one is named that does not exist or fits nothing, then that is a fault', () => {
    expect(
      rulesOf(flowText.replace('uses: test.notify', 'uses: test.notify, connection: x'), { connections: new Map() }),
    ).toEqual(['needless-connection']);
  });

  it('given an environment, when the trigger refers to it, then the value is filled in; an unknown name is a fault', () => {
    const text = flowText.replace('test.heard', 'test.heard, with: { topic: "{{env.TOPIC}}" }');
    expect(loadFlow(text, { vocabulary: testVocabulary, env: { TOPIC: 'news' } }).flow?.flow.trigger.with).toEqual({
      topic: 'news',
    });
    expect(rulesOf(text, { env: {} })).toEqual(['unknown-reference']);
    expect(rulesOf(text.replace('env.TOPIC', 'event.topic'))).toEqual(['unknown-reference']);
  });
});

describe('the JSON Schema of flows', () => {
  it('given a vocabulary, when the schema is made, then it knows what may be used, and with what', () => {
    const schema = JSON.parse(JSON.stringify(flowJsonSchema(testVocabulary)));
    expect(schema.$schema).toMatch('2020-12');
    expect(schema.required).toEqual(['name', 'trigger', 'steps']);
    expect(schema.$defs.step.properties.uses.oneOf).toEqual([
      { const: 'test.notify', title: 'Notify', description: 'Tells somebody.' },
      { const: 'test.note', title: 'Note', description: 'Says what it was given.' },
    ]);
    const [{ then }] = schema.$defs.step.allOf;
    expect(Object.keys(then.properties.with.properties)).toEqual(['text', 'count', 'data']);
    expect(then.properties.with.properties.count.anyOf).toContainEqual({ $ref: '#/$defs/template' });
    expect(then.properties.with.additionalProperties).toBe(false);
  });
});

describe('flows that move value', () => {
  const load = (steps: string, confirmations = '{ confirmations: 1 }') =>
    loadFlow(`name: payer\ntrigger:\n  uses: value.mined\n  with: ${confirmations}\n${steps}`, {
      vocabulary: valueVocabulary,
      file: 'payer.yaml',
    });

  it('given one that acts on less than final events, when it is loaded, then it works, with a warning at its place', () => {
    const { flow, faults, warnings } = load('steps: [{ uses: value.pay }]');

    expect(flow?.movesValue).toBe(true);
    expect(faults).toEqual([]);
    expect(warnings).toEqual([
      {
        pointer: '#/trigger/with/confirmations',
        file: 'payer.yaml',
        line: 4,
        column: 26,
        rule: 'less-than-final',
        detail: 'One block is few.',
        fix: 'Wait.',
        severity: 'warning',
      },
    ]);
  });

  it('given a fault beside the risk, when it is loaded, then both are told', () => {
    const { flow, faults, warnings } = load('steps: [{ uses: value.pay }, { uses: test.nowhere }]');

    expect(flow).toBeUndefined();
    expect(faults).toMatchObject([{ rule: 'unknown-action' }]);
    expect(warnings).toMatchObject([{ rule: 'less-than-final' }]);
  });

  it.each([
    ['moves value when it is given up', 'steps: [{ uses: test.notify }]\nonFailure: [{ uses: value.pay }]', true],
    ['moves nothing', 'steps: [{ uses: test.notify }]', false],
    ['moves nothing with these inputs', 'steps: [{ uses: value.pay, with: { amount: 0 } }]', false],
    ['only answers', 'steps: [{ uses: value.reply }]', false],
    ['only undoes', 'steps: [{ uses: test.notify }]\nonReverted: [{ uses: value.pay }]', false],
  ])('given one that %s, when it is loaded, then it is told apart', (_, steps, isMoving) => {
    const { flow, warnings } = load(steps);

    expect(flow?.movesValue).toBe(isMoving);
    expect(warnings).toHaveLength(isMoving ? 1 : 0);
  });

  it.each(['{}', '{ confirmations: 64 }', '{ confirmations: "{{env.DEPTH}}" }'])(
    'given one that waits for %s, when it is loaded, then there is no warning',
    (written) => {
      expect(load('steps: [{ uses: value.pay }]', written)).toMatchObject({ faults: [], warnings: [] });
    },
  );
});
