import { afterEach, describe, expect, it } from '@jest/globals';
import { startJsforceOrg, type JsforceOrg } from '../../test/builders/jsforce-org.js';
import type { SalesforceStandInOptions } from './index.js';

let org: JsforceOrg;
const code = (errorCode: string) => expect.objectContaining({ errorCode });

afterEach(() => org.stop());

async function anOrg(options: SalesforceStandInOptions = {}) {
  org = await startJsforceOrg(options);
  return org.connect();
}

const ledger: SalesforceStandInOptions = {
  isStrict: true,
  customFields: {
    Contact: {
      Wallet__c: { type: 'string', length: 42, externalId: true, unique: true },
      Group__c: { type: 'string', externalId: true },
      Tier__c: { type: 'picklist', picklist: ['Gold', 'Silver'], restricted: true },
      Points__c: { type: 'double', precision: 10, scale: 2 },
      Rank__c: { type: 'double', readOnly: true },
    },
    Entry__c: { Note__c: { type: 'string', required: true }, Owner__c: { type: 'reference', referenceTo: 'Contact' } },
  },
};

describe('what the org tells of itself', () => {
  it('given declared fields, when an object is described, then types, lengths, keys and pick lists are told', async () => {
    const connection = await anOrg(ledger);

    const { fields } = await connection.sobject('Contact').describe();

    const field = (name: string) => fields.find((one) => one.name === name);
    expect(field('Wallet__c')).toMatchObject({ type: 'string', length: 42, externalId: true, unique: true });
    expect(field('Group__c')).toMatchObject({ externalId: true, unique: false });
    expect(field('Points__c')).toMatchObject({ type: 'double', precision: 10, scale: 2, nillable: true });
    expect(field('Rank__c')).toMatchObject({ createable: false, updateable: false });
    expect(field('LastName')).toMatchObject({ nillable: false, compoundFieldName: 'Name' });
    expect(field('Tier__c')?.picklistValues?.map(({ value }) => value)).toEqual(['Gold', 'Silver']);
    const names = (await connection.describeGlobal()).sobjects.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['Account', 'Entry__c', 'PushTopic']));
  });

  it('given a field nobody declared, when it was used, then describe tells of it by what it held', async () => {
    const connection = await anOrg();
    await connection.sobject('Invoice__c').create({ Total__c: 12.5, Paid__c: true });

    const { fields } = await connection.sobject('Invoice__c').describe();

    expect(fields.find(({ name }) => name === 'Total__c')).toMatchObject({ type: 'double' });
    expect(fields.find(({ name }) => name === 'Paid__c')).toMatchObject({ type: 'boolean' });
  });

  it.each([
    [{ LastName: 'A', Tier__c: 'Lead' }, 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST'],
    [{ LastName: 'A', Points__c: 123_456_789 }, 'NUMBER_OUTSIDE_VALID_RANGE'],
    [{ LastName: 'A', Rank__c: 1 }, 'INVALID_FIELD_FOR_INSERT_UPDATE'],
    [{ LastName: 'A', Unknown__c: 1 }, 'INVALID_FIELD'],
    [{ LastName: 'A', Wallet__c: '0'.repeat(43) }, 'STRING_TOO_LONG'],
    [{ LastName: 'A', AccountId: 'nonsense' }, 'MALFORMED_ID'],
  ])('given a strict org, when %j is saved, then it is refused with %s', async (fields, expected) => {
    const connection = await anOrg(ledger);

    await expect(connection.sobject('Contact').create(fields)).rejects.toEqual(code(expected));
  });

  it('given calls, when the limits are read, then the budget of the day has shrunk, and in the end all is refused', async () => {
    const connection = await anOrg({ dailyRequests: 3 });

    expect(await connection.limits()).toMatchObject({ DailyApiRequests: { Max: 3, Remaining: 2 } });
    await connection.query('SELECT Id FROM Contact');
    await connection.query('SELECT Id FROM Contact');
    expect(connection.limitInfo.apiUsage).toEqual({ used: 3, limit: 3 });
    await expect(connection.query('SELECT Id FROM Contact')).rejects.toEqual(code('REQUEST_LIMIT_EXCEEDED'));
    org.standIn.setClock({ advanceMs: 25 * 3_600_000 });
    await expect(connection.query('SELECT Id FROM Contact')).resolves.toMatchObject({ totalSize: 0 });
  });
});

