import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../test/builders/eventually.js';
import { startListening } from '../../test/builders/listening.js';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import { changeDataCapture } from './change-data-capture.trigger.js';
import type { SalesforceClient } from './salesforce.client.js';

const quick = { graceMs: 200, firstPauseMs: 10, longestPauseMs: 50, limitPauseMs: 50 };
const minuteMs = 60_000;

describe('salesforce.changeDataCapture', () => {
  let salesforce: SalesforceOrg;
  let client: SalesforceClient;

  beforeEach(async () => {
    salesforce = await startSalesforce();
    client = salesforce.client({ stream: quick });
  });
  afterEach(() => salesforce.stop());

  const { create, update } = {
    create: (name: string, fields = {}) => salesforce.org.create('Account', { Name: name, ...fields }),
    update: (id: string, fields: Record<string, unknown>) => salesforce.org.update('Account', id, fields),
  };
  const isListening = (channels = 1) =>
    salesforce.org.state().streamingClients.some((seat) => seat.isPolling && seat.channels.length === channels);
  const listen = (
    written: Record<string, unknown> = {},
    begun: { cursor?: string; before?: never[] | object[] } = {},
  ) => startListening(changeDataCapture, { client, with: { object: 'Account', ...written }, ...(begun as object) });
  const advance = (advanceMs: number) => salesforce.org.setClock({ advanceMs });

  it('given an object, when a record lives and dies, then each change is one event with fields named as in rows', async () => {
    const listener = listen();
    await eventually(isListening);

    const id = create('Acme', { BillingCity: 'Bern' });
    update(id, { BillingCity: 'Basel', Phone: null });
    salesforce.org.delete('Account', id);
    salesforce.org.undelete('Account', id);

    await eventually(() => listener.heard.length === 4);
    expect(listener.heard.map(({ event }) => event)).toMatchObject([
      { type: 'created', isWhole: true, recordId: id, fields: { Id: id, Name: 'Acme', BillingCity: 'Bern' } },
      {
        type: 'updated',
        isWhole: false,
        changedFields: ['BillingCity', 'LastModifiedDate'],
        fields: { BillingCity: 'Basel' },
      },
      { type: 'deleted', fields: { Id: id } },
      { type: 'undeleted', isWhole: true, fields: { BillingCity: 'Basel' } },
    ]);
    expect(listener.heard[0]).toMatchObject({ subject: id, event: { commitNumber: expect.any(Number) } });
    await listener.stop();
  });

  it('given one message about several records, when it is heard, then each record has an event of its own', async () => {
    const ids = ['A', 'B', 'C'].map((name) => create(name));
    const listener = listen();
    await eventually(isListening);

    salesforce.org.transaction(() => ids.forEach((id) => update(id, { Phone: '1' })));

    await eventually(() => listener.heard.length === 3);
    expect(listener.heard.map(({ subject }) => subject)).toEqual(ids);
    await listener.stop();
  });

  it('given fields that matter, when others change, then nothing is told; new records are', async () => {
    const listener = listen({ fields: ['Phone'] });
    await eventually(isListening);

    const id = create('Acme', { Phone: '1' });
    update(id, { BillingCity: 'Bern' });
    update(id, { Phone: '2', BillingCity: 'Basel' });

    await eventually(() => listener.heard.length === 2);
    expect(listener.heard.map(({ event }) => event.fields)).toMatchObject([{ Phone: '1' }, { Phone: '2' }]);
    expect(listener.heard[1]?.event.fields).not.toHaveProperty('BillingCity');
    await listener.stop();
  });

  it('given long text, when a part of it changes, then the whole text is read', async () => {
    const id = create('Acme', { Description: 'a'.repeat(1_200) });
    const listener = listen();
    await eventually(isListening);

    update(id, { Description: `${'a'.repeat(1_200)}b` });

    await eventually(() => listener.heard.length === 1);
    expect(listener.heard[0]?.event.fields['Description']).toBe(`${'a'.repeat(1_200)}b`);
    await listener.stop();
  });

  it('given a gap event, when it is heard, then the record is read', async () => {
    const listener = listen();
    await eventually(isListening);
    salesforce.org.addFault({ kind: 'gap', object: 'Account' });

    const id = create('Acme', { Phone: '1' });

    await eventually(() => listener.heard.length === 1);
    expect(listener.heard[0]?.event).toMatchObject({
      type: 'created',
      recordId: id,
      isReconciled: true,
      fields: { Name: 'Acme', Phone: '1' },
    });
    await listener.stop();
  });

  it.each([
    ['an overflow', { kind: 'overflow' }],
    ['a gap without ids', { kind: 'gap', object: 'Account', wildcard: true }],
  ] as const)('given %s, when it is heard, then what changed is looked up and counted', async (_, fault) => {
    const listener = listen();
    await eventually(isListening);
    create('Before');
    await eventually(() => listener.heard.length === 1);
    advance(minuteMs);
    salesforce.org.addFault(fault);

    salesforce.org.transaction(() => ['A', 'B'].forEach((name) => create(name)));

    await eventually(() => listener.incidents.length > 0);
    const found = listener.heard.map(({ event }) => event.fields['Name']);
    expect(found.filter((name) => name === 'Before')).toHaveLength(1);
    expect(new Set(found)).toEqual(new Set(['Before', 'A', 'B']));
    expect(listener.incidents[0]).toMatchObject({ found: 3, emitted: 2 });
    await listener.stop();
  });

  it('given two objects, when both change while it is away, then each goes on at its own place', async () => {
    const object = ['Account', 'Contact'];
    const before = listen({ object });
    await eventually(() => isListening(2));
    create('A');
    await eventually(() => before.heard.length === 1 && before.cursor?.includes('/data/ContactChangeEvent'));
    await before.stop();
    create('B');
    salesforce.org.create('Contact', { LastName: 'C' });

    const after = listen({ object }, { cursor: before.cursor ?? '', before: [...before.heard] });

    await eventually(() => after.heard.length === 2);
    expect(after.repeats).toBe(0);
    expect(salesforce.org.state().streamingClients).toHaveLength(1);
    await after.stop();
  });

  it('given a hub that was away, when half of the bus was purged meanwhile, then what differs is looked up', async () => {
    const [a, b, c] = ['A', 'B', 'C'].map((name) => create(name)) as [string, string, string];
    advance(30 * minuteMs);
    const before = listen();
    await eventually(isListening);
    update(a, { Phone: '1' });
    update(b, { Phone: '1' });
    await eventually(() => before.heard.length === 2);
    advance(minuteMs);
    create('Last');
    await eventually(() => before.heard.length === 3);
    await before.stop();
    advance(minuteMs);
    update(b, { Phone: '2' });
    salesforce.org.delete('Account', c);
    const d = create('D');
    salesforce.org.addFault({ kind: 'expireReplay' });

    const after = listen({}, { cursor: before.cursor ?? '', before: [...before.heard] });
    await eventually(() => after.incidents.length === 1);
    update(a, { Phone: '3' });
    await eventually(() => after.heard.length === 4);

    expect(after.heard.map(({ event }) => [event.type, event.recordId])).toEqual([
      ['updated', b],
      ['deleted', c],
      ['created', d],
      ['updated', a],
    ]);
    expect(after.incidents).toEqual([
      {
        reason: expect.stringContaining('Account: 400::The replayId'),
        since: expect.any(String),
        found: 5,
        emitted: 3,
      },
    ]);
    await after.stop();
  });

  it('given the deliveries of the day used up, when there are some again, then what changed is looked up', async () => {
    const listener = listen();
    await eventually(isListening);
    create('A');
    await eventually(() => listener.heard.length === 1);
    await eventually(isListening);
    salesforce.org.addFault({ kind: 'stopDeliveries' });
    create('B');
    await eventually(() => salesforce.org.state().streamingClients.length === 0);
    salesforce.org.addFault({ kind: 'stopDeliveries', stopped: false });
    await eventually(() => listener.incidents.length === 1);
    create('C');

    await eventually(() => listener.heard.length === 3);
    expect(listener.heard.map(({ event }) => event.fields['Name'])).toEqual(['A', 'B', 'C']);
    expect(listener.incidents).toMatchObject([{ reason: expect.stringContaining('daily limit exceeded'), emitted: 1 }]);
    await listener.stop();
  });

  it('given no right to capture changes, when listening begins, then the error says so', async () => {
    const error = '403::User not allowed to subscribe CDC without View All Data permissions';
    salesforce.org.addFault({ kind: 'refuseStream', meta: 'subscribe', error });

    const listener = listen();

    await eventually(() => listener.error);
    expect(listener.error).toMatchObject({ code: 'salesforce.configuration', detail: expect.stringContaining(error) });
    await listener.stop();
  });
});
