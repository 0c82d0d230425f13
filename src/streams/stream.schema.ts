import { duration, finalityInput, parseSigningSecret, secret, z } from '#sdk';
import { kinesisSettings, lambdaSettings } from './targets/aws-settings.js';

const name = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be in kebab-case')
  .max(63)
  .meta({ title: 'Name', description: 'Unique, in kebab-case.', examples: ['treasury-transfers'] });

const contract = z
  .string()
  .min(1)
  .max(200)
  .meta({ title: 'Contract', description: 'A name known to the network, or an address.', examples: ['usdc'] });

const argument = z.union([z.string(), z.number(), z.boolean()]);

const event = z.strictObject(
  {
    event: z
      .string()
      .min(1)
      .max(2_000)
      .meta({
        title: 'Event',
        description:
          'Its name; its signature where names repeat; or its whole declaration, which needs no ABI: Transfer(address indexed from, address indexed to, uint256 value).',
        examples: ['Transfer'],
      }),
    contract: contract.optional().meta({ description: 'Only of this contract. Default: of all in `contracts`.' }),
    abi: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({ title: 'ABI', description: 'Name of an ABI, where the contract alone does not tell it.' }),
    args: z
      .record(z.string(), z.union([argument, z.array(argument).min(1).max(1_000)]))
      .optional()
      .meta({
        title: 'Indexed arguments',
        description: 'A value, or a list of values, for each indexed argument that matters; the node searches by them.',
      }),
  },
  { error: ({ code }) => (code === 'invalid_type' ? 'must be an object such as { event: Transfer }' : undefined) },
);

const webhook = z.strictObject({
  type: z.literal('webhook'),
  url: z.url({ protocol: /^https?$/ }).meta({ title: 'Address' }),
  headers: z
    .record(z.string().regex(/^[\w-]{1,100}$/, 'must be the name of a header'), secret())
    .default({})
    .meta({ title: 'Headers', description: 'Sent with each batch. Their values are kept encrypted.' }),
  secret: secret()
    .optional()
    .refine(
      (value) => value === undefined || parseSigningSecret(value.reveal()) !== undefined,
      'must be whsec_ and the base64 text of 24 to 64 bytes',
    )
    .meta({ title: 'Signing secret', description: 'Of Standard Webhooks; batches are signed with it.' }),
  timeout: duration().prefault('15s').meta({ title: 'Time-out', description: 'For one attempt. Default 15s.' }),
});

const flow = z.strictObject({
  type: z.literal('flow'),
  flow: z.string().min(1).meta({
    title: 'Flow',
    description:
      'Each event starts a run of it. A flow that takes webhooks gets the CloudEvent as its body, any other the data of the event.',
  }),
});

const websocket = z.strictObject({
  type: z.literal('websocket'),
  mode: z.enum(['one', 'broadcast']).default('one').meta({
    title: 'Mode',
    description: '`one`: the connected clients share one place. `broadcast`: each named client has a place of its own.',
  }),
  ackTimeout: duration().prefault('30s').meta({
    title: 'Time to answer',
    description: 'A batch that is not answered in time counts as refused. Default 30s.',
  }),
});

const target = z
  .discriminatedUnion('type', [webhook, flow, websocket, lambdaSettings, kinesisSettings])
  .meta({ title: 'Target' });

const from = z
  .union([z.enum(['now', 'earliest']), z.int().min(0)], { error: 'must be now, earliest or the number of a block' })
  .meta({ title: 'From', description: '`now`, `earliest`, or the number of a block.', examples: ['now', 18_000_000] });

const retry = z.strictObject({
  delay: duration().prefault('1s').meta({ description: 'The first waiting time; it doubles. Default 1s.' }),
  maxDelay: duration().prefault('5m').meta({ description: 'The longest waiting time. Default 5m.' }),
  for: duration()
    .prefault('1h')
    .meta({ description: 'How long a batch is tried before `onFailure` applies. Default 1h.' }),
  onFailure: z.enum(['block', 'dead-letter']).default('block').meta({
    description:
      '`block`: keep trying this batch, nothing is delivered before it. `dead-letter`: put it aside and go on. Default block.',
  }),
});

const size = z.int().min(1).max(1_000);

