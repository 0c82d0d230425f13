import { defineAction, PatchbayError, z } from '#sdk';
import { checkNames } from './checks.js';
import { salesforceOrg } from './connection.js';
import { objectName, recordId } from './field-schemas.js';

export const deleteRecord = defineAction({
  title: 'Delete a record',
  summary: 'Moves the record with a known id to the recycle bin, where it stays for 15 days.',
  connection: salesforceOrg,
  input: z.object({ object: objectName(), id: recordId() }),
  output: z.object({
    id: z.string(),
    deleted: z.boolean().meta({ description: 'false: it was gone already.' }),
  }),
  examples: [{ object: 'Contact', id: '003000000000001AAA' }],
  repeatable: 'Done again it finds the record gone, which is what was wanted: it succeeds with `deleted: false`.',
  check: checkNames,
  async run({ input: { object, id }, client, signal }) {
    try {
      await client.write({ operation: 'delete', object, key: id, fields: {} }, signal);
      return { id, deleted: true };
    } catch (error) {
      if (isGone(error)) return { id, deleted: false };
      throw error;
    }
  },
});

/** In a collection a record that is not there is an invalid reference. */
export function isGone(error: unknown): boolean {
  if (!(error instanceof PatchbayError)) return false;
  return error.code === 'salesforce.notFound' || /INVALID_CROSS_REFERENCE_KEY/.test(error.detail);
}
