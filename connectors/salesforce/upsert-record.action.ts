import { defineAction, PatchbayError, z } from '#sdk';
import { salesforceOrg } from './connection.js';
import { fieldName, objectName, recordFields } from './field-schemas.js';

export const upsertRecord = defineAction({
  title: 'Upsert a record',
  summary: 'Creates a record, or updates the one whose external id matches.',
  connection: salesforceOrg,
  input: z.object({
    object: objectName(),
    matchOn: fieldName().meta({ title: 'External id field', description: 'Must be given in fields as well.' }),
    fields: recordFields(),
  }),
  output: z.object({ id: z.string(), created: z.boolean() }),
  examples: [
    {
      object: 'Contact',
      matchOn: 'Wallet__c',
      fields: {
        Wallet__c: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
        LastName: 'Wallet 0x5fbd',
        Last_Transfer__c: '25000',
      },
    },
  ],
  repeatable:
    'Done again with the same external id it finds the record it made and sets the same values: there is one record, even after a lost answer. Only `created` differs.',
  async run({ input: { object, matchOn, fields }, client, signal }) {
    const { [matchOn]: value, ...rest } = fields;
    const { id, created } = await client.upsert(
      { object, matchOn, value: matchable(matchOn, value), fields: rest },
      signal,
    );
    return { id, created };
  },
});

function matchable(matchOn: string, value: unknown): string {
  const text =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value).trim() : '';
  // A path ends at dots alone, so such a value cannot be sent.
  if (text !== '' && !/^\.{1,2}$/.test(text)) return text;
  throw new PatchbayError('salesforce.data', {
    detail: `The external id ${matchOn} has no value to match on: ${JSON.stringify(value ?? null)}`,
    fix: `Give ${matchOn} in fields, with a text that differs for every record.`,
  });
}
