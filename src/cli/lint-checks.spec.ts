import { describe, expect, it } from '@jest/globals';
import type { Vocabulary } from '#engine';
import { defineAction, z, type Fault } from '#sdk';
import { testVocabulary } from '../engine/testing/flow-runs.js';
import type { HubClient } from './hub-client.js';
import { hubChecks } from './lint-checks.js';

const checked = defineAction({
  title: 'Sync',
  summary: 'Syncs.',
  input: z.looseObject({}),
  output: z.object({}),
  examples: [],
  repeatable: 'Yes.',
  check: () => Promise.resolve([]),
  run: () => ({}),
});

/** The words of the tests, and an action of Salesforce that can be checked. */
const vocabulary: Vocabulary = {
  triggerNames: () => testVocabulary.triggerNames(),
  actionNames: () => testVocabulary.actionNames(),
  connectors: () => ['salesforce', 'schedule', 'evm', ...testVocabulary.connectors()],
  trigger: (uses) => testVocabulary.trigger(uses),
  action: (uses) => (uses.startsWith('salesforce.sync') ? checked : testVocabulary.action(uses)),
};

const sync = `sync: members
salesforce: { object: Membr__c, key: Wallet__c }
chain: { contract: members, events: [MemberSet], key: member, read: memberOf, write: setMember, from: treasury }
fields:
  - { salesforce: Name, chain: name }
`;

const fault: Fault = {
  pointer: '#/salesforce/object',
  line: 2,
  column: 23,
  rule: 'not-there',
  detail: 'There is no Membr__c.',
  fix: 'Did you mean Member__c?',
};

function aHub(asked: unknown[]): HubClient {
  const unasked = () => Promise.reject(new Error('Not asked here'));
  return {
    url: 'http://hub.test',
    key: undefined,
    get: unasked,
    text: unasked,
    delete: unasked,
    post: <T>(_path: string, body?: unknown) => {
      asked.push(body);
      return Promise.resolve({ faults: [fault], warnings: [] } as T);
    },
  };
}

describe('what the linter asks the hub', () => {
  it('given a sync that names an object which is not there, when it is linted, then the hub is asked and its fault is told', async () => {
    const asked: unknown[] = [];
    const ask = hubChecks(vocabulary, () => Promise.resolve(aHub(asked)));

    const checks = await ask(sync, 'members.sync.yaml');

    expect(asked).toEqual([{ document: sync }]);
    expect(checks).toEqual({ faults: [{ ...fault, file: 'members.sync.yaml' }], warnings: [] });
  });

  it('given a flow that names nothing of another side, when it is linted, then the hub is not asked', async () => {
    const asked: unknown[] = [];
    const ask = hubChecks(vocabulary, () => Promise.resolve(aHub(asked)));

    await ask('name: good\ntrigger: { uses: test.heard }\nsteps:\n  - { uses: test.notify }\n', 'good.yaml');

    expect(asked).toEqual([]);
  });
});
