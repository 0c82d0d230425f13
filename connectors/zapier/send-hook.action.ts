import { defineAction, z } from '#sdk';
import { catchHook } from './connection.js';

export const sendHook = defineAction({
  title: 'Send to a Zap',
  summary: 'Posts a body to a Catch Hook and so starts the Zap behind it.',
  connection: catchHook,
  input: z.object({
    body: z.record(z.string(), z.unknown()).meta({ title: 'Body' }),
    includeId: z.boolean().default(false).meta({
      title: 'Include an id',
      description: 'Adds the field id to the body, the same on every attempt, so that the Zap can drop repeats',
    }),
  }),
  output: z.object({
    id: z.string().optional().meta({ description: 'Id that Zapier gave to the request' }),
    requestId: z.string().optional(),
  }),
  examples: [{ body: { amount: '25000' } }, { body: { amount: '25000' }, includeId: true }],
  repeatable:
    'A Catch Hook knows no idempotency key: an attempt whose answer was lost may start the Zap twice. With `includeId` every attempt carries the same field `id`, by which a Zap can drop repeats. Success means that Zapier accepted the body, not that a Zap ran.',
  async run({ input, client, idempotencyKey, signal }) {
    const body = input.includeId ? { id: idempotencyKey, ...input.body } : input.body;
    const { id, requestId } = await client.post(body, idempotencyKey, signal);
    return { ...(id !== undefined && { id }), ...(requestId !== undefined && { requestId }) };
  },
});
