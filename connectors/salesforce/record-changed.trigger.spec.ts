import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../test/builders/eventually.js';
import { startListening, type Listening } from '../../test/builders/listening.js';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import { recordChanged } from './record-changed.trigger.js';
import type { SalesforceClient } from './salesforce.client.js';

type Polling = Listening<{ readonly type: string; readonly fields: Record<string, unknown> }>;

describe('salesforce.recordChanged', () => {
  let salesforce: SalesforceOrg;
  let client: SalesforceClient;

  beforeEach(async () => {
    salesforce = await startSalesforce();
    client = salesforce.client();
  });
  afterEach(() => salesforce.stop());

  const begin = async (written = {}) => {
    const polling = listen(written);
    await eventually(() => polling.cursor !== undefined);
    await polling.stop();
    return polling.cursor;
  };
  const listen = (written = {}, cursor?: string, before: Polling['heard'] = []): Polling =>
    startListening(recordChanged, {
      client,
      with: { object: 'Account', fields: ['Name'], ...written },
      cursor,
      before,
    });
  const told = ({ heard }: Polling) => heard.map(({ event }) => [event.type, event.fields['Name']]);

  it('given rows from before, when others are made, changed and deleted, then those are told in the order of their changes', async () => {
    const old = salesforce.org.create('Account', { Name: 'Old' });
    const gone = salesforce.org.create('Account', { Name: 'Gone' });
    salesforce.org.setClock({ advanceMs: 60_000 });
    salesforce.org.create('Account', { Name: 'Newest' });
    const cursor = await begin();
    for (const change of [
      () => salesforce.org.update('Account', old, { Name: 'Old, changed' }),
      () => salesforce.org.delete('Account', gone),
      () => salesforce.org.create('Account', { Name: 'New' }),
    ]) {
      salesforce.org.setClock({ advanceMs: 1_000 });
      change();
    }

    const polling = listen({ changes: ['updated', 'deleted', 'created'] }, cursor);

    await eventually(() => polling.heard.some(({ event }) => event.fields['Name'] === 'New'));
    expect(told(polling)).toEqual([
      ['updated', 'Old, changed'],
      ['deleted', 'Gone'],
      ['created', 'New'],
    ]);
    await polling.stop();
  });

  it('given more rows than a page of one second, when they are read, then each is told once', async () => {
    const cursor = await begin();
    salesforce.org.transaction(() => {
      for (let index = 0; index < 450; index += 1) salesforce.org.create('Account', { Name: `Row ${index}` });
    });

    const polling = startListening(recordChanged, { client, with: { object: 'Account' }, cursor });

    await eventually(() => polling.heard.length === 450);
    expect(polling.repeats).toBe(0);
    await polling.stop();
  });

  it('given a row that was told, when the trigger begins again, then it has the same id, and a change another one', async () => {
    const cursor = await begin();
    const id = salesforce.org.create('Account', { Name: 'A' });
    const before = listen({}, cursor);
    await eventually(() => before.heard.length === 1);
    await before.stop();
    // Within the same second, which is as fine as the stamp of a row is.
    salesforce.org.update('Account', id, { Name: 'B' });

    const after = listen({}, before.cursor, before.heard);

    await eventually(() => after.heard.length === 1);
    expect(told(after)).toEqual([['updated', 'B']].map(([, name]) => [expect.any(String), name]));
    await after.stop();
  });

  it('given a condition, when rows meet it or not, then only those that do are told', async () => {
    const cursor = await begin({ where: "Name LIKE 'A%' OR Name = 'B'" });
    for (const Name of ['Ada', 'Bob', 'B']) salesforce.org.create('Account', { Name });

    const polling = listen({ where: "Name LIKE 'A%' OR Name = 'B'" }, cursor);

    await eventually(() => polling.heard.length === 2);
    expect(
      told(polling)
        .map(([, name]) => name)
        .sort(),
    ).toEqual(['Ada', 'B']);
    await polling.stop();
  });

  it('given a row that is made while the trigger begins, when it goes on, then that row is told as well', async () => {
    salesforce.org.create('Account', { Name: 'Old' });
    const query = client.query.bind(client);
    let isFirst = true;
    client.query = async (...given) => {
      const answer = await query(...given);
      if (!isFirst) return answer;
      isFirst = false;
      salesforce.org.setClock({ advanceMs: 2_000 });
      salesforce.org.create('Account', { Name: 'Meanwhile' });
      return answer;
    };

    const polling = listen();

    await eventually(() => polling.heard.length > 0);
    expect(told(polling)).toEqual([['created', 'Meanwhile']]);
    await polling.stop();
  });

  it('given a first start after a load of many rows, when the trigger begins again, then none of them is told', async () => {
    salesforce.org.transaction(() => {
      for (let index = 0; index < 450; index += 1) salesforce.org.create('Account', { Name: `Row ${index}` });
    });
    const cursor = await begin();
    salesforce.org.setClock({ advanceMs: 1_000 });
    salesforce.org.create('Account', { Name: 'New' });

    const polling = listen({}, cursor);

    await eventually(() => polling.heard.length > 0);
    expect(told(polling)).toEqual([['created', 'New']]);
    await polling.stop();
  });
});
