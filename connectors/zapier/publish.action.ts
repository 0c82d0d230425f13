import { defineAction, z, zapierItems } from '#sdk';

const name = z
  .string()
  .regex(/^[a-z][a-zA-Z0-9_]{0,63}$/, 'must begin with a lower-case letter, then letters, digits, _');
/** Every item has these by itself. */
const reserved = ['id', 'event', 'time'];

const value = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((given) => (given === null ? '' : String(given)));

export const publish = defineAction({
  title: 'Publish to Zapier',
  summary: 'Starts the Zaps that listen to this event of the hub.',
  input: z.object({
    event: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,63}$/, 'must begin with a lower-case letter, then lower-case letters, digits, _')
      .meta({
        title: 'Event',
        description: 'All steps with the same name publish the same event. Renaming it breaks the Zaps that use it.',
        examples: ['large_transfer'],
      }),
    title: z
      .string()
      .min(2)
      .max(100)
      .optional()
      .meta({ title: 'Title', description: 'What people choose it by in Zapier. Default: the name.' }),
    fields: z
      .record(
        name.refine((key) => !reserved.includes(key), 'is a field that every event has by itself'),
        value,
      )
      .meta({ title: 'Fields', description: 'Names and values that a Zap may use. Every event has them all.' }),
    delivery: z.enum(['spread', 'batch']).default('spread').meta({
      title: 'Delivery',
      description:
        'Of a burst: one request for each event, spread over time; or several in one request, of which each starts a run.',
    }),
    id: z
      .union([z.string().min(1).max(255), z.number()])
      .transform(String)
      .optional()
      .meta({ title: 'Id', description: 'A Zap runs once for each. Default: the run and the step.' }),
    time: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ title: 'Time', description: 'When it happened, as RFC 3339. Default: now.' }),
  }),
  output: z.object({
    id: z.string(),
    /** False: it was published already. */
    isNew: z.boolean(),
  }),
  examples: [
    { event: 'large_transfer', fields: { amount: '25000', wallet: '0x5fbdb2315678afecb367f032d93f642f64180aa3' } },
  ],
  repeatable:
    'An event with the same id is published once, so a repeated attempt changes nothing. Each Zap that listens gets it once: what was sent is written down, and the app at Zapier drops what comes again because an answer was lost.',
  async run({ input, use, idempotencyKey }) {
    const id = input.id ?? idempotencyKey;
    const { isNew } = await use(zapierItems).publish({
      slug: input.event,
      id,
      time: input.time ?? new Date().toISOString(),
      ingredients: input.fields,
      inBatch: input.delivery === 'batch',
    });
    return { id, isNew };
  },
});
