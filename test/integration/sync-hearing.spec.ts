import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../builders/eventually.js';
import { SyncHub, SyncSides, memberBalances, wallet } from '../builders/sync-stage.js';

const token = 10n ** 18n;

const payments = (sides: SyncSides, fromBlock: number) => `
sync: payments
salesforce: { object: Payment__c, key: Event__c }
chain: { network: local, contract: '${sides.chain.token}', abi: DemoToken, event: Transfer, fromBlock: ${fromBlock} }
fields:
  - { salesforce: To__c, chain: to }
  - { salesforce: Amount__c, chain: value, decimals: 6, exact: AmountExact__c }
reverted: Reverted__c
`;

describe('what a sync hears', () => {
  let sides: SyncSides;
  let hub: SyncHub | undefined;

  beforeEach(async () => {
    sides = await SyncSides.start();
  });
  afterEach(async () => {
    await hub?.close();
    hub = undefined;
    await sides.stop();
  });

  it('given a sync of an event, when there are some from before and one more, then each is one record, and one that a reorganisation takes back is marked', async () => {
    const fromBlock = (await sides.chain.head()) + 1;
    const first = await sides.chain.transfer(1_250_000n, wallet(1));
    const stage = (hub = await SyncHub.start(sides, { 'payments.yaml': payments(sides, fromBlock) }));
    await eventually(() => sides.payments().length === 1, { what: 'The past payment' });

    const before = await sides.chain.call('evm_snapshot');
    const second = await sides.chain.transfer(3n, wallet(2));
    await eventually(() => sides.payments().length === 2, { what: 'The new payment' });
    await stage.untilQuiet();

    const amounts = { To__c: wallet(1), Amount__c: 1.25, AmountExact__c: '1250000', Reverted__c: false };
    const small = { To__c: wallet(2), Amount__c: 0, AmountExact__c: '3' };
    expect(payment(sides, first)).toMatchObject(amounts);
    expect(payment(sides, second)).toMatchObject({ ...small, Reverted__c: false });
    expect(await stage.sync('payments')).toMatchObject({ kind: 'events', flows: ['payments-transfer'], faults: [] });

    await sides.chain.call('evm_revert', [before]);
    await sides.chain.mine(8);

    await eventually(() => payment(sides, second)?.['Reverted__c'] === true, { withinMs: 60_000, what: 'The mark' });
    expect(payment(sides, second)).toMatchObject(small);
    expect(payment(sides, first)).toMatchObject(amounts);
    expect(sides.payments()).toHaveLength(2);
  });

  it('given a sync that hears by a push topic, when a record changes and another one is deleted, then the chain follows, and the echo writes nothing', async () => {
    const stage = (hub = await startedHearing('pushTopic'));
    await sides.onChain('setMember', [wallet(1), 'Ada', 'silver', token]);
    await sides.onChain('setMember', [wallet(2), 'Bob', 'silver', token]);
    await eventually(() => sides.records().length === 2, { what: 'Both records' });
    await stage.untilQuiet();

    sides.salesforce.org.update('Member__c', idOf(sides, 1), { Tier__c: 'gold' });
    sides.salesforce.org.delete('Member__c', idOf(sides, 2));

    await eventually(async () => (await sides.member(wallet(1))).tier === 'gold', { what: 'The tier' });
    await eventually(async () => !(await sides.member(wallet(2))).active, { what: 'The removal' });
    await stage.untilQuiet();
    expect(await sides.transactions()).toBe(2);
    expect(sides.rowsWritten).toBe(madeTopics + 2);
  });

  it('given a sync that asks for changed records, when records change while the hub is stopped, then the first question finds them', async () => {
    await sides.onChain('setMember', [wallet(1), 'Ada', 'silver', token]);
    await sides.onChain('setMember', [wallet(2), 'Bob', 'silver', token]);
    const stage = (hub = await startedHearing('recordChanged'));
    await stage.untilQuiet();
    await stage.halt();

    sides.salesforce.org.setClock({ advanceMs: 5_000 });
    sides.salesforce.org.update('Member__c', idOf(sides, 1), { Tier__c: 'gold' });
    sides.salesforce.org.delete('Member__c', idOf(sides, 2));
    await stage.boot();

    await eventually(async () => (await sides.member(wallet(1))).tier === 'gold', { what: 'The tier' });
    await eventually(async () => !(await sides.member(wallet(2))).active, { what: 'The removal' });
    await stage.untilQuiet();
    expect(await sides.transactions()).toBe(2);
    expect(sides.rowsWritten).toBe(2);
  });

  it('given a sync that hears changes of records, when gap events tell of linked ones, then they are read, and the chain follows', async () => {
    const stage = (hub = await startedHearing('changeDataCapture'));
    await sides.onChain('setMember', [wallet(1), 'Ada', 'silver', token]);
    await sides.onChain('setMember', [wallet(2), 'Bob', 'silver', token]);
    await eventually(() => sides.records().length === 2, { what: 'Both records' });
    await stage.untilQuiet();

    sides.salesforce.org.addFault({ kind: 'gap', object: 'Member__c' });
    sides.salesforce.org.update('Member__c', idOf(sides, 1), { Tier__c: 'gold' });
    await eventually(async () => (await sides.member(wallet(1))).tier === 'gold', { what: 'The tier' });
    sides.salesforce.org.addFault({ kind: 'gap', object: 'Member__c' });
    sides.salesforce.org.delete('Member__c', idOf(sides, 2));

    await eventually(async () => !(await sides.member(wallet(2))).active, { what: 'The removal' });
    await stage.untilQuiet();
    expect(await sides.transactions()).toBe(2);
    expect((await stage.sync('member-balances')).counts).toMatchObject({ agreed: 2, failed: 0 });
  });

  async function startedHearing(hear: string): Promise<SyncHub> {
    const document = memberBalances.replace('key: Wallet__c }', `key: Wallet__c, hear: ${hear} }`);
    const stage = await SyncHub.start(sides, { 'members.yaml': document });
    await stage.untilBackfilled('member-balances');
    return stage;
  }
});

/** Making the topic is a write as well. */
const madeTopics = 1;

function idOf(sides: SyncSides, member: number): string {
  return String(sides.record(wallet(member))?.['Id']);
}

function payment(sides: SyncSides, transaction: string): Readonly<Record<string, unknown>> | undefined {
  return sides.payments().find((row) => String(row['Event__c']).includes(transaction));
}
