import { defineAction, z } from '#sdk';
import { iftttAccount } from './connection.js';

const value = z.union([z.string(), z.number(), z.boolean()]).transform(String).optional();

export const triggerEvent = defineAction({
  title: 'Trigger an IFTTT event',
  summary: 'Fires an event of the IFTTT Webhooks service, with up to three values or with JSON.',
  connection: iftttAccount,
  input: z
    .object({
      event: z
        .string()
        .regex(/^\w{1,64}$/, 'must be letters, digits and underscores')
        .meta({ title: 'Event name', examples: ['large_transfer'] }),
      value1: value,
      value2: value,
      value3: value,
      json: z.unknown().optional().meta({
        title: 'JSON',
        description: 'Instead of values; fires "Receive a web request with a JSON payload"',
      }),
    })
    .refine(({ json, value1, value2, value3 }) => json === undefined || (value1 ?? value2 ?? value3) === undefined, {
      message: 'Give values or json, not both: they fire two different triggers in IFTTT.',
      path: ['json'],
    }),
  output: z.object({ message: z.string() }),
  examples: [
    { event: 'large_transfer', value1: '25000 USDC' },
    { event: 'large_transfer', json: { amount: '25000' } },
  ],
  repeatable:
    'IFTTT takes no idempotency key: an attempt whose answer was lost may fire the event a second time. Success means that IFTTT accepted the event, not that an Applet ran; a misspelt event name succeeds too.',
  async run({ input: { event, json, value1, value2, value3 }, client, signal }) {
    const message =
      json === undefined
        ? await client.fireWithValues(event, given({ value1, value2, value3 }), signal)
        : await client.fireWithJson(event, json, signal);
    return { message };
  },
});

function given(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
