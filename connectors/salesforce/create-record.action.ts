import { defineAction, PatchbayError, z } from '#sdk';
import { checkWrite } from './checks.js';
import { salesforceOrg } from './connection.js';
import { allowDuplicates, fieldName, matchableValue, objectName, recordFields } from './field-schemas.js';
import { isAnswerLost } from './salesforce.errors.js';
import type { SalesforceClient } from './salesforce.client.js';
import { bindSoql } from './soql-parameters.js';

export const createRecord = defineAction({
  title: 'Create a record',
  summary: 'Makes a new record.',
  connection: salesforceOrg,
  input: z.object({
    object: objectName(),
    fields: recordFields(),
    guard: fieldName().optional().meta({
      title: 'Guarded by',
      description:
        'A unique external id field, given in fields as well: a record that already holds its value is taken instead of making a second one.',
    }),
    allowDuplicates: allowDuplicates(),
  }),
  output: z.object({ id: z.string(), created: z.boolean() }),
  examples: [
    {
      object: 'Task',
      guard: 'Event_Key__c',
      fields: { Event_Key__c: '31337:0x5b1d:3', Subject: 'Large transfer', Priority: 'High' },
    },
  ],
  repeatable:
    'With `guard` it finds the record it made and makes no second one, even after a lost answer; only `created` differs. Without, a lost answer ends the step with `salesforce.ambiguous` and it is not tried again: look, then retry by hand. A hub that is killed in between may make a second record.',
  check: (context) => checkWrite(context, 'create'),
  async run({ input, client, signal, attempt }) {
    const { object, fields, guard, allowDuplicates: allowed } = input;
    const value = guard === undefined ? undefined : matchableValue(guard, fields);
    const existing = () =>
      guard === undefined || value === undefined ? undefined : idOf(client, object, guard, value, signal);
    if (attempt > 1) {
      const id = await existing();
      if (id !== undefined) return { id, created: false };
    }
    try {
      const { id } = await client.write({ operation: 'create', object, fields, allowDuplicates: allowed }, signal);
      return { id, created: true };
    } catch (error) {
      if (isAnswerLost(error) && guard === undefined) throw ambiguous(object, error);
      const mayExist = isAnswerLost(error) || isDuplicateValue(error);
      const id = mayExist ? await existing() : undefined;
      if (id === undefined) throw error;
      return { id, created: !isDuplicateValue(error) };
    }
  },
});

async function idOf(
  client: SalesforceClient,
  object: string,
  guard: string,
  value: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const soql = bindSoql(`SELECT Id FROM ${object} WHERE ${guard} = :value`, { value });
  const { records } = await client.query(soql, 1, signal);
  return records[0] === undefined ? undefined : String(records[0]['Id']);
}

function isDuplicateValue(error: unknown): boolean {
  return error instanceof PatchbayError && error.code === 'salesforce.data' && error.detail.includes('DUPLICATE_VALUE');
}

function ambiguous(object: string, cause: unknown): PatchbayError {
  return new PatchbayError('salesforce.ambiguous', {
    detail: `The ${object} may have been created: ${PatchbayError.from(cause).detail}`,
    fix: 'Look whether it is there before you retry the run; with a guard field, or as an upsert, it is repeated safely.',
    cause,
  });
}
