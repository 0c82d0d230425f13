import { z } from '#sdk';
import type { StreamEvent } from './stream.js';

const stream = z.string().min(1).max(200).meta({ description: 'Name of the stream.' });
const batchNumber = z.number().int().min(0);

/** What a client may say, whatever the transport. */
export const consumerCommands = {
  listen: z.strictObject({
    type: z.literal('listen'),
    stream,
    consumer: z
      .string()
      .regex(/^[a-z0-9-]{1,60}$/, 'must have 1 to 60 small letters, digits and hyphens')
      .optional()
      .meta({ description: 'Of a stream with mode `broadcast`: whose place is meant.' }),
  }),
  ack: z.strictObject({
    type: z.literal('ack'),
    stream,
    batch: batchNumber.meta({ description: 'Number of the batch in flight; any other is refused.' }),
    id: z.string().max(200).optional().meta({ description: 'Id of the batch, to be quite sure.' }),
  }),
  error: z.strictObject({
    type: z.literal('error'),
    stream,
    batch: batchNumber.meta({ description: 'Number of the batch in flight, which comes again later.' }),
    id: z.string().max(200).optional(),
    message: z.string().max(1_000).default('no reason given').meta({ description: 'Kept as the reason.' }),
  }),
} as const;

export const consumerCommand = z.discriminatedUnion('type', [
  consumerCommands.listen,
  consumerCommands.ack,
  consumerCommands.error,
]);

export const streamEvent = z.object({
  specversion: z.literal('1.0'),
  id: z.string().meta({ description: 'The same whenever and wherever the event is delivered.' }),
  source: z.string(),
  type: z.string().meta({ examples: ['evm.contractEvent', 'evm.contractEvent.reverted', 'evm.transactionStatus'] }),
  subject: z.string().optional(),
  time: z.iso.datetime().optional(),
  data: z.record(z.string(), z.unknown()).readonly(),
});

/** What the hub tells a client. */
export const consumerMessages = {
  listening: z.object({ type: z.literal('listening'), stream, consumer: z.string().optional() }),
  batch: z.object({
    type: z.literal('batch'),
    stream,
    batch: batchNumber.meta({ description: 'To be answered with; the same when the batch comes again.' }),
    id: z.string().meta({ description: 'The same as long as the batch holds the same events.' }),
    events: z.array(streamEvent).readonly(),
    answerWithinMs: z.number().int().meta({ description: 'After this time without an answer it comes again.' }),
  }),
  ended: z
    .object({ type: z.literal('ended'), stream, code: z.string(), message: z.string() })
    .meta({ description: 'Nothing more comes from this stream until the client listens again.' }),
  error: z.object({
    type: z.literal('error'),
    stream: z.string().optional(),
    code: z.string(),
    message: z.string(),
    fix: z.string().optional().meta({ description: 'What to do about it.' }),
  }),
} as const;

export type ConsumerCommand = z.output<typeof consumerCommand>;
export type BatchMessage = Readonly<Omit<z.output<typeof consumerMessages.batch>, 'events'>> & {
  readonly events: readonly StreamEvent[];
};
/** What a session sends; `error` is the transport's, which knows whether a command has an answer of its own. */
export type ConsumerMessage =
  BatchMessage | z.output<typeof consumerMessages.listening> | z.output<typeof consumerMessages.ended>;
