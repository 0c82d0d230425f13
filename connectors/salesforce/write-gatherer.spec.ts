import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import type { SalesforceClient } from './salesforce.client.js';
import { WriteGatherer, type RowWrite } from './write-gatherer.js';

const unhurried = () => new AbortController().signal;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('writes of many runs', () => {
  let salesforce: SalesforceOrg;
  let client: SalesforceClient;

  beforeEach(async () => {
    salesforce = await startSalesforce();
    client = salesforce.client();
    await client.test(unhurried());
  });
  afterEach(() => salesforce.stop());

  const writes = () =>
    salesforce.org.state().calls.filter(({ method }) => ['POST', 'PATCH', 'DELETE'].includes(method));
  const contacts = () => salesforce.org.state().records['Contact'] ?? [];
  const upsert = (key: string, fields: Record<string, unknown> = { LastName: `N ${key}` }) =>
    client.write({ operation: 'upsert', object: 'Contact', matchOn: 'Wallet__c', key, fields }, unhurried());

  it('given 300 upserts at once, when they are done, then three calls at most carried them', async () => {
    const before = writes().length;

    const outcomes = await Promise.all(numbers(300).map((index) => upsert(`0x${index}`)));

    expect(writes().length - before).toBeLessThanOrEqual(3);
    expect(new Set(outcomes.map(({ id }) => id)).size).toBe(300);
    expect(contacts()).toHaveLength(300);
  });

  it('given good and bad rows in one call, when it is answered, then each caller is told of its own', async () => {
    const outcomes = await Promise.allSettled([
      upsert('0x1'),
      upsert('0x2', {}),
      upsert('q?x=1#%2F', { LastName: 'Odd' }),
      upsert('0x4', { LastName: 'B', LastNam: 'misspelt' }),
    ]);

    expect(outcomes).toEqual([
      { status: 'fulfilled', value: expect.objectContaining({ created: true }) },
      { status: 'rejected', reason: expect.objectContaining({ code: 'salesforce.data' }) },
      { status: 'fulfilled', value: expect.objectContaining({ created: true }) },
      {
        status: 'rejected',
        reason: expect.objectContaining({ code: 'salesforce.configuration', fix: expect.stringContaining('LastName') }),
      },
    ]);
    expect(contacts().map(({ Wallet__c }) => Wallet__c)).toEqual(['0x1', 'q?x=1#%2F']);
  });

  it('given two writes of one record, when they come at once, then they go one after the other', async () => {
    const [first, second, other] = await Promise.all([
      upsert('0xA', { LastName: 'First' }),
      upsert('0xa', { LastName: 'Second' }),
      upsert('0xb'),
    ]);

    expect([first.created, second.created, other.created]).toEqual([true, false, true]);
    expect(second.id).toBe(first.id);
    expect(contacts()[0]).toMatchObject({ LastName: 'Second' });
  });

  it('given locked rows in a collection, when it is answered, then they are sent once more and succeed', async () => {
    salesforce.org.addFault({ kind: 'lockRow', times: 2 });

    const outcomes = await Promise.all(numbers(5).map((index) => upsert(`0x${index}`)));

    expect(outcomes).toHaveLength(5);
    expect(contacts()).toHaveLength(5);
  });

  it('given an answer lost after the commit, when the callers try again, then there is one record of each', async () => {
    salesforce.org.addFault({ kind: 'loseAnswer', method: 'PATCH' });
    const lost = await Promise.allSettled(numbers(20).map((index) => upsert(`0x${index}`)));
    expect(lost.every(({ status }) => status === 'rejected')).toBe(true);

    const again = await Promise.all(numbers(20).map((index) => upsert(`0x${index}`)));

    expect(again.every(({ created }) => !created)).toBe(true);
    expect(contacts()).toHaveLength(20);
  });

  it('given updates and deletes at once, when one record is gone, then the others are done', async () => {
    const ids = numbers(3).map((index) => salesforce.org.create('Contact', { LastName: `C${index}` }));
    salesforce.org.delete('Contact', String(ids[2]));

    const row = (operation: 'update' | 'delete', key: string): RowWrite => ({
      operation,
      object: 'Contact',
      key,
      fields: operation === 'update' ? { Title: 'T' } : {},
    });
    const updated = await Promise.allSettled(ids.map((id) => client.write(row('update', id), unhurried())));
    const deleted = await Promise.allSettled(ids.map((id) => client.write(row('delete', id), unhurried())));

    const [gone] = [expect.objectContaining({ code: 'salesforce.notFound' })];
    expect(updated.map((one) => (one.status === 'rejected' ? one.reason : 'done'))).toEqual(['done', 'done', gone]);
    expect(deleted.map((one) => (one.status === 'rejected' ? one.reason : 'done'))).toEqual(['done', 'done', gone]);
    expect(contacts()).toEqual([]);
  });

  it('given a duplicate rule that warns, when duplicates are allowed, then the row is saved', async () => {
    salesforce.org.addRule({ kind: 'duplicates', object: 'Contact', fields: ['LastName'], allowsSave: true });
    await upsert('0x1', { LastName: 'Same' });

    await expect(upsert('0x2', { LastName: 'Same' })).rejects.toMatchObject({ code: 'salesforce.policy' });
    const allowed: RowWrite = {
      operation: 'upsert',
      object: 'Contact',
      matchOn: 'Wallet__c',
      key: '0x2',
      fields: { LastName: 'Same' },
      allowDuplicates: true,
    };
    await expect(client.write(allowed, unhurried())).resolves.toMatchObject({ created: true });
  });

  it('given a field that is too short or read-only, when a row is refused, then the error says what to change', async () => {
    salesforce.org.create('Contact', { LastName: 'A', Wallet__c: '0x0' });

    await expect(upsert('0x1', { LastName: 'x'.repeat(100) })).rejects.toMatchObject({
      code: 'salesforce.data',
      faults: [expect.objectContaining({ pointer: '/fields/LastName', fix: expect.stringContaining('Text(100)') })],
    });
    await expect(upsert('0x1', { LastName: 'A', CreatedDate: '2026-01-01T00:00:00Z' })).rejects.toMatchObject({
      faults: [expect.objectContaining({ pointer: '/fields/CreatedDate' })],
    });
  });

  it('given a misspelt object, when a row is refused, then the error names the one that is meant', async () => {
    const row: RowWrite = { operation: 'create', object: 'Contakt', fields: { LastName: 'A' } };

    await expect(client.write(row, unhurried())).rejects.toMatchObject({
      fix: 'Did you mean Contact?',
      faults: [expect.objectContaining({ pointer: '/object' })],
    });
  });
});

