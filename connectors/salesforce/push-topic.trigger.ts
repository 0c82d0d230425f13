import { defineTrigger, z, type Heard, type ListenContext } from '#sdk';
import { changedRows, idOf, stampOf } from './changed-rows.js';
import type { HeardEvents, StreamEvent } from './channel-listener.js';
import { checkQuery, checkTopic } from './checks.js';
import { salesforceOrg } from './connection.js';
import { faultsOfTopic, topicName, type TopicSettings } from './push-topic-query.js';
import { describeTopic, ensureTopic, forgetTopic, type KnownTopic } from './push-topic.js';
import { holds, reconcile, ToldRows } from './reconcile.js';
import type { SalesforceClient, SalesforceRecord } from './salesforce.client.js';
import { formatPlace, parsePlace } from './stream-place.js';

const operation = z.enum(['create', 'update', 'delete', 'undelete']);

const input = z
  .object({
    topic: z
      .string()
      .regex(/^[\w.-]{1,25}$/, 'must be the name of a push topic, at most 25 characters')
      .optional()
      .meta({
        title: 'Push topic',
        description: 'One that exists, by its name; it is left as it is.',
        examples: ['WonOpportunities'],
      }),
    query: z
      .string()
      .optional()
      .meta({
        title: 'Query',
        description: 'Instead of a topic: the hub makes one for this query and keeps it right.',
        examples: ["SELECT Id, Name FROM Opportunity WHERE StageName = 'Closed Won'"],
      }),
    operations: z.array(operation).min(1).default(['create', 'update', 'delete', 'undelete']).meta({
      title: 'Operations',
      description: 'For query: which changes are told.',
    }),
    notifyForFields: z.enum(['All', 'Referenced', 'Select', 'Where']).default('Referenced').meta({
      title: 'Fields that matter',
      description: 'For query: an update is told when one of these fields changed.',
    }),
    start: z.enum(['new', 'earliest']).default('new').meta({
      title: 'First start',
      description: 'With what happens from now on, or with all that Salesforce still keeps (24 hours).',
    }),
    onExpired: z.enum(['reconcile', 'earliest', 'new', 'fail']).default('reconcile').meta({
      title: 'After a loss',
      description: 'When Salesforce no longer keeps the place: look up what changed since, or go on without.',
    }),
  })
  .superRefine(({ topic, query, notifyForFields }, faults) => {
    const fault = (path: string, message: string) => faults.addIssue({ code: 'custom', path: [path], message });
    if ((topic === undefined) === (query === undefined)) fault('topic', 'give either topic or query');
    if (query !== undefined) for (const text of faultsOfTopic({ query, notifyForFields })) fault('query', text);
  });

const eventSchema = z.object({
  type: z.enum(['created', 'updated', 'deleted', 'undeleted']),
  replayId: z
    .number()
    .int()
    .optional()
    .meta({ description: 'Absent when the change was found by a query after a loss.' }),
  createdDate: z.string().optional(),
  sobject: z.record(z.string(), z.unknown()).meta({ description: 'The fields that the query of the topic selects.' }),
});
const dataSchema = z.object({
  event: eventSchema.omit({ sobject: true }),
  sobject: z.record(z.string(), z.unknown()),
});

type TopicEvent = z.output<typeof eventSchema>;
type Context = ListenContext<z.output<typeof input>, SalesforceClient, TopicEvent>;

