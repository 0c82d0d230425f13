import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { defineTrigger, z, type Heard, type ListenContext } from '#sdk';
import { changedRows, chosenFields, idOf, overlapMs, stampOf } from './changed-rows.js';
import { checkNames } from './checks.js';
import { salesforceOrg } from './connection.js';
import { fieldName, objectName } from './field-schemas.js';
import type { SalesforceClient, SalesforceRecord } from './salesforce.client.js';

const change = z.enum(['created', 'updated', 'deleted']);

const input = z.object({
  object: objectName(),
  fields: z
    .array(fieldName())
    .min(1)
    .optional()
    .meta({ title: 'Fields', description: 'What to read of a record. If absent: all.' }),
  where: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'Condition',
      description: 'In SOQL, as it stands after WHERE. A record that leaves it is not told.',
      examples: ["StageName = 'Closed Won'"],
    }),
  changes: z
    .array(change)
    .min(1)
    .default(['created', 'updated', 'deleted'])
    .meta({ title: 'Changes', description: 'Which of them start a run.' }),
  everySeconds: z
    .number()
    .int()
    .min(5)
    .max(86_400)
    .default(60)
    .meta({ title: 'Ask every so many seconds', description: 'Each time costs at least one call of the daily limit.' }),
});

const eventSchema = z.object({
  type: change,
  object: z.string(),
  recordId: z.string(),
  fields: z
    .record(z.string(), z.unknown())
    .meta({ description: 'As they were read; of a deleted record as they were last.' }),
  at: z.iso.datetime().meta({ description: 'When Salesforce stored it, in whole seconds.' }),
});

type RecordEvent = z.output<typeof eventSchema>;
type Context = ListenContext<z.output<typeof input>, SalesforceClient, RecordEvent>;

/** How far it has read, and since when anything is wanted; by the clock of the org. */
interface Watermark {
  readonly at: number;
  readonly from: number;
  /** Keys of what was there already, as far as it would be read again. */
  readonly known: readonly string[];
}

/** More of one second than a place should name: then that second is left out as a whole. */
const mostKnown = 100;

/**
 * The fall-back where nothing can be streamed: asks for what changed. It sees the last state of a record and not each
 * change, and looks back a quarter of an hour every time, because rows can appear later than they are stamped.
 */
export const recordChanged = defineTrigger({
  title: 'Record changed (polling)',
  summary: 'Asks now and then which records of an object changed, and starts a run for each.',
  connection: salesforceOrg,
  input,
  event: eventSchema,
  examples: [
    { object: 'Account' },
    { object: 'Invoice__c', fields: ['Total__c'], changes: ['updated'], everySeconds: 300 },
  ],

  check: checkNames,
  async listen(context) {
    const { signal, input } = context;
    let mark = parseMark(context.cursor) ?? (await begin(context));
    /** Keys of what was there or was emitted, and when the rows were stored. */
    const seen = new Map(mark.known.map((key) => [key, mark.from]));
    while (!signal.aborted) {
      mark = await poll(context, mark, seen);
      for (const [key, stamp] of seen) if (stamp < mark.at - overlapMs) seen.delete(key);
      await delay(input.everySeconds * 1_000, undefined, { signal }).catch(() => undefined);
    }
  },
});

/** What is there already is not new, however often the trigger begins again. */
async function begin(context: Context): Promise<Watermark> {
  const { client, input, signal } = context;
  const soql = `SELECT Id, SystemModstamp FROM ${input.object} ORDER BY SystemModstamp DESC LIMIT 1`;
  const { records } = await client.query(soql, 1, signal, { includesDeleted: true });
  const [newest] = records;
  const at = newest === undefined ? Date.now() - overlapMs : stampOf(newest);
  const known: string[] = [];
  for await (const page of rowsSince(context, at)) {
    // What is stamped later was made since, and is new.
    const there = page.filter((row) => stampOf(row) <= at);
    for (const row of there) known.push(keyOf(row, input.fields));
    if (there.length < page.length || known.length > mostKnown) break;
  }
  const next = at + 1_000;
  const mark = known.length > mostKnown ? { at: next, from: next, known: [] } : { at, from: at, known };
  await context.emit([], { cursor: formatMark(mark) });
  return mark;
}

async function poll(context: Context, start: Watermark, seen: Map<string, number>): Promise<Watermark> {
  // What is older is not read any more.
  let mark = start.at - overlapMs > start.from ? { ...start, known: [] } : start;
  for await (const page of rowsSince(context, Math.max(start.at - overlapMs, start.from))) {
    const rows = page.map((row) => ({ row, key: keyOf(row, context.input.fields) }));
    const fresh = rows.filter(({ key }) => !seen.has(key));
    const heard = fresh.flatMap(({ row, key }) => heardOf(context, row, key, start) ?? []);
    for (const row of page) mark = { ...mark, at: Math.max(mark.at, stampOf(row)) };
    if (heard.length > 0) await context.emit(heard, { cursor: formatMark(mark) });
    for (const { row, key } of fresh) seen.set(key, stampOf(row));
  }
  return mark;
}

function rowsSince({ client, input, signal }: Context, since: number) {
  const { object, fields, where } = input;
  return changedRows(client, { object, fields, where, since: new Date(since) }, signal);
}

function heardOf(
  { input }: Context,
  row: SalesforceRecord,
  key: string,
  { at: readUpTo }: Watermark,
): Heard<RecordEvent> | undefined {
  const type = typeOf(row, readUpTo);
  if (!input.changes.includes(type)) return undefined;
  const at = new Date(stampOf(row)).toISOString();
  const recordId = idOf(row);
  const fields = chosenFields(row, input.fields);
  return { id: key, event: { type, object: input.object, recordId, fields, at }, time: at, subject: recordId };
}

function typeOf(row: SalesforceRecord, readUpTo: number): RecordEvent['type'] {
  if (row['IsDeleted'] === true) return 'deleted';
  const created = Date.parse(String(row['CreatedDate']));
  return created > readUpTo || created === stampOf(row) ? 'created' : 'updated';
}

/** The same when the same is read again. A stamp is no finer than a second, so what is in the row counts too. */
function keyOf(row: SalesforceRecord, fields: readonly string[] | undefined): string {
  const values = JSON.stringify([row['IsDeleted'], chosenFields(row, fields)]);
  return `${idOf(row)}@${stampOf(row)}-${createHash('sha256').update(values).digest('hex').slice(0, 12)}`;
}

function formatMark({ at, from, known }: Watermark): string {
  return [at, from, ...(known.length > 0 ? [known.join(',')] : [])].join('/');
}

function parseMark(cursor: string | undefined): Watermark | undefined {
  const [, at, from, known] = /^(\d+)\/(\d+)(?:\/(.+))?$/.exec(cursor ?? '') ?? [];
  if (at === undefined || from === undefined) return undefined;
  return { at: Number(at), from: Number(from), known: known?.split(',') ?? [] };
}