/** What can change while a stream keeps its place. */
const changeable = {
  confirmations: finalityInput()
    .optional()
    .meta({ title: 'Confirmations', description: "Blocks on top before an event counts. Default: the network's." }),
  batch: z
    .strictObject({
      size: size.default(50).meta({ description: 'Most events of one batch. Default 50.' }),
      timeout: duration()
        .prefault('500ms')
        .meta({ description: 'A batch that is not full waits no longer than this. Default 500ms.' }),
    })
    .prefault({})
    .meta({ title: 'Batches' }),
  details: z
    .strictObject({
      call: z
        .boolean()
        .default(false)
        .meta({ description: 'Add the function that the transaction called, with its arguments.' }),
      signer: z.boolean().default(false).meta({ description: 'Add who signed the transaction.' }),
    })
    .prefault({})
    .meta({ title: 'Details' }),
  target,
  retry: retry.prefault({}).meta({ title: 'Retry' }),
  format: z.enum(['cloudevents', 'ethconnect', 'firefly']).default('cloudevents').meta({
    title: 'Format',
    description: 'Of batches to webhooks; the others are those of older gateways, for contract events only.',
  }),
  labels: z
    .record(z.string().max(100), z.string().max(500))
    .default({})
    .meta({ title: 'Labels', description: 'For whoever keeps the stream; they decide nothing.' }),
};

/** What decides which events there are: a change of it makes another stream of it. */
const selecting = {
  network: z.string().min(1).optional().meta({ title: 'Network', description: 'Default: the default network.' }),
  source: z
    .enum(['events', 'transactions'])
    .default('events')
    .meta({ title: 'Source', description: 'Events of contracts, or what becomes of transactions sent by this hub.' }),
  contracts: z
    .union([z.literal('*'), z.array(contract).min(1).max(1_000)])
    .optional()
    .meta({ title: 'Contracts', description: 'Names or addresses; `*` for every contract.' }),
  events: z
    .array(event)
    .min(1)
    .max(200)
    .optional()
    .meta({ title: 'Events', description: 'All in one order. Default: every event of the contracts.' }),
  where: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ title: 'Where', description: 'Conditions on the event that must all hold, as in flows.' }),
};

export const streamSchema = z.strictObject({
  name,
  ...selecting,
  from: from.default('now'),
  ...changeable,
});

export const resetSchema = z.strictObject({ from });

/** Merged as RFC 7396 has it: absent fields stay as they are, null removes. With `reset` it may become another stream, which begins at the place that it names. */
export const streamChangeSchema = z.strictObject({
  ...Object.fromEntries(
    Object.keys({ ...selecting, ...changeable }).map((key) => [
      key,
      z.unknown().optional().meta({ description: 'As when it is created.' }),
    ]),
  ),
  reset: resetSchema.optional(),
});

export const selectingFields: readonly string[] = Object.keys(selecting);

export type StreamDefinition = z.output<typeof streamSchema>;
export type WebhookSettings = z.output<typeof webhook>;
export type FlowSettings = z.output<typeof flow>;
export type EventWish = z.output<typeof event>;
export type StreamStart = z.output<typeof from>;

const errorAnswer = z
  .object({
    code: z.string(),
    message: z.string(),
    fix: z.string().optional(),
    since: z.iso.datetime().meta({ description: 'When the first attempt failed' }),
    isBlocked: z.boolean().meta({ description: 'It was tried for as long as `retry.for` says, and still is' }),
  })
  .nullable();

const positionAnswer = z.object({
  consumer: z.string().meta({ description: 'Empty unless several consumers have a place each' }),
  cursor: z.string().nullable(),
  block: z.int().nullable().meta({ description: 'First block that is not wholly delivered' }),
  lag: z
    .object({ blocks: z.int(), seconds: z.number() })
    .nullable()
    .meta({ description: 'Behind the newest block; null when that is not known' }),
  batchNumber: z.int(),
  events: z.int(),
  failures: z.int().meta({ description: 'Failed attempts at the batch that is next' }),
  error: errorAnswer,
  retryAt: z.iso.datetime().nullable(),
  deliveredAt: z.iso.datetime().nullable(),
});

export const streamAnswer = z.object({
  id: z.uuid(),
  name: z.string(),
  state: z.enum(['running', 'suspended']),
  reason: z.string().nullable().meta({ description: 'Why it is suspended' }),
  definition: z.record(z.string(), z.unknown()).meta({ description: 'As written, without its secrets' }),
  createdBy: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

export const streamDetailAnswer = z.object({ ...streamAnswer.shape, positions: z.array(positionAnswer) });

export const deadLettersAnswer = z.object({
  items: z.array(
    z.object({
      id: z.uuid(),
      consumer: z.string(),
      batch: z.string(),
      events: z.array(z.unknown()),
      error: z.object({ code: z.string(), message: z.string() }),
      createdAt: z.iso.datetime(),
    }),
  ),
});
