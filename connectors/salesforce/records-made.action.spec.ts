import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { callAction, type ActionCall } from '../../test/builders/action-call.js';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import { bulkResult, bulkUpsert } from './bulk-upsert.action.js';
import { createRecord } from './create-record.action.js';
import { deleteRecord } from './delete-record.action.js';
import { publishEvent } from './publish-event.action.js';
import { retrieveRecord } from './retrieve-record.action.js';
import { updateRecord } from './update-record.action.js';
import { uploadFile } from './upload-file.action.js';

describe('the actions that make and take away', () => {
  let salesforce: SalesforceOrg;

  beforeEach(async () => {
    salesforce = await startSalesforce({ externalIds: ['Contact.Wallet__c'] });
  });
  afterEach(() => salesforce.stop());

  const records = (object: string) => salesforce.org.state().records[object] ?? [];
  const call = (input: ActionCall['with'], attempt = 1) => ({ settings: salesforce.settings, with: input, attempt });
  const guarded = { object: 'Contact', guard: 'Wallet__c', fields: { Wallet__c: '0xa', LastName: 'Ada' } };
  const bare = { object: 'Contact', fields: { LastName: 'Ada' } };

  it('given a lost answer, when a guarded record is created, then it is found instead of made twice', async () => {
    salesforce.org.addFault({ kind: 'loseAnswer', method: 'POST' });

    const made = await callAction(createRecord, call(guarded));
    const again = await callAction(createRecord, call(guarded, 2));
    const repeated = await callAction(createRecord, call(guarded));

    expect(made).toEqual({ id: expect.stringMatching(/^003/), created: true });
    expect([again, repeated]).toEqual(Array(2).fill({ id: made.id, created: false }));
    expect(records('Contact')).toHaveLength(1);
  });

  it('given a lost answer, when an unguarded record is created, then it is not tried again by itself', async () => {
    salesforce.org.addFault({ kind: 'loseAnswer', method: 'POST' });

    await expect(callAction(createRecord, call(bare))).rejects.toMatchObject({
      code: 'salesforce.ambiguous',
      retry: 'never',
    });
    await expect(callAction(createRecord, call(bare))).resolves.toMatchObject({ created: true });
  });

  it('given a refusal, when an unguarded record is created, then it is clear that nothing was made', async () => {
    salesforce.org.addFault({ kind: 'status', status: 503 });

    await expect(callAction(createRecord, call(bare))).rejects.toMatchObject({ code: 'salesforce.unavailable' });
  });

  it('given a record, when it is read and deleted twice, then it is gone, and what is gone is told', async () => {
    const id = salesforce.org.create('Contact', { LastName: 'Ada', Title: 'Countess' });
    const read = { object: 'Contact', id, fields: ['Name', 'Title'] };

    expect(await callAction(retrieveRecord, call(read))).toEqual({ record: { Name: 'Ada', Title: 'Countess' } });
    expect(await callAction(deleteRecord, call({ object: 'Contact', id }))).toEqual({ id, deleted: true });
    expect(await callAction(deleteRecord, call({ object: 'Contact', id }))).toEqual({ id, deleted: false });
    expect(await callAction(retrieveRecord, call({ ...read, onMissing: 'ignore' }))).toEqual({ record: null });
    await expect(callAction(retrieveRecord, call(read))).rejects.toMatchObject({ code: 'salesforce.notFound' });
    const update = { object: 'Contact', id, fields: { Title: 'x' }, onDeleted: 'ignore' };
    expect(await callAction(updateRecord, call(update))).toEqual({ id, updated: false });
  });

  it('given a platform event, when it is published, then it is on the bus', async () => {
    const input = { event: 'Transfer_Seen__e', fields: { Key__c: '1:2' } };

    await expect(callAction(publishEvent, call(input))).resolves.toEqual({ id: expect.any(String) });

    expect(salesforce.org.events('/event/Transfer_Seen__e')).toHaveLength(1);
    salesforce.org.addFault({ kind: 'loseAnswer', method: 'POST' });
    await expect(callAction(publishEvent, call({ ...input, onLostAnswer: 'fail' }))).rejects.toMatchObject({
      code: 'salesforce.ambiguous',
    });
  });

  it('given a file, when it is uploaded to a record, then the org holds it', async () => {
    const record = salesforce.org.create('Account', { Name: 'Acme' });

    const file = await callAction(uploadFile, call({ name: 'receipt.txt', content: 'Größe', record }));

    const input = { name: 'receipt.txt', content: 'Größe' };
    expect(await callAction(uploadFile, call({ ...input, record }, 2))).toEqual({ ...file, created: false });
    expect(await callAction(uploadFile, call(input, 2))).toEqual({ ...file, created: false });
    expect(file).toMatchObject({ documentId: expect.stringMatching(/^069/), created: true });
    expect(records('ContentVersion')).toEqual([expect.objectContaining({ Id: file.id, Title: 'receipt' })]);
  });

  it('given thousands of rows, when they are loaded in bulk, then few calls carry them and bad ones are named', async () => {
    const rows: Record<string, unknown>[] = Array.from({ length: 2_500 }, (_, index) => ({
      Wallet__c: `0x${index}`,
      LastName: `Name "${index}"\nsecond line, with comma`,
      Title: index === 0 ? null : undefined,
    }));
    rows.push({ Wallet__c: '0xbad', LastName: null });

    const before = salesforce.org.state().calls.length;
    const { job } = await callAction(bulkUpsert, call({ object: 'Contact', matchOn: 'Wallet__c', rows }));
    const result = await callAction(bulkResult, call({ job }));

    expect(result).toEqual({
      written: 2_500,
      refused: 1,
      failures: [
        {
          error: expect.stringContaining('REQUIRED_FIELD_MISSING'),
          fields: expect.objectContaining({ Wallet__c: '0xbad' }),
        },
      ],
    });
    expect(records('Contact')).toHaveLength(2_500);
    expect(salesforce.org.state().calls.length - before).toBeLessThan(15);
  });

  it('given a job that fails, when its result is asked for, then the reason is told', async () => {
    salesforce.org.addFault({ kind: 'failJob', message: 'Out of order' });
    const rows = [{ Wallet__c: '0x1', LastName: 'A' }];
    const { job } = await callAction(bulkUpsert, call({ object: 'Contact', matchOn: 'Wallet__c', rows }));

    await expect(callAction(bulkResult, call({ job }))).rejects.toMatchObject({
      code: 'salesforce.data',
      detail: expect.stringContaining('Out of order'),
    });
  });
});

describe('the bulk queries of an org', () => {
  it('given rows of several pages, when they are read by job id, then every row comes once', async () => {
    const salesforce = await startSalesforce({ bulkPageSize: 3 });
    try {
      const signal = new AbortController().signal;
      for (let index = 0; index < 7; index += 1) salesforce.org.create('Account', { Name: `A${index}` });
      const { bulk } = salesforce.client();

      const job = await bulk.createQuery('SELECT Id, Name FROM Account', signal);
      await expect(bulk.finished('query', job, signal, { firstPollMs: 10 })).resolves.toMatchObject({
        state: 'JobComplete',
      });
      const names: string[] = [];
      let locator: string | undefined;
      do {
        const page = await bulk.page({ job, locator }, signal);
        names.push(...page.rows.map(({ Name = '' }) => Name));
        locator = page.next;
      } while (locator !== undefined);

      expect(names.sort()).toEqual(['A0', 'A1', 'A2', 'A3', 'A4', 'A5', 'A6']);
    } finally {
      await salesforce.stop();
    }
  });
});
