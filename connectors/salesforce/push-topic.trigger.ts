import { defineTrigger, z } from '#sdk';
import { salesforceOrg } from './connection.js';
import type { StreamPlace } from './topic-listener.js';

export const pushTopic = defineTrigger({
  title: 'Push topic event',
  summary: 'Starts a run for every change of a record that a push topic reports.',
  connection: salesforceOrg,
  input: z.object({
    topic: z
      .string()
      .regex(/^[\w.-]{1,25}$/, 'must be the name of a push topic, at most 25 characters')
      .meta({ title: 'Push topic', examples: ['WonOpportunities'] }),
    start: z.enum(['new', 'earliest']).default('new').meta({
      title: 'First start',
      description: 'With what happens from now on, or with all that Salesforce still keeps (24 hours).',
    }),
    onExpired: z.enum(['earliest', 'new', 'fail']).default('earliest').meta({
      title: 'After a long pause',
      description: 'What to do when Salesforce no longer keeps the place where the hub left off.',
    }),
  }),
  event: z.object({
    type: z.enum(['created', 'updated', 'deleted', 'undeleted']),
    replayId: z.number().int(),
    createdDate: z.string().optional(),
    sobject: z.record(z.string(), z.unknown()).meta({ description: 'The fields that the query of the topic selects.' }),
  }),
  examples: [{ topic: 'WonOpportunities' }, { topic: 'WonOpportunities', start: 'earliest', onExpired: 'fail' }],

  async listen(context) {
    const { client, cursor, signal } = context;
    const { topic, start, onExpired } = context.input;
    const changes = client.stream.changes({
      channel: `/topic/${topic}`,
      after: parsePlace(cursor),
      start,
      onExpired,
      signal,
    });
    for await (const { changes: heard, place } of changes) {
      await context.emit(
        heard.map(({ event, sobject }) => ({
          // Replay ids of two orgs, or of a sandbox before and after a refresh, can be equal.
          id: `${place.orgId}:${topic}:${event.replayId}`,
          event: { ...event, sobject },
          ...(event.createdDate === undefined ? {} : { time: event.createdDate }),
          ...(typeof sobject['Id'] === 'string' ? { subject: sobject['Id'] } : {}),
        })),
        { cursor: formatPlace(place) },
      );
    }
  },
});

function formatPlace(place: StreamPlace): string {
  return 'since' in place ? `${place.orgId}@${place.since}` : `${place.orgId}:${place.replayId}`;
}

function parsePlace(cursor: string | undefined): StreamPlace | undefined {
  const [, orgId, kind, number] = /^(\w+)([:@])(\d+)$/.exec(cursor ?? '') ?? [];
  if (orgId === undefined) return undefined;
  return kind === '@' ? { orgId, since: Number(number) } : { orgId, replayId: Number(number) };
}
