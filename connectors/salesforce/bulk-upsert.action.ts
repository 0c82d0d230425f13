import { defineAction, PatchbayError, z } from '#sdk';
import { checkWrite } from './checks.js';
import { salesforceOrg } from './connection.js';
import { fieldName, matchableValue, objectName } from './field-schemas.js';

const failuresShown = 100;

export const bulkUpsert = defineAction({
  title: 'Upsert many records',
  summary: 'Hands rows to the Bulk API, for backfills of thousands of records; bulkResult tells what became of them.',
  connection: salesforceOrg,
  input: z.object({
    object: objectName(),
    matchOn: fieldName().meta({ title: 'External id field', description: 'Every row must have a value for it.' }),
    rows: z.array(z.record(z.string(), z.unknown())).min(1).max(100_000).meta({
      title: 'Rows',
      description: 'Fields by API name; null empties a field, a missing one is left as it is.',
    }),
  }),
  output: z.object({ job: z.string().meta({ description: 'Id of the job, for bulkResult' }), rows: z.number().int() }),
  examples: [{ object: 'Contact', matchOn: 'Wallet__c', rows: [{ Wallet__c: '0x5fbd', LastName: 'Wallet 0x5fbd' }] }],
  repeatable:
    'Done again it makes a second job with the same rows, which sets the same values on the same records. The id of the job is in the journal of the run once the step is done.',
  check: (context) => checkWrite(context, 'upsert'),
  async run({ input: { object, matchOn, rows }, client, signal }) {
    for (const row of rows) matchableValue(matchOn, row);
    const job = await client.bulk.createIngest({ object, operation: 'upsert', matchOn }, signal);
    await client.bulk.upload(job, rows, signal);
    await client.bulk.close(job, signal);
    return { job, rows: rows.length };
  },
});

export const bulkResult = defineAction({
  title: 'Result of a bulk job',
  summary: 'Waits for a job of the Bulk API and tells how many rows were written, and which were refused.',
  connection: salesforceOrg,
  input: z.object({
    job: z
      .string()
      .regex(/^[a-zA-Z0-9]{15,18}$/, 'must be the id of a job')
      .meta({ title: 'Job', examples: ['750000000000001AAA'] }),
  }),
  output: z.object({
    written: z.number().int(),
    refused: z.number().int(),
    failures: z
      .array(z.object({ error: z.string(), fields: z.record(z.string(), z.string()) }))
      .meta({ description: `The first ${failuresShown} refused rows, with the reason` }),
  }),
  examples: [{ job: '750000000000001AAA' }],
  repeatable: 'It changes nothing: it asks for the same job again, also after a time-out or a restart of the hub.',
  async run({ input: { job }, client, signal }) {
    const state = await client.bulk.finished('ingest', job, signal);
    const { numberRecordsProcessed: processed = 0, numberRecordsFailed: refused = 0 } = state;
    if (state.state !== 'JobComplete') {
      throw new PatchbayError('salesforce.data', {
        detail: `The bulk job ${job} ended as ${state.state} after ${processed} rows: ${state.errorMessage ?? 'no reason given'}`,
        fix: 'Correct what the reason names and load the rows again: an upsert may be repeated.',
      });
    }
    const failures = refused === 0 ? [] : (await client.bulk.failedRows(job, signal)).slice(0, failuresShown);
    return { written: processed - refused, refused, failures };
  },
});
