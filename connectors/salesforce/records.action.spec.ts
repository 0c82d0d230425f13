import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callAction } from '../../test/builders/action-call.js';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import { query } from './query.action.js';
import { bindSoql } from './soql-parameters.js';
import { updateRecord } from './update-record.action.js';
import { upsertRecord } from './upsert-record.action.js';

describe('the actions on records', () => {
  let salesforce: SalesforceOrg;

  beforeAll(async () => {
    salesforce = await startSalesforce();
  });
  afterAll(() => salesforce.stop());

  const upsert = (fields: Record<string, unknown>) =>
    callAction(upsertRecord, {
      settings: salesforce.settings,
      with: { object: 'Contact', matchOn: 'Wallet__c', fields },
    });

  it('given a wallet, when its contact is upserted, updated and queried, then one record went all the way', async () => {
    const { settings } = salesforce;
    const first = await upsert({ Wallet__c: '0xa1', LastName: "O'Hara" });
    const second = await upsert({ Wallet__c: '0xa1', LastName: "O'Hara", Last_Transfer__c: '25000' });
    const updated = await callAction(updateRecord, {
      settings,
      with: { object: 'Contact', id: first.id, fields: { FirstName: 'Ada' } },
    });
    const found = await callAction(query, {
      settings,
      with: {
        soql: 'SELECT Name, Last_Transfer__c FROM Contact WHERE Wallet__c = :wallet AND LastName IN :names',
        parameters: { wallet: '0xA1', names: ["O'Hara", 'x'] },
      },
    });

    expect([first, second]).toEqual([
      { id: first.id, created: true },
      { id: first.id, created: false },
    ]);
    expect(updated).toEqual({ id: first.id, updated: true });
    expect(found).toEqual({ records: [{ Name: "Ada O'Hara", Last_Transfer__c: '25000' }], totalSize: 1, isCut: false });
  });

  it.each([[undefined], [null], [''], ['  '], ['..'], [{ a: 1 }]])(
    'given the external id %j, when a record is upserted, then it is refused before Salesforce is asked',
    async (value) => {
      const before = salesforce.org.state().calls.length;

      await expect(upsert({ Wallet__c: value, LastName: 'A' })).rejects.toMatchObject({ code: 'salesforce.data' });

      expect(salesforce.org.state().calls).toHaveLength(before);
    },
  );

  it('given a record that is not there, when it is updated, then trying again cannot help', async () => {
    const call = { object: 'Contact', id: '003000000000001AAA', fields: { FirstName: 'Ada' } };

    await expect(callAction(updateRecord, { settings: salesforce.settings, with: call })).rejects.toMatchObject({
      code: 'salesforce.notFound',
    });
  });

  it('given a misspelt field or query, when it is sent, then the configuration is at fault', async () => {
    const { settings } = salesforce;

    await expect(upsert({ Wallet__c: '0xb', LastNam: 'A' })).rejects.toMatchObject({
      code: 'salesforce.configuration',
    });
    for (const soql of [
      'SELECT Nam FROM Contact',
      'SELECT Id FROM Contact WHERE',
      'SELECT Id FROM Contact WHERE Id = :id',
    ]) {
      await expect(callAction(query, { settings, with: { soql } })).rejects.toMatchObject({
        code: 'salesforce.configuration',
      });
    }
  });

  it.each([
    [{ object: 'Contact/../User', id: '003000000000001AAA' }],
    [{ object: 'Contact', id: '003000000000001AAA/describe' }],
  ])('given %j, when the input is checked, then it cannot leave its place in the address', (input) => {
    expect(updateRecord.input.safeParse({ ...input, fields: {} }).success).toBe(false);
  });
});

describe('the parameters of a query', () => {
  it.each([
    ['Name = :n', { n: "a' OR Name != '" }, "Name = 'a\\' OR Name != \\''"],
    ['Name = :n', { n: 'back\\slash\n' }, "Name = 'back\\\\slash\\n'"],
    ['A = :n AND B = :b AND C = :z', { n: 1.5, b: true, z: null }, 'A = 1.5 AND B = true AND C = null'],
    ['A IN :list', { list: ['x', 2] }, "A IN ('x', 2)"],
    [
      "A = ':n' AND D > 2026-01-01T10:20:30Z AND E = LAST_N_DAYS:7",
      {},
      "A = ':n' AND D > 2026-01-01T10:20:30Z AND E = LAST_N_DAYS:7",
    ],
  ])('given %s with %j, when they are put in, then it reads %s', (soql, parameters, bound) => {
    expect(bindSoql(soql, parameters)).toBe(bound);
  });

  it('given a name from the prototype, when it is not a parameter, then it is refused', () => {
    expect(() => bindSoql('A = :constructor', {})).toThrow(
      expect.objectContaining({ code: 'salesforce.configuration' }),
    );
  });
});
