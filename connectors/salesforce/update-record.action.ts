import { defineAction, PatchbayError, z } from '#sdk';
import { checkWrite } from './checks.js';
import { salesforceOrg } from './connection.js';
import { objectName, recordFields, recordId } from './field-schemas.js';

export const updateRecord = defineAction({
  title: 'Update a record',
  summary: 'Sets fields of the record with a known id.',
  connection: salesforceOrg,
  input: z.object({
    object: objectName(),
    id: recordId(),
    fields: recordFields(),
    onDeleted: z.enum(['fail', 'ignore']).default('fail').meta({
      title: 'When the record is gone',
      description: '`ignore` ends the step with updated: false.',
    }),
  }),
  output: z.object({ id: z.string(), updated: z.boolean() }),
  examples: [{ object: 'Opportunity', id: '006000000000001AAA', fields: { Mint_Tx__c: '0x5b1d…' } }],
  repeatable:
    'Done again it sets the same values: the record is as after the first time, and a push topic reports no change.',
  check: (context) => checkWrite(context, 'update'),
  async run({ input: { object, id, fields, onDeleted }, client, signal }) {
    try {
      await client.update(object, id, fields, signal);
      return { id, updated: true };
    } catch (error) {
      const isGone = error instanceof PatchbayError && error.code === 'salesforce.notFound';
      if (isGone && onDeleted === 'ignore') return { id, updated: false };
      throw error;
    }
  },
});