export const pushTopic = defineTrigger({
  title: 'Push topic event',
  summary: 'Starts a run for every change of a record that a push topic reports.',
  connection: salesforceOrg,
  input,
  event: eventSchema,
  examples: [
    { topic: 'WonOpportunities' },
    { query: "SELECT Id, Name, Amount FROM Opportunity WHERE StageName = 'Closed Won'", operations: ['update'] },
  ],

  async check(context) {
    const { topic, query } = context.input;
    return [...(await checkTopic(context, topic)), ...(await checkQuery(context, '/query', query, true))];
  },
  async listen(context) {
    const { client, signal, log } = context;
    const { topic, start, onExpired } = context.input;
    const made = madeTopic(context.input);
    const name = made === undefined ? (topic ?? '') : await ensureTopic(client, made, { log, signal });
    const after = parsePlace(context.cursor);
    let cursor = context.cursor ?? '';
    const told = new ToldRows();
    for await (const heard of client.stream.events({ channel: `/topic/${name}`, after, start, onExpired, signal })) {
      if (heard.gap !== undefined) {
        const known = await describeTopic(client, name, signal);
        await catchUp(context, { heard, gap: heard.gap, topic: known, cursor, told });
      }
      cursor = formatPlace(heard.place);
      const events = heard.events.flatMap(
        (event) => heardOf(context, event, `${heard.place.orgId}:${name}`, told) ?? [],
      );
      await context.emit(events, { cursor });
    }
  },

  async forget({ input: given, others, client, log, signal }) {
    const made = madeTopic(given);
    if (made === undefined) return;
    const name = topicName(made);
    const stillMade = others.flatMap((other) => madeTopic(other) ?? []);
    if (stillMade.some((other) => topicName(other) === name)) return;
    await forgetTopic(client, made, { log, signal });
  },
});

type Input = z.output<typeof input>;

/** Undefined: a topic of the org, which is left as it is. */
function madeTopic({ query, operations, notifyForFields }: Input): TopicSettings | undefined {
  return query === undefined ? undefined : { query, operations, notifyForFields };
}

function heardOf(
  context: Context,
  { data, at }: StreamEvent,
  prefix: string,
  told: ToldRows,
): Heard<TopicEvent> | undefined {
  const { success, data: change } = dataSchema.safeParse(data);
  if (!success) {
    context.log.error('An event of Salesforce cannot be read and is left out', { data });
    return undefined;
  }
  const { event, sobject } = change;
  const id = String(sobject['Id'] ?? '');
  if (told.covers(id, at ?? Infinity, sobject, event.type === 'deleted')) return undefined;
  return {
    // Replay ids of two orgs, or of a sandbox before and after a refresh, can be equal.
    id: `${prefix}:${event.replayId}`,
    event: { ...event, sobject },
    ...(event.createdDate === undefined ? {} : { time: event.createdDate }),
    ...(id === '' ? {} : { subject: id }),
  };
}

async function catchUp(
  context: Context,
  {
    heard,
    gap,
    topic,
    cursor,
    told,
  }: { heard: HeardEvents; gap: NonNullable<HeardEvents['gap']>; topic: KnownTopic; cursor: string; told: ToldRows },
): Promise<void> {
  const { object, fields, where, name } = topic;
  await reconcile(context, {
    gap,
    cursor,
    told,
    rows: (since) => changedRows(context.client, { object, fields, where, since }, context.signal),
    heardOf(row, known) {
      const sobject = selected(row, fields);
      const type = typeOf(row, known?.event, gap.since);
      if (!topic.tells[type] || isTold(type, sobject, known?.event)) return undefined;
      return {
        id: `${heard.place.orgId}:${name}:${idOf(row)}@${stampOf(row)}`,
        event: {
          type,
          createdDate: new Date(stampOf(row)).toISOString(),
          sobject: type === 'deleted' ? { Id: idOf(row) } : sobject,
        },
        time: new Date(stampOf(row)).toISOString(),
        subject: idOf(row),
      };
    },
  });
}

function typeOf(row: SalesforceRecord, known: TopicEvent | undefined, since: number): TopicEvent['type'] {
  if (row['IsDeleted'] === true) return 'deleted';
  if (known?.type === 'deleted') return 'undeleted';
  return known === undefined && Date.parse(String(row['CreatedDate'])) >= since ? 'created' : 'updated';
}

/** Whether the last event about the row said what the row holds: a topic tells nothing but what it selects. */
function isTold(type: TopicEvent['type'], sobject: SalesforceRecord, known: TopicEvent | undefined): boolean {
  if (known === undefined) return false;
  if (type === 'deleted' || known.type === 'deleted') return type === known.type;
  return holds(sobject, known.sobject);
}

function selected(row: SalesforceRecord, fields: readonly string[]): SalesforceRecord {
  const wanted = new Set(fields.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(row).filter(([name]) => wanted.has(name.toLowerCase())));
}
