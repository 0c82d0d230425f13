import { defineAction, PatchbayError, z } from '#sdk';
import { checkNames } from './checks.js';
import { salesforceOrg } from './connection.js';
import { fieldName, objectName, recordId } from './field-schemas.js';

export const retrieveRecord = defineAction({
  title: 'Retrieve a record',
  summary: 'Reads the fields of the record with a known id.',
  connection: salesforceOrg,
  input: z.object({
    object: objectName(),
    id: recordId(),
    fields: z
      .array(fieldName())
      .default([])
      .meta({ title: 'Fields', description: 'Default: all that the user may see.' }),
    onMissing: z.enum(['fail', 'ignore']).default('fail').meta({ title: 'When there is no such record' }),
  }),
  output: z.object({
    record: z.record(z.string(), z.unknown()).nullable().meta({ description: 'null when there is none' }),
  }),
  examples: [{ object: 'Contact', id: '003000000000001AAA', fields: ['Name', 'Wallet__c'] }],
  repeatable: 'It changes nothing; done again it reads the record as it is then.',
  check: checkNames,
  async run({ input: { object, id, fields, onMissing }, client, signal }) {
    try {
      return { record: await client.retrieve(object, id, fields, signal) };
    } catch (error) {
      const isGone = error instanceof PatchbayError && error.code === 'salesforce.notFound';
      if (isGone && onMissing === 'ignore') return { record: null };
      throw error;
    }
  },
});
