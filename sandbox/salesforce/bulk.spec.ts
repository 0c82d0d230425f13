import { afterEach, describe, expect, it } from '@jest/globals';
import { startJsforceOrg, type JsforceOrg } from '../../test/builders/jsforce-org.js';
import { eventually } from '../../test/builders/eventually.js';

let org: JsforceOrg;

afterEach(() => org.stop());

const polled = { pollInterval: 5, pollTimeout: 30_000 };

describe('bulk loads', () => {
  it('given rows of which some are bad, when they are loaded, then each is in the right list of results', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();
    const input = [
      { Wallet__c: '0x1', LastName: 'Quote " and, comma', Title: null },
      { Wallet__c: '0x2', LastName: '' },
    ];

    const results = await connection.bulk2.loadAndWaitForResults({
      object: 'Contact',
      operation: 'upsert',
      externalIdFieldName: 'Wallet__c',
      input,
      ...polled,
    });

    expect(results.successfulResults).toEqual([
      expect.objectContaining({ sf__Created: 'true', LastName: 'Quote " and, comma' }),
    ]);
    expect(results.failedResults).toEqual([
      expect.objectContaining({ sf__Error: expect.stringMatching(/^REQUIRED_FIELD_MISSING:.*:LastName --$/) }),
    ]);
    expect(org.standIn.state().records['Contact']).toHaveLength(1);
  });

  it('given a row with #N/A and an empty cell, when it is loaded, then one field is emptied and the other is left', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();
    const Id = org.standIn.create('Contact', { LastName: 'A', Title: 'T', Department: 'D' });
    const job = connection.bulk2.createJob({ object: 'Contact', operation: 'update' });

    await job.open();
    await job.uploadData(`Id,Title,Department\n${Id},#N/A,\n`);
    await job.close();
    await job.poll(5, 30_000);

    expect(org.standIn.state().records['Contact']).toEqual([expect.objectContaining({ Title: null, Department: 'D' })]);
    expect(org.standIn.events('/data/ContactChangeEvent').at(-1)?.data).toMatchObject({
      payload: { ChangeEventHeader: { changeOrigin: 'com/salesforce/api/bulkapi/62.0' } },
    });
  });

  it('given a job that takes too long, when jsforce gives up waiting, then it deletes the job and nothing is loaded', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();
    org.standIn.addFault({ kind: 'slowJob', ms: 5_000 });

    const load = connection.bulk2.loadAndWaitForResults({
      object: 'Contact',
      operation: 'insert',
      input: [{ LastName: 'A' }],
      pollInterval: 5,
      pollTimeout: 50,
    });

    await expect(load).rejects.toThrow('Polling timed out');
    await eventually(() =>
      org.standIn.state().calls.some(({ method, status }) => method === 'DELETE' && status === 204),
    );
    expect(org.standIn.state().records['Contact']).toEqual([]);
  });

  it('given a job that fails half way, when its results are read, then what was not done is listed', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();
    org.standIn.addFault({ kind: 'failJob', message: 'Out of memory', afterRows: 1 });
    const job = connection.bulk2.createJob({ object: 'Contact', operation: 'insert' });

    await job.open();
    await job.uploadData('LastName\nA\nB\n');
    await job.close();

    await expect(job.poll(5, 30_000)).rejects.toThrow('Out of memory');
    expect(await job.getSuccessfulResults()).toHaveLength(1);
    expect(await job.getUnprocessedRecords()).toEqual([{ LastName: 'B' }]);
  });
});

describe('bulk queries', () => {
  it('given a query, when jsforce runs it as a job, then all rows come', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();
    for (const LastName of ['A', 'B', 'C']) org.standIn.create('Contact', { LastName });

    const rows = await (await connection.bulk2.query('SELECT Id, LastName FROM Contact', polled)).toArray();

    expect(rows.map((row) => (row as { LastName: string }).LastName)).toEqual(['A', 'B', 'C']);
  });

  // The client of jsforce ends its stream after the first page, so the pages are fetched one by one.
  it('given more rows than a page holds, when the pages are fetched, then each names the next until there is none', async () => {
    org = await startJsforceOrg({ bulkPageSize: 2 });
    const { accessToken } = await org.connect();
    for (const LastName of ['A', 'B', 'C']) org.standIn.create('Contact', { LastName });
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
    const jobs = `${org.url}/services/data/v62.0/jobs/query`;
    const asked = { operation: 'query', query: 'SELECT LastName FROM Contact' };
    const created = await fetch(jobs, { method: 'POST', headers, body: JSON.stringify(asked) });
    const { id } = (await created.json()) as { id: string };
    const page = (locator: string) => fetch(`${jobs}/${id}/results${locator}`, { headers });
    const first = await eventually(async () => {
      const answer = await page('');
      return answer.ok ? answer : undefined;
    });

    const locator = first.headers.get('sforce-locator') ?? '';
    const second = await page(`?locator=${locator}`);

    expect(await first.text()).toBe('"LastName"\n"A"\n"B"\n');
    expect(await second.text()).toBe('"LastName"\n"C"\n');
    expect(second.headers.get('sforce-locator')).toBe('null');
    expect(second.headers.get('sforce-numberofrecords')).toBe('1');
  });

  it('given a query that bulk cannot do, when it is asked, then it is refused at once', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();

    await expect(connection.bulk2.query('SELECT Id FROM Contact OFFSET 5')).rejects.toThrow('not supported in Bulk');
    await expect(connection.bulk2.query('SELECT BillingAddress FROM Account')).rejects.toThrow('compound');
  });
});
