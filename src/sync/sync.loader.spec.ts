import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { loadFlow } from '#engine';
import { builtInConnectors } from '../../connectors/index.js';
import { catalogOf } from '../../test/builders/catalog-of.js';
import { isSyncDocument, loadSync, usesOfSync } from './sync.loader.js';

const vocabulary = catalogOf(builtInConnectors);
const example = readFileSync('docs/examples/member-balances.yaml', 'utf8');
const load = (text: string) => loadSync(text, { vocabulary, file: 'members.yaml' });
const faultsOf = (text: string) => load(text).faults.map(({ line, detail, fix }) => `${line}: ${detail} ${fix ?? ''}`);

const payments = `sync: payments
salesforce: { object: Payment__c, key: Event__c }
chain: { contract: usdc, event: Transfer, fromBlock: 5 }
fields:
  - { salesforce: Amount__c, chain: value, decimals: 6 }
reverted: Reverted__c
`;

describe('loading a sync', () => {
  it('given a file, then its first key tells whether it is a sync', () => {
    expect(isSyncDocument(example)).toBe(true);
    expect(isSyncDocument('\n# sync: no\nname: x\nsync: y')).toBe(false);
    expect(isSyncDocument('---\n"sync": a')).toBe(true);
  });

  it('given a sync of state, then it stands for ordinary flows that load by themselves', () => {
    const { sync, flows, faults } = load(example);
    expect(faults).toEqual([]);
    expect(flows.map(({ flow }) => `${flow.name} ${flow.trigger.uses} ${flow.steps[0]?.uses}`)).toEqual([
      'member-balances-member-set evm.contractEvent salesforce.syncRecord',
      'member-balances-member-removed evm.contractEvent salesforce.syncRecord',
      'member-balances-salesforce salesforce.changeDataCapture salesforce.syncRecord',
      'member-balances-check schedule.cron salesforce.syncAll',
    ]);
    for (const { document } of sync?.flows ?? []) expect(loadFlow(document, { vocabulary }).faults).toEqual([]);
    expect(flows[0]?.flow).toMatchObject({
      orderingKey: '{{event.args.member}}',
      onReverted: [{ with: { reverted: true } }],
    });
  });

  it('given other ways to hear Salesforce, then the flow uses them', () => {
    for (const hear of ['pushTopic', 'recordChanged']) {
      const { flows, faults } = load(example.replace('key: Wallet__c\n', `key: Wallet__c\n  hear: ${hear}\n`));
      expect(faults).toEqual([]);
      expect(flows[2]?.flow.trigger.uses).toBe(`salesforce.${hear}`);
    }
  });

  it('given a sync of events, then one flow makes the records and marks those that vanish', () => {
    const { sync, flows, faults } = load(payments);
    expect(faults).toEqual([]);
    expect(sync).toMatchObject({ kind: 'events', checkedBy: undefined });
    expect(flows.map(({ flow }) => flow)).toMatchObject([
      {
        name: 'payments-transfer',
        trigger: { with: { contract: 'usdc', event: 'Transfer', fromBlock: 5 } },
        steps: [{ uses: 'salesforce.syncEvent' }],
        onReverted: [{ with: { isReverted: true } }],
      },
    ]);
  });

  it.each([
    ['an unknown key', example.replace('events:', 'evnets:'), /evnets.*Did you mean events/],
    ['what is missing', example.replace('  read: memberOf\n', ''), /chain\.read.*missing|read: is needed/],
    ['a signer that is missing', example.replace('  from: treasury\n', ''), /chain\.from is missing/],
    ['a field joined twice', example.replace('salesforce: Tier__c', 'salesforce: name'), /joined twice/],
    ['a value written twice', example.replace('chain: tier', 'chain: name'), /written by two fields/],
    ['a wrong direction', example.replace('toSalesforce', 'toSaelsforce'), /direction/],
    ['a time that never comes', example.replace("'0 3 * * *'", "'0 3'"), /cron/],
    ['settings of state for events', payments.replace('fromBlock: 5', 'fromBlock: 5, read: balanceOf'), /no meaning/],
  ])('given %s, then it is told with its place', (_, text, expected) => {
    expect(faultsOf(text).join('\n')).toMatch(expected);
    expect(load(text).faults.every(({ line }) => line !== undefined && line > 0)).toBe(true);
  });

  it('given what two parts of it say of each other, then one sentence tells it, with the remedy', () => {
    expect(faultsOf(example.replace('chain: tier', 'chain: name'))).toEqual([
      '25: name is written by two fields. Give one of them direction: toSalesforce.',
    ]);
    expect(faultsOf(payments.replace('fromBlock: 5', 'fromBlock: 5, read: balanceOf'))).toEqual([
      '3: read has no meaning for a sync of one event. Remove read.',
    ]);
  });

  it('given a connection that does not exist, then the fault lies where it was written', () => {
    const text = example.replace('  object: Member__c', '  connection: saelsforce\n  object: Member__c');
    const connections = new Map([
      ['salesforce', 'salesforce'],
      ['local', 'evm'],
    ]);
    const { faults } = loadSync(text, { vocabulary, connections });
    expect(faults).toEqual([
      expect.objectContaining({ line: 9, rule: 'unknown-connection', fix: 'Did you mean salesforce?' }),
    ]);
  });

  it('given what the other side says of a field, then its fault lies at that field', () => {
    const [use] = usesOfSync(example, 'members.yaml');
    expect(use?.uses).toBe('salesforce.syncRecord');
    const fault = use?.faultAt('/mapping/fields/1/salesforce', { rule: 'not-there', detail: 'no such field' });
    expect(fault).toMatchObject({ file: 'members.yaml', line: 25, pointer: '#/fields/1/salesforce' });
  });
});
