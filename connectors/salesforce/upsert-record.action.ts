import { defineAction, z } from '#sdk';
import { checkWrite } from './checks.js';
import { salesforceOrg } from './connection.js';
import { allowDuplicates, fieldName, matchableValue, objectName, recordFields } from './field-schemas.js';

export const upsertRecord = defineAction({
  title: 'Upsert a record',
  summary: 'Creates a record, or updates the one whose external id matches.',
  connection: salesforceOrg,
  input: z.object({
    object: objectName(),
    matchOn: fieldName().meta({ title: 'External id field', description: 'Must be given in fields as well.' }),
    fields: recordFields(),
    allowDuplicates: allowDuplicates(),
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
  check: (context) => checkWrite(context, 'upsert'),
  async run({ input, client, signal }) {
    const { object, matchOn, fields, allowDuplicates: allowed } = input;
    const value = matchableValue(matchOn, fields);
    const { [matchOn]: _, ...rest } = fields;
    const { id, created } = await client.upsert(
      { object, matchOn, value, fields: rest, allowDuplicates: allowed },
      signal,
    );
    return { id, created };
  },
});
