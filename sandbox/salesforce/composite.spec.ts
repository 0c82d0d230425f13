import { afterEach, describe, expect, it } from '@jest/globals';
import type { Connection } from 'jsforce';
import { startJsforceOrg, type JsforceOrg } from '../../test/builders/jsforce-org.js';

let org: JsforceOrg;
let connection: Connection;

afterEach(() => org.stop());

async function connected() {
  org = await startJsforceOrg();
  connection = await org.connect();
}

const contacts = () => org.standIn.state().records['Contact'] ?? [];
const composite = (body: unknown) =>
  connection.requestPost<{ compositeResponse: { httpStatusCode: number; referenceId: string; body: unknown }[] }>(
    '/composite',
    body as object,
  );
const base = '/services/data/v62.0';

describe('collections', () => {
  it('given 200 rows, when they are created, changed, read and deleted, then each is one call', async () => {
    await connected();
    const rows = Array.from({ length: 200 }, (_, index) => ({ LastName: `N${index}` }));

    const created = await connection.sobject('Contact').create(rows);
    const ids = created.map(({ id }) => id ?? '');
    const updated = await connection.sobject('Contact').update(ids.map((Id) => ({ Id, Title: 'T' })));
    const read = await connection.sobject('Contact').retrieve(ids, { fields: ['Id', 'Title'] });
    const deleted = await connection.sobject('Contact').destroy(ids);

    expect(updated.every(({ success }) => success)).toBe(true);
    expect(read.every(({ Title }) => Title === 'T')).toBe(true);
    expect(deleted).toHaveLength(200);
    expect(contacts()).toEqual([]);
    expect(org.standIn.state().apiUsage.used).toBe(4);
  });

  it('given 201 rows, when they are sent at once, then all are refused', async () => {
    await connected();
    const records = Array.from({ length: 201 }, () => ({ attributes: { type: 'Contact' }, LastName: 'A' }));

    await expect(connection.requestPost('/composite/sobjects', { records })).rejects.toMatchObject({
      errorCode: 'EXCEEDED_ID_LIMIT',
    });
  });

  it('given types that alternate more than ten times, when they are sent, then all are refused', async () => {
    await connected();
    const records = Array.from({ length: 11 }, (_, index) => ({
      attributes: { type: index % 2 === 0 ? 'Contact' : 'Account' },
      LastName: 'A',
    }));

    await expect(connection.requestPost('/composite/sobjects', { records })).rejects.toThrow('Too many chunks');
  });

  it('given upserts of which one row is bad, when they are sent, then the others are saved and the answer has a status each', async () => {
    await connected();
    const rows = [
      { Wallet__c: '0x1', LastName: 'A' },
      { Wallet__c: '0x3', LastName: '' },
      { Wallet__c: '0x2', LastName: 'C' },
    ];

    const results = await connection.sobject('Contact').upsert(rows, 'Wallet__c');

    expect(results.map(({ success }) => success)).toEqual([true, false, true]);
    expect(results[0]).toMatchObject({ created: true });
    expect(results[1]?.errors[0]).toMatchObject({ statusCode: 'REQUIRED_FIELD_MISSING' });
  });

  it('given locks on command, when rows are updated, then only those that met one are refused', async () => {
    await connected();
    const ids = ['A', 'B'].map((LastName) => org.standIn.create('Contact', { LastName }));
    org.standIn.addFault({ kind: 'lockRow' });

    const results = await connection.sobject('Contact').update(ids.map((Id) => ({ Id, Title: 'T' })));

    expect(results.map(({ success }) => success)).toEqual([false, true]);
    expect(results[0]?.errors[0]).toMatchObject({ statusCode: 'UNABLE_TO_LOCK_ROW' });
  });
});

describe('composite', () => {
  it('given a reference to an earlier call, when both are sent, then the id is put in', async () => {
    await connected();
    const { compositeResponse } = await composite({
      compositeRequest: [
        { method: 'POST', url: `${base}/sobjects/Account`, referenceId: 'a', body: { Name: 'Acme' } },
        {
          method: 'POST',
          url: `${base}/sobjects/Contact`,
          referenceId: 'c',
          body: { LastName: 'A', AccountId: '@{a.id}' },
        },
        { method: 'GET', url: `${base}/query?q=SELECT+Id+FROM+Contact+WHERE+AccountId='@{a.id}'`, referenceId: 'q' },
      ],
    });

    expect(compositeResponse.map(({ httpStatusCode }) => httpStatusCode)).toEqual([201, 201, 200]);
    expect(compositeResponse[2]?.body).toMatchObject({ totalSize: 1 });
  });

  it('given all or none and a call that fails, when they are sent, then nothing is kept and the neighbours are halted', async () => {
    await connected();
    const { compositeResponse } = await composite({
      allOrNone: true,
      compositeRequest: [
        { method: 'POST', url: `${base}/sobjects/Contact`, referenceId: 'one', body: { LastName: 'A' } },
        { method: 'POST', url: `${base}/sobjects/Contact`, referenceId: 'two', body: {} },
      ],
    });

    expect(compositeResponse.map(({ body }) => (body as { errorCode: string }[])[0]?.errorCode)).toEqual([
      'PROCESSING_HALTED',
      'REQUIRED_FIELD_MISSING',
    ]);
    expect(contacts()).toEqual([]);
  });

  it('given a call that refers to one that failed, when all or none is not asked, then only that one is halted', async () => {
    await connected();
    const { compositeResponse } = await composite({
      compositeRequest: [
        { method: 'POST', url: `${base}/sobjects/Account`, referenceId: 'a', body: {} },
        { method: 'POST', url: `${base}/sobjects/Contact`, referenceId: 'b', body: { LastName: '@{a.id}' } },
        { method: 'POST', url: `${base}/sobjects/Contact`, referenceId: 'c', body: { LastName: 'C' } },
      ],
    });

    expect(compositeResponse.map(({ httpStatusCode }) => httpStatusCode)).toEqual([400, 400, 201]);
  });

  it('given more than 25 calls, or more than five queries, when they are sent, then all are refused', async () => {
    await connected();
    const calls = (count: number, url: string) =>
      composite({
        compositeRequest: Array.from({ length: count }, (_, at) => ({ method: 'GET', url, referenceId: `r${at}` })),
      });

    await expect(calls(26, `${base}/limits`)).rejects.toMatchObject({ errorCode: 'LIMIT_EXCEEDED' });
    await expect(calls(6, `${base}/query?q=SELECT+Id+FROM+Contact`)).rejects.toMatchObject({
      errorCode: 'LIMIT_EXCEEDED',
    });
  });

  it('given a batch that halts on an error, when its first call fails, then the rest is not done', async () => {
    await connected();
    const answer = await connection.requestPost<{ hasErrors: boolean; results: { statusCode: number }[] }>(
      '/composite/batch',
      {
        haltOnError: true,
        batchRequests: [
          { method: 'POST', url: 'v62.0/sobjects/Contact', richInput: {} },
          { method: 'POST', url: 'v62.0/sobjects/Contact', richInput: { LastName: 'A' } },
        ],
      },
    );

    expect(answer.results.map(({ statusCode }) => statusCode)).toEqual([400, 412]);
    expect(contacts()).toEqual([]);
  });
});
