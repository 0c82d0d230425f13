import { defineAction, iftttItems, z } from '#sdk';
import { slug, title } from './slug.js';

const ingredient = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((value) => (value === null ? '' : String(value)));

export const publish = defineAction({
  title: 'Publish to IFTTT',
  summary: 'Adds an event to a trigger that the hub offers to IFTTT, and lets IFTTT know.',
  input: z.object({
    trigger: slug().meta({
      title: 'Trigger',
      description: 'Slug of the trigger; all steps with the same slug publish to the same trigger.',
      examples: ['whale_alert'],
    }),
    title: title.meta({ title: 'Title', description: 'What the trigger is called at IFTTT. Default: from the slug.' }),
    description: z.string().max(500).optional().meta({ title: 'Description', description: 'For the set-up sheet.' }),
    ingredients: z
      .record(slug(), ingredient)
      .refine((ingredients) => Object.keys(ingredients).length > 0, 'must name at least one')
      .meta({
        title: 'Ingredients',
        description: 'Names and values that an Applet may use. Every event has them all.',
      }),
    types: z
      .record(slug(), z.enum(['String', 'Date', 'Date with time', 'Web URL', 'Image URL', 'File URL']))
      .default({})
      .meta({ title: 'Types', description: 'Of ingredients that are not plain text, for the set-up sheet.' }),
    id: z
      .union([z.string().min(1).max(255), z.number()])
      .transform(String)
      .optional()
      .meta({
        title: 'Id',
        description:
          'IFTTT fires once for each. Default: the run and the step, so that a repeated attempt adds nothing.',
      }),
    time: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ title: 'Time', description: 'When it happened, as RFC 3339. Default: now.' }),
  }),
  output: z.object({
    id: z.string(),
    /** False: it was there already. */
    isNew: z.boolean(),
  }),
  examples: [
    {
      trigger: 'whale_alert',
      ingredients: { amount: '25000 USDC', receiver: '0x5fbdb2315678afecb367f032d93f642f64180aa3' },
    },
  ],
  repeatable:
    'An event with the same id is added once, so a repeated attempt changes nothing. Applets of IFTTT fire once for each id.',
  async run({ input, use, idempotencyKey }) {
    const id = input.id ?? idempotencyKey;
    const { isNew } = await use(iftttItems).publish({
      slug: input.trigger,
      id,
      time: input.time ?? new Date().toISOString(),
      ingredients: input.ingredients,
    });
    return { id, isNew };
  },
});