describe('rows over time', () => {
  it('given text with blanks, an empty text and many decimals, when it is saved, then it is kept as Salesforce keeps it', async () => {
    const connection = await anOrg(ledger);
    const { id } = await connection
      .sobject('Contact')
      .create({ LastName: '  Byron ', FirstName: '', Points__c: 1.006, Wallet__c: '0xAB' });

    expect(
      await connection.sobject('Contact').retrieve(id ?? '', { fields: ['Name', 'FirstName', 'Points__c'] }),
    ).toEqual(expect.objectContaining({ Name: 'Byron', FirstName: null, Points__c: 1.01 }));
  });

  it('given several rows with one external id, when it is upserted, then the answer names them all and nothing changes', async () => {
    const connection = await anOrg(ledger);
    for (const LastName of ['A', 'B']) org.standIn.create('Contact', { LastName, Group__c: 'g' });

    const answer = await fetch(`${org.url}/services/data/v62.0/sobjects/Contact/Group__c/g`, {
      method: 'PATCH',
      body: JSON.stringify({ LastName: 'C' }),
      headers: { authorization: `Bearer ${connection.accessToken}` },
    });

    expect(answer.status).toBe(300);
    expect(await answer.json()).toHaveLength(2);
    const collected = await connection.sobject('Contact').upsert([{ Group__c: 'g', LastName: 'C' }], 'Group__c');
    expect(collected[0]?.errors[0]).toMatchObject({ statusCode: 'DUPLICATE_EXTERNAL_ID' });
  });

  it('given updateOnly, when no row holds the external id, then none is created', async () => {
    const connection = await anOrg(ledger);
    const call = connection.request({
      method: 'PATCH',
      url: '/sobjects/Contact/Wallet__c/0x1?updateOnly=true',
      body: '{"LastName":"A"}',
    });

    await expect(call).rejects.toEqual(code('NOT_FOUND'));
  });

  it('given a parent with an external id, when a child names it, then the child points to it', async () => {
    const connection = await anOrg(ledger);
    const parent = org.standIn.create('Contact', { LastName: 'A', Wallet__c: '0x1' });

    const { id } = await connection.sobject('Entry__c').create({ Note__c: 'n', Owner__r: { Wallet__c: '0X1' } });

    expect(await connection.sobject('Entry__c').retrieve(id ?? '')).toMatchObject({ Owner__c: parent });
  });

  it('given a deleted row, when it is taken back by the SOAP API, then it has its id again; REST has no such call', async () => {
    const connection = await anOrg();
    const id = org.standIn.create('Contact', { LastName: 'A' });
    await connection.sobject('Contact').destroy(id);

    const bin = await connection.query('SELECT Id, IsDeleted FROM Contact WHERE IsDeleted = true', { scanAll: true });
    expect(bin.records).toEqual([expect.objectContaining({ Id: id, IsDeleted: true })]);
    expect(await connection.soap.undelete([id])).toEqual([expect.objectContaining({ id, success: true })]);
    expect(await connection.sobject('Contact').retrieve(id)).toMatchObject({ IsDeleted: false });
    expect(await connection.soap.undelete([id])).toEqual([expect.objectContaining({ success: false })]);
  });

  it('given fifteen days in the recycle bin, when the row is asked for, then it is gone', async () => {
    const connection = await anOrg();
    const id = org.standIn.create('Contact', { LastName: 'A' });
    org.standIn.delete('Contact', id);
    org.standIn.setClock({ advanceMs: 15 * 86_400_000 + 1_000 });

    const all = await connection.query('SELECT Id FROM Contact', { scanAll: true });
    expect(all.totalSize).toBe(0);
    expect(await connection.soap.undelete([id])).toEqual([expect.objectContaining({ success: false })]);
  });

  it('given a span of time, when it is asked what was updated and deleted, then exactly that is told', async () => {
    const connection = await anOrg({ now: () => new Date('2026-11-25T10:00:30Z') });
    const [early, gone] = ['Early', 'Gone'].map((LastName) => org.standIn.create('Contact', { LastName }));
    org.standIn.setClock({ advanceMs: 10 * 60_000 });
    const late = org.standIn.create('Contact', { LastName: 'Late' });
    org.standIn.delete('Contact', gone ?? '');
    const span = [new Date('2026-11-25T10:05:00Z'), new Date('2026-11-25T10:20:00Z')] as const;

    expect((await connection.sobject('Contact').updated(...span)).ids).toEqual([late]);
    expect((await connection.sobject('Contact').deleted(...span)).deletedRecords.map(({ id }) => id)).toEqual([gone]);
    await expect(connection.sobject('Contact').updated(span[0], span[0])).rejects.toEqual(
      code('INVALID_REPLICATION_DATE'),
    );
    expect(early).toBeDefined();
  });

  it('given a row that somebody changed since, when it is written on a condition, then it is left alone', async () => {
    const connection = await anOrg();
    const id = org.standIn.create('Contact', { LastName: 'A' });
    const write = (since: Date) =>
      connection.request({
        method: 'PATCH',
        url: `/sobjects/Contact/${id}`,
        body: '{"LastName":"B"}',
        headers: { 'if-unmodified-since': since.toUTCString() },
      });

    await expect(write(new Date(Date.now() - 60_000))).rejects.toEqual(code('PRECONDITION_FAILED'));
    await write(new Date(Date.now() + 60_000));
    expect(org.standIn.state().records['Contact']).toEqual([expect.objectContaining({ LastName: 'B' })]);
  });

  it('given a file, when it is uploaded in either way, then it can be read and hangs on its record', async () => {
    const connection = await anOrg();
    const contact = org.standIn.create('Contact', { LastName: 'A' });
    const data = Buffer.from([0, 255, 13, 10, 128]);
    const entity = { Title: 'Receipt', PathOnClient: 'r.bin', FirstPublishLocationId: contact };
    const form = new FormData();
    form.append('entity_content', new Blob([JSON.stringify(entity)], { type: 'application/json' }));
    form.append('VersionData', new Blob([data]), 'r.bin');
    const authorization = `Bearer ${connection.accessToken}`;

    const inline = await connection
      .sobject('ContentVersion')
      .create({ ...entity, VersionData: data.toString('base64') });
    const url = `${org.url}/services/data/v62.0/sobjects/ContentVersion`;
    const parts = await (await fetch(url, { method: 'POST', body: form, headers: { authorization } })).json();

    for (const id of [inline.id, (parts as { id: string }).id]) {
      const read = await fetch(`${url}/${id}/VersionData`, { headers: { authorization } });
      expect(Buffer.from(await read.arrayBuffer())).toEqual(data);
    }
    const links = await connection.query(`SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '${contact}'`);
    expect(links.totalSize).toBe(2);
  });
});

