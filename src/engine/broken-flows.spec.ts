import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { address, defineAction, defineConnection, defineConnector, defineTrigger, z } from '#sdk';
import { loadFlow } from './index.js';
import { vocabularyOf } from './testing/flow-runs.js';

const network = defineConnection({ title: 'Network', settings: z.object({ url: z.url() }), open: () => ({}) });

const vocabulary = vocabularyOf(
  defineConnector({
    name: 'evm',
    title: 'EVM',
    summary: 'Chains.',
    triggers: {
      contractEvent: defineTrigger({
        title: 'Contract event',
        summary: 'Starts a run for every event.',
        connection: network,
        input: z.object({
          contract: z.union([address(), z.string()]),
          event: z.string(),
          confirmations: z.int().optional(),
        }),
        event: z.object({ args: z.record(z.string(), z.unknown()), transaction: z.object({ hash: z.string() }) }),
        examples: [],
        listen: async () => undefined,
      }),
    },
    actions: {},
  }),
  defineConnector({
    name: 'salesforce',
    title: 'Salesforce',
    summary: 'Records.',
    triggers: {},
    actions: {
      upsertRecord: defineAction({
        title: 'Upsert record',
        summary: 'Creates or updates a record.',
        input: z.object({
          object: z.string(),
          matchOn: z.string().meta({ examples: ['Wallet__c'] }),
          fields: z.record(z.string(), z.unknown()),
        }),
        output: z.object({ id: z.string(), created: z.boolean() }),
        examples: [],
        repeatable: 'By external id.',
        run: () => ({ id: '1', created: true }),
      }),
    },
  }),
  defineConnector({
    name: 'http',
    title: 'HTTP',
    summary: 'Requests.',
    triggers: {},
    actions: {
      request: defineAction({
        title: 'Request',
        summary: 'Sends a request.',
        input: z.object({
          url: z.url(),
          method: z.enum(['GET', 'POST']).default('GET'),
          body: z.unknown().optional(),
          timeoutMs: z.int().optional(),
        }),
        output: z.object({ status: z.number(), body: z.unknown() }),
        examples: [],
        repeatable: 'By idempotency key.',
        run: () => ({ status: 200, body: undefined }),
      }),
    },
  }),
);

function lint(name: string) {
  const file = `test/broken-flows/${name}.yaml`;
  return loadFlow(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'), { vocabulary, file });
}

/** File, and each expected fault as `line:column rule`. */
const expectations: readonly (readonly [string, readonly string[]])[] = [
  ['unknown-connector', ['6:11 unknown-connector']],
  ['unknown-action', ['6:11 unknown-action']],
  ['unknown-input', ['9:7 unknown-input']],
  [
    'reference-to-nothing',
    ['11:31 unknown-reference', '11:62 later-step', '15:35 unknown-step', '16:16 unknown-reference'],
  ],
  ['unquoted-template', ['9:13 unquoted-template']],
  ['unquoted-template-in-text', ['9:13 unquoted-template']],
  ['missing-input', ['7:5 missing-input', '10:5 missing-input']],
  ['wrong-type', ['9:15 wrong-type', '10:18 wrong-type']],
  ['bad-operator', ['6:25 unknown-operator', '7:31 bad-operand', '8:28 bad-operand']],
  ['duplicate-step', ['9:9 duplicate-step']],
  ['alias-bomb', ['2:13 yaml-feature', '5:46 yaml-feature', '5:50 yaml-feature', '5:54 yaml-feature']],
  ['prototype-key', ['10:9 forbidden-key']],
  [
    'grammar',
    [
      '1:7 bad-value',
      '5:1 unknown-key',
      '7:5 missing-input',
      '8:5 unknown-key',
      '9:24 bad-value',
      '9:34 bad-value',
      '10:10 bad-value',
    ],
  ],
  [
    'template-faults',
    ['8:35 unknown-helper', '10:12 helper-arguments', '11:12 bad-template', '12:12 bad-template', '13:14 bad-template'],
  ],
];

describe('flows with faults', () => {
  it.each(expectations)(
    'given %s.yaml, when it is loaded, then every fault is named with its place',
    (name, expected) => {
      const { flow, faults } = lint(name);

      expect(faults.map((fault) => `${fault.line}:${fault.column} ${fault.rule}`)).toEqual(expected);
      expect(flow).toBeUndefined();
    },
  );

  it.each(expectations)('given %s.yaml, when it is loaded, then every fault says what to do', (name) => {
    for (const fault of lint(name).faults) {
      expect(fault.fix).toMatch(/\w{3}/);
      expect(fault.detail).toMatch(/[.]$/);
      expect(fault.pointer).toMatch(/^#/);
      expect(fault.file).toBe(`test/broken-flows/${name}.yaml`);
    }
  });

  it('given a slip of the fingers, when the flow is loaded, then the right name is offered', () => {
    expect(lint('unknown-connector').faults[0]?.fix).toBe('Did you mean salesforce?');
    expect(lint('unknown-action').faults[0]?.fix).toBe('Did you mean salesforce.upsertRecord?');
    expect(lint('unknown-input').faults[0]?.fix).toBe('Did you mean matchOn?');
    expect(lint('bad-operator').faults[0]?.fix).toMatch('Did you mean gte?');
    expect(lint('unquoted-template').faults[0]?.fix).toMatch('Quote the template');
  });

  it('given addresses, record ids and large numbers without quotes, when the flow is loaded, then they are kept as they are written', () => {
    const { flow, faults } = lint('clean-unquoted-identifiers');

    expect(faults).toEqual([]);
    expect(flow?.flow.trigger.with['contract']).toBe('0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48');
    expect(flow?.flow.steps[0]?.with['fields']).toEqual({
      Id: '003E00000123456',
      Wallet__c: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48',
      Zip__c: '00501',
      Version__c: '1.10',
      Score__c: 12.5,
    });
    const event = { args: { to: '0x5fbdb2315678afecb367f032d93f642f64180aa3', value: (2n ** 256n - 1n).toString() } };
    expect(flow?.accept(event, {}).takes).toBe(true);
    expect(flow?.accept({ args: { ...event.args, value: (2n ** 256n - 2n).toString() } }, {}).takes).toBe(false);
  });
});
