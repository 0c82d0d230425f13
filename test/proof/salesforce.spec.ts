import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../builders/eventually.js';
import { changesInOrder, randomBreaker } from '../builders/record-storm.js';
import { SalesforceHub } from '../builders/salesforce-hub.js';
import { Target } from '../environment/target.js';

interface Told {
  readonly type: string;
  readonly recordId: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const copying = (url: string) => `
name: copy-accounts
trigger: { uses: salesforce.changeDataCapture, with: { object: Account } }
steps:
  - uses: http.request
    with:
      url: ${url}
      body: { type: "{{event.type}}", recordId: "{{event.recordId}}", fields: "{{event.fields}}" }
orderingKey: "{{event.recordId}}"
`;

describe('hearing Salesforce', () => {
  let hub: SalesforceHub;
  let target: Target;

  afterEach(async () => {
    await hub.close();
    await target.stop();
  });

  /** What came, without the repeats of one step. */
  const told = (): Told[] => [...new Map(target.deliveries.map(({ key, body }) => [key, body as Told])).values()];

  async function start(flows: (url: string) => Record<string, string>): Promise<void> {
    target = await Target.start();
    hub = await SalesforceHub.start(flows(target.url));
    await eventually(async () => {
      const triggers = await hub.triggers();
      return triggers.length > 0 && triggers.every(({ cursor }) => cursor !== null);
    });
  }

  it('given 1,000 record changes while sessions, sockets, tokens and answers break at random, then each lands once downstream, in order per record', async () => {
    await start((url) => ({ 'copy.yaml': copying(url) }));
    const { org } = hub.salesforce;
    const storm = changesInOrder(org, { records: 50, changes: 1_000 });
    const breakSomething = randomBreaker(org);

    for (const change of storm.changes) {
      change();
      if (randomInt(15) === 0) breakSomething();
      await delay(randomInt(10));
    }

    await eventually(() => told().length >= 1_000, { withinMs: 200_000, what: 'Every change' });
    expect(storm.faultsOf(told().map((event) => ({ event })))).toEqual([]);
  }, 300_000);

  it('given a hub that is stopped, when 500 changes are made and half of the bus is purged, then all rows are equal once it runs, and the incident is listed with counts', async () => {
    await start((url) => ({ 'copy.yaml': copying(url) }));
    const { org } = hub.salesforce;
    const ids = Array.from({ length: 200 }, (_, index) => org.create('Account', { Name: `Account ${index}` }));
    await eventually(() => told().length === ids.length);
    org.setClock({ advanceMs: 20 * 60_000 });
    const last = org.create('Account', { Name: 'Last' });
    await eventually(() => told().length === ids.length + 1);
    await hub.halt();
    org.setClock({ advanceMs: 60_000 });
    for (let change = 0; change < 500; change += 1) {
      const id = ids[change % 150] ?? '';
      if (change < 420) org.update('Account', id, { NumberOfEmployees: change, Phone: String(change % 7) });
      else if (change < 450) org.delete('Account', ids[change - 270] ?? '');
      else org.create('Account', { Name: `New ${change}` });
    }
    org.addFault({ kind: 'expireReplay', share: 0.5 });
    org.setClock({ advanceMs: 60_000 });

    await hub.boot();
    await eventually(async () => (await hub.triggers()).some(({ incidents }) => incidents.length > 0), {
      withinMs: 60_000,
    });

    const changed = 150 + 30 + 50;
    await eventually(() => told().length === ids.length + 1 + changed, { withinMs: 60_000, what: 'Every difference' });
    const [trigger] = await hub.triggers();
    expect(trigger?.incidents).toEqual([
      expect.objectContaining({
        reason: expect.stringContaining('400::The replayId'),
        found: changed + 1,
        emitted: changed,
      }),
    ]);
    const copies = new Map<string, Record<string, unknown>>();
    for (const { type, recordId, fields } of told()) {
      if (type === 'deleted') copies.delete(recordId);
      else copies.set(recordId, { ...copies.get(recordId), ...fields });
    }
    const rows = org.state().records['Account'] ?? [];
    expect(copies.size).toBe(rows.length);
    for (const { Id, Name, NumberOfEmployees = null, Phone = null } of rows) {
      const { NumberOfEmployees: number = null, Phone: phone = null, ...rest } = copies.get(String(Id)) ?? {};
      expect({ Name: rest['Name'], number, phone }).toEqual({ Name, number: NumberOfEmployees, phone: Phone });
    }
    expect(copies.get(last)).toMatchObject({ Name: 'Last' });
  }, 180_000);

  it('given ten flows on one org, when they listen, then the org sees one streaming client and one token', async () => {
    const objects = ['Account', 'Contact', 'Opportunity', 'Lead', 'Case', 'A__c', 'B__c', 'C__c', 'D__c', 'E__c'];
    await start((url) =>
      Object.fromEntries(
        objects.map((object, index) => [
          `flow-${index}.yaml`,
          copying(url).replace('copy-accounts', `copy-${index}`).replace('object: Account', `object: ${object}`),
        ]),
      ),
    );
    const { org } = hub.salesforce;
    await eventually(async () => {
      const triggers = await hub.triggers();
      return triggers.length === objects.length && triggers.every(({ cursor }) => cursor !== null);
    });

    org.create('Account', { Name: 'Acme' });
    org.create('B__c', { Name: 'B' });

    await eventually(() => told().length === 2);
    const { streamingClients, tokensIssued } = org.state();
    expect(streamingClients.map(({ channels }) => channels.length)).toEqual([objects.length]);
    expect(tokensIssued).toBe(1);
  }, 60_000);
});