describe('rules of the org', () => {
  it('given a rule before the save, when a row is written, then the field is as the rule wants it', async () => {
    const connection = await anOrg({ rules: [{ kind: 'setField', object: 'Contact', field: 'Title', how: 'upper' }] });

    const { id } = await connection.sobject('Contact').create({ LastName: 'A', Title: 'cfo' });

    expect(await connection.sobject('Contact').retrieve(id ?? '')).toMatchObject({ Title: 'CFO' });
  });

  it('given a validation sent to the control route, when a row breaks it, then it is refused with its text', async () => {
    const connection = await anOrg();
    const rule = {
      kind: 'validation',
      object: 'Opportunity',
      when: 'Amount < 0',
      message: 'No debts',
      field: 'Amount',
    };
    await fetch(`${org.url}/_rules`, { method: 'POST', body: JSON.stringify(rule) });
    const deal = { Name: 'D', StageName: 'New', CloseDate: '2026-12-01' };

    await expect(connection.sobject('Opportunity').create({ ...deal, Amount: -1 })).rejects.toMatchObject({
      errorCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION',
      message: 'No debts',
    });
    await expect(connection.sobject('Opportunity').create({ ...deal, Amount: 1 })).resolves.toMatchObject({
      success: true,
    });
  });

  it('given a duplicate rule, when a row looks like another, then it is refused unless the caller insists', async () => {
    const connection = await anOrg({
      rules: [{ kind: 'duplicates', object: 'Contact', fields: ['Email'], allowsSave: true }],
    });
    const row = { LastName: 'A', Email: 'a@example.com' };
    await connection.sobject('Contact').create(row);
    const again = (headers = {}) => connection.sobject('Contact').create(row, { headers });

    await expect(again()).rejects.toEqual(code('DUPLICATES_DETECTED'));
    await expect(again({ 'Sforce-Duplicate-Rule-Header': 'allowSave=true' })).resolves.toMatchObject({ success: true });
  });
});