describe('the gathering of rows', () => {
  const row = (key: string): RowWrite => ({ operation: 'upsert', object: 'A', matchOn: 'K__c', key, fields: {} });
  const done = { id: '1', created: true };

  it('given a call under way, when rows come meanwhile, then they go together after it', async () => {
    const sent: number[] = [];
    let endFirst: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (endFirst = resolve));
    const gatherer = new WriteGatherer({
      windowMs: 50,
      send: async (rows) => {
        sent.push(rows.length);
        if (sent.length === 1) await first;
        return rows.map(() => done);
      },
    });
    const full = numbers(200).map((index) => gatherer.write(row(`f${index}`), unhurried()));
    const late = numbers(7).map((index) => gatherer.write(row(`l${index}`), unhurried()));
    endFirst();
    await Promise.all([...full, ...late]);

    expect(sent).toEqual([200, 7]);
  });

  it('given a caller that gives up, when its row waits, then it is not sent', async () => {
    const sent: string[] = [];
    const gatherer = new WriteGatherer({
      windowMs: 10,
      send: async (rows) => {
        sent.push(...rows.map(({ key = '' }) => key));
        return rows.map(() => done);
      },
    });
    const caller = new AbortController();

    const given = gatherer.write(row('given-up'), caller.signal);
    const kept = gatherer.write(row('kept'), unhurried());
    caller.abort();

    await expect(given).rejects.toMatchObject({ code: 'step.cancelled' });
    await expect(kept).resolves.toEqual(done);
    expect(sent).toEqual(['kept']);
  });

  it('given a call that fails as a whole, when it ends, then every row of it is told and the next one goes', async () => {
    let isBroken = true;
    const gatherer = new WriteGatherer({
      windowMs: 0,
      send: (rows) =>
        isBroken ? Promise.reject(new PatchbayError('salesforce.unavailable')) : Promise.resolve(rows.map(() => done)),
    });

    const failed = await Promise.allSettled([
      gatherer.write(row('a'), unhurried()),
      gatherer.write(row('b'), unhurried()),
    ]);
    isBroken = false;

    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(gatherer.write(row('a'), unhurried())).resolves.toEqual(done);
  });

  it('given rows that wait, when the connection is closed, then they are given up', async () => {
    const gatherer = new WriteGatherer({ windowMs: 1_000, send: () => Promise.resolve([]) });
    const waiting = gatherer.write(row('a'), unhurried());

    gatherer.close();

    await expect(waiting).rejects.toMatchObject({ code: 'step.cancelled' });
  });
});
