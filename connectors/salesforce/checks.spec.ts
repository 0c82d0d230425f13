import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Fault, UseService } from '#sdk';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import salesforce from './index.js';
import type { SalesforceClient } from './salesforce.client.js';

const noService: UseService = () => {
  throw new Error('No service is lent here');
};

describe('what the org says of a flow before it runs', () => {
  let org: SalesforceOrg;
  let client: SalesforceClient;

  beforeAll(async () => {
    org = await startSalesforce({
      isStrict: true,
      customFields: { Contact: { Wallet__c: { type: 'string', length: 42, externalId: true, unique: true } } },
    });
    client = org.client();
  });
  afterAll(() => org.stop());

  async function faultsOf(name: string, input: Readonly<Record<string, unknown>>): Promise<readonly Fault[]> {
    const definition = salesforce.actions[name] ?? salesforce.triggers[name];
    return (await definition?.check?.({ input, client, use: noService, signal: AbortSignal.timeout(30_000) })) ?? [];
  }
  const placesOf = async (...given: Parameters<typeof faultsOf>) =>
    (await faultsOf(...given)).map(({ pointer, fix }) => [pointer, fix]);

  it('given writes that fit the org, when they are checked, then nothing is found', async () => {
    const fields = { Wallet__c: undefined, LastName: 'Ada' };
    expect(await faultsOf('upsertRecord', { object: 'Contact', matchOn: 'Wallet__c', fields })).toEqual([]);
    expect(await faultsOf('createRecord', { object: undefined, fields: { Nonsense__c: 1 } })).toEqual([]);
    expect(await faultsOf('updateRecord', { object: 'Contact', id: undefined, fields: undefined })).toEqual([]);
  });

  it('given an object or a field that the org does not have, when it is checked, then the nearest name is told', async () => {
    expect(await placesOf('createRecord', { object: 'Contcat', fields: {} })).toEqual([
      ['/object', 'Did you mean Contact?'],
    ]);
    expect(await placesOf('createRecord', { object: 'Contact', fields: { LastNmae: 'x' } })).toEqual([
      ['/fields/LastNmae', 'Did you mean LastName?'],
    ]);
    expect(await placesOf('changeDataCapture', { object: ['Contact', 'Acount'] })).toEqual([
      ['/object/1', 'Did you mean Account?'],
    ]);
    expect(await placesOf('recordChanged', { object: 'Contact', fields: ['LastName', 'Walet__c'] })).toEqual([
      ['/fields/1', 'Did you mean Wallet__c?'],
    ]);
  });

  it('given what cannot be written, when it is checked, then each place is told', async () => {
    const faults = await faultsOf('upsertRecord', {
      object: 'Contact',
      matchOn: 'LastName',
      fields: { LastName: 'x'.repeat(300), CreatedDate: '2026-01-01', Wallet__c: undefined },
    });
    expect(faults.map(({ pointer }) => pointer)).toEqual(['/matchOn', '/fields/LastName', '/fields/CreatedDate']);
    expect(await placesOf('upsertRecord', { object: 'Contact', matchOn: 'Wallet__c', fields: {} })).toEqual([
      ['/matchOn', 'Give Wallet__c in fields as well.'],
    ]);
  });

  it('given the query of a push topic, when the org refuses it, then its reason is told', async () => {
    expect(await faultsOf('pushTopic', { query: "SELECT Id, Name FROM Contact WHERE LastName = 'x'" })).toEqual([]);
    const unknown = await faultsOf('pushTopic', { query: 'SELECT Id, Nmae FROM Contact' });
    expect(unknown).toMatchObject([{ pointer: '/query', detail: expect.stringContaining('no field Nmae') }]);
    const refused = await faultsOf('pushTopic', { query: "SELECT Id FROM Contact WHERE Nonsense__c = 'x'" });
    expect(refused).toMatchObject([
      { pointer: '/query', detail: expect.stringContaining('The org refuses the query') },
    ]);
    expect(await faultsOf('pushTopic', { topic: 'NoSuchTopic' })).toMatchObject([{ pointer: '/topic' }]);
  });
});
