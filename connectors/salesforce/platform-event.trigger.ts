import { defineTrigger, z } from '#sdk';
import { checkObject } from './checks.js';
import { salesforceOrg } from './connection.js';
import { formatPlace, parsePlace } from './stream-place.js';

const dataSchema = z.object({
  event: z.looseObject({ replayId: z.number().int(), EventUuid: z.string().optional() }),
  payload: z.looseObject({ CreatedDate: z.string().optional(), CreatedById: z.string().optional() }),
});

export const platformEvent = defineTrigger({
  title: 'Platform event',
  summary: 'Starts a run for every platform event that an org publishes.',
  connection: salesforceOrg,
  input: z.object({
    event: z
      .string()
      .regex(
        /^\w+__(e|chn)$/,
        'must be the API name of a platform event, ending in __e, or of a channel, ending in __chn',
      )
      .meta({ title: 'Event', examples: ['Settled__e', 'Settlements__chn'] }),
    start: z.enum(['new', 'earliest']).default('new').meta({
      title: 'First start',
      description: 'With what is published from now on, or with all that Salesforce still keeps (72 hours).',
    }),
    onExpired: z.enum(['earliest', 'new', 'fail']).default('earliest').meta({
      title: 'After a loss',
      description:
        'When Salesforce no longer keeps the place. Platform events leave no records, so there is nothing to look up.',
    }),
  }),
  event: z.object({
    fields: z.record(z.string(), z.unknown()),
    replayId: z.number().int(),
    uuid: z.string().optional(),
    createdDate: z.string().optional(),
    createdById: z.string().optional(),
  }),
  examples: [{ event: 'Settled__e' }, { event: 'Settlements__chn', start: 'earliest', onExpired: 'fail' }],

  check(context) {
    const { event } = context.input;
    // A channel is described nowhere.
    return checkObject(context, /__e$/.test(String(event)) ? event : undefined, '/event', () => []);
  },
  async listen(context) {
    const { client, signal, log } = context;
    const { event: name, start, onExpired } = context.input;
    const after = parsePlace(context.cursor);
    for await (const { events, place } of client.stream.events({
      channel: `/event/${name}`,
      after,
      start,
      onExpired,
      signal,
    })) {
      const heard = events.flatMap(({ data }) => {
        const parsed = dataSchema.safeParse(data);
        if (!parsed.success) {
          log.error('A platform event of Salesforce cannot be read and is left out', { data });
          return [];
        }
        const { replayId, EventUuid: uuid } = parsed.data.event;
        const { CreatedDate: createdDate, CreatedById: createdById, ...fields } = parsed.data.payload;
        return {
          // Replay ids change when an org moves; the uuid belongs to the event.
          id: uuid ?? `${place.orgId}:${name}:${replayId}`,
          event: { fields, replayId, uuid, createdDate, createdById },
          ...(createdDate === undefined ? {} : { time: createdDate }),
        };
      });
      await context.emit(heard, { cursor: formatPlace(place) });
    }
  },
});
