import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { noService, silentLog } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { startListening } from '../../test/builders/listening.js';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import { pushTopic } from './push-topic.trigger.js';
import type { SalesforceClient } from './salesforce.client.js';

const query = "SELECT Id, Name, Amount FROM Opportunity WHERE StageName = 'Closed Won'";
const signal = new AbortController().signal;

describe('a push topic that a flow asks for', () => {
  let salesforce: SalesforceOrg;
  let client: SalesforceClient;

  beforeEach(async () => {
    salesforce = await startSalesforce({ seed: [] });
    client = salesforce.client({ stream: { graceMs: 200, firstPauseMs: 10, longestPauseMs: 50 } });
  });
  afterEach(() => salesforce.stop());

  const topics = () => salesforce.org.state().records['PushTopic'] ?? [];
  const listen = (written: Record<string, unknown> = { query }, begun: object = {}) =>
    startListening(pushTopic, { client, with: written, ...begun });
  const isListening = () =>
    salesforce.org.state().streamingClients.some((seat) => seat.isPolling && seat.channels.length > 0);
  const deal = (Name: string, StageName = 'Closed Won') =>
    salesforce.org.create('Opportunity', { Name, StageName, CloseDate: '2026-12-01', Amount: 1 });

  it('given a query, when listening begins, then its topic is made; the second time it is found', async () => {
    const first = listen({ query, operations: ['create'], notifyForFields: 'All' });
    await eventually(isListening);
    deal('A');
    await eventually(() => first.heard.length === 1);
    await first.stop();

    const second = listen({ query, operations: ['create'], notifyForFields: 'All' }, { cursor: first.cursor });
    await eventually(isListening);
    await second.stop();

    expect(topics()).toHaveLength(1);
    expect(topics()[0]).toMatchObject({
      Name: expect.stringMatching(/^PB_[0-9a-f]{20}$/),
      Query: query,
      NotifyForFields: 'All',
      NotifyForOperationCreate: true,
      NotifyForOperationUpdate: false,
    });
  });

  it('given a topic that somebody switched off, when listening begins, then it is set right', async () => {
    const first = listen();
    await eventually(isListening);
    await first.stop();
    salesforce.org.update('PushTopic', String(topics()[0]?.['Id']), { IsActive: false });

    const second = listen();
    await eventually(() => topics()[0]?.['IsActive'] === true);

    await eventually(isListening);
    await second.stop();
  });

  it('given a topic of that name that somebody else made, when listening begins, then it is left alone', async () => {
    const first = listen();
    await eventually(isListening);
    await first.stop();
    salesforce.org.update('PushTopic', String(topics()[0]?.['Id']), { Description: 'Mine', IsActive: false });

    const second = listen();

    await eventually(() => second.error);
    expect(second.error).toMatchObject({ code: 'salesforce.configuration', fix: expect.stringContaining('topic:') });
    expect(topics()).toMatchObject([{ IsActive: false }]);
    await second.stop();
  });

  it('given two hubs with the same topic, when both forget it, then it stays for the second, and goes with it', async () => {
    const other = salesforce.client({ hub: 'other', stream: { graceMs: 200 } });
    const written = pushTopic.input.parse({ query });
    for (const one of [client, other]) {
      const listening = startListening(pushTopic, { client: one, with: { query } });
      await eventually(() => String(topics()[0]?.['Description']).includes(one.hub));
      await listening.stop();
    }
    const forget = (one: SalesforceClient, others: readonly (typeof written)[] = []) =>
      pushTopic.forget?.({ input: written, others, client: one, signal, log: silentLog, use: noService });

    await forget(client, [{ ...written, start: 'earliest' }]);
    expect(topics()).toMatchObject([{ Description: expect.stringContaining('(local other)') }]);
    await forget(client);
    expect(topics()).toMatchObject([{ Description: expect.stringContaining('(other)') }]);
    await forget(client);
    expect(topics()).toHaveLength(1);
    await forget(other);
    expect(topics()).toHaveLength(0);
  });

  it('given a place that is no longer kept, when listening begins again, then rows that differ are told, and how many', async () => {
    const a = deal('A');
    const b = deal('B');
    salesforce.org.setClock({ advanceMs: 3_600_000 });
    const before = listen();
    await eventually(isListening);
    salesforce.org.update('Opportunity', a, { Name: 'A1' });
    await eventually(() => before.heard.length === 1);
    await before.stop();
    salesforce.org.update('Opportunity', b, { Name: 'B1' });
    deal('Open', 'Prospecting');
    salesforce.org.addFault({ kind: 'expireReplay' });

    const after = listen({ query }, { cursor: before.cursor, before: before.heard });

    await eventually(() => after.incidents.length === 1);
    expect(after.heard.map(({ event }) => [event.type, event.sobject['Name']])).toEqual([['updated', 'B1']]);
    expect(after.incidents).toMatchObject([{ found: 2, emitted: 1 }]);
    await after.stop();
  });

  it.each([
    [{}, 'give either topic or query'],
    [{ topic: 'A', query }, 'give either topic or query'],
    [{ topic: 'A'.repeat(26) }, 'at most 25 characters'],
    [{ query: 'SELECT Name FROM Contact' }, 'must select Id'],
    [{ query: 'SELECT COUNT(Id) FROM Contact' }, 'cannot aggregate'],
    [{ query: 'SELECT Id, Account.Name FROM Contact' }, 'cannot reach into other objects'],
    [
      { query: 'SELECT Id, Name FROM Contact WHERE AccountId IN (SELECT Id FROM Account)' },
      'cannot hold another SELECT',
    ],
    [{ query: 'SELECT Id, Name FROM Contact ORDER BY Name' }, 'cannot have ORDER BY'],
    [{ query: 'SELECT Id, Name FROM Contact LIMIT 5' }, 'cannot have LIMIT'],
    [{ query: "SELECT Id, Name FROM Contact WHERE NOT Name = 'A'" }, 'cannot use NOT'],
    [{ query: 'SELECT Id FROM Contact' }, 'must select a field besides Id'],
    [{ query: 'SELECT Id, Name FROM Contact', notifyForFields: 'Where' }, 'must have WHERE'],
    [{ query: `SELECT Id, Name FROM Contact WHERE Name = '${'x'.repeat(1_300)}'` }, 'a push topic takes 1300'],
    [{ query: 'DELETE FROM Contact' }, 'must read SELECT Id'],
  ])('given %j, when a flow is loaded, then it is refused: %s', (written, message) => {
    expect(() => pushTopic.input.parse(written)).toThrow(message);
  });

  it('given clauses within quotes, when a flow is loaded, then they are values', () => {
    const written = {
      query: "SELECT Id, Name FROM Contact WHERE Title NOT IN ('NOT a.b ORDER BY x LIMIT 1', 'it\\'s')",
    };

    expect(pushTopic.input.parse(written)).toMatchObject(written);
  });
});
