import { defineAction, z } from '#sdk';
import { salesforceOrg } from './connection.js';
import { objectName, recordFields } from './field-schemas.js';

export const updateRecord = defineAction({
  title: 'Update a record',
  summary: 'Sets fields of the record with a known id.',
  connection: salesforceOrg,
  input: z.object({
    object: objectName(),
    id: z
      .string()
      .regex(/^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$/, 'must be a record id of 15 or 18 characters')
      .meta({ title: 'Record id', examples: ['006000000000001AAA'] }),
    fields: recordFields(),
  }),
  output: z.object({ id: z.string() }),
  examples: [{ object: 'Opportunity', id: '006000000000001AAA', fields: { Mint_Tx__c: '0x5b1d…' } }],
  repeatable:
    'Done again it sets the same values: the record is as after the first time, and a push topic reports no change.',
  async run({ input: { object, id, fields }, client, signal }) {
    await client.update(object, id, fields, signal);
    return { id };
  },
});
