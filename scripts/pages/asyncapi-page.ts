import { readFileSync } from 'node:fs';
import { errorCodes, z } from '#sdk';
import { runProgress } from '#runs';
import { consumerCommands, consumerMessages, streamEvent } from '#streams';
import { transactionChange } from '#transactions';
import type { Page } from './page.js';

type Json = Record<string, unknown>;

interface Message {
  readonly summary: string;
  readonly payload?: z.ZodType;
  readonly io?: 'input' | 'output';
  readonly contentType?: string;
  readonly headers?: z.ZodType;
}

interface Channel {
  readonly address: string;
  readonly servers: readonly ('hub' | 'socketio' | 'receiver')[];
  readonly description: string;
  /** From the hub to the other side. */
  readonly sends: Readonly<Record<string, Message>>;
  /** From the other side to the hub. */
  readonly receives?: Readonly<Record<string, Message>>;
  readonly bindings?: Json;
}

const webhookHeaders = z.object({
  'webhook-id': z.string().meta({ description: 'The same on every attempt: remember it, and a repeat does no harm.' }),
  'webhook-timestamp': z.string().meta({ description: 'Seconds since 1970, of this attempt.' }),
  'webhook-signature': z.string().optional().meta({
    description: 'v1 and the HMAC-SHA256 of id, timestamp and body, as Standard Webhooks says; with a secret.',
  }),
});

const cloudEvent = streamEvent.extend({ datacontenttype: z.literal('application/json'), data: z.unknown() });
const auth = z.object({ type: z.literal('auth'), key: z.string().meta({ description: 'An API key of the hub.' }) });

/** What both transports of event streams carry; only plain WebSocket needs `type` in the message itself. */
const streamSends = {
  listening: {
    summary: 'The hub has noted the wish; batches come once no other consumer is served.',
    payload: consumerMessages.listening,
  },
  batch: { summary: 'Events in order, to be answered as a whole.', payload: consumerMessages.batch },
  ended: { summary: 'The stream was suspended, changed or deleted.', payload: consumerMessages.ended },
  error: { summary: 'What is wrong with a command; or why the connection ends.', payload: consumerMessages.error },
} satisfies Record<string, Message>;
const streamReceives = {
  listen: { summary: 'Asks for the batches of a stream.', payload: consumerCommands.listen, io: 'input' },
  ack: { summary: 'Accepts the batch in flight.', payload: consumerCommands.ack, io: 'input' },
  error: { summary: 'Refuses the batch in flight; it comes again.', payload: consumerCommands.error, io: 'input' },
} satisfies Record<string, Message>;

const channels: Readonly<Record<string, Channel>> = {
  runs: {
    address: '/runs',
    servers: ['socketio'],
    description:
      'Live progress of runs. The handshake carries `auth.key` (scope runs:read); `auth.flow` narrows it to one flow. What is missed is not repeated.',
    sends: { progress: { summary: 'Steps and runs that changed.', payload: z.array(runProgress) } },
  },
  transactions: {
    address: '/transactions',
    servers: ['socketio'],
    description:
      'Changes of transactions. The handshake carries `auth.key` (scope chain:read); `auth.signer` or `auth.transaction` narrows it. Who must not miss anything takes an event stream.',
    sends: {
      ready: { summary: 'Changes from now on are told.' },
      status: { summary: 'Changes in the order in which they happened.', payload: z.array(transactionChange) },
    },
  },
  streamsSocketio: {
    address: '/streams',
    servers: ['socketio'],
    description:
      'Batches of event streams. The handshake carries `auth.key` (scope streams:consume). One batch is in flight per stream; a connection that ends gives it back. ' +
      'The acknowledgement of `batch` accepts it too, or refuses it when called with `{ error: "why" }`.',
    sends: withoutType(streamSends),
    receives: withoutType(streamReceives),
  },
  streamsWebSocket: {
    address: '/api/streams/ws',
    servers: ['hub'],
    description:
      'The same over plain WebSocket, one JSON object per message. The key comes as `Authorization: Bearer`, or as the first message.',
    sends: streamSends,
    receives: {
      auth: { summary: 'Shows the key, where no header can.', payload: auth, io: 'input' },
      ...streamReceives,
    },
    bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
  },
  streamWebhook: {
    address: '/',
    servers: ['receiver'],
    description:
      'Batches of an event stream whose target is a webhook. Any 2xx accepts the batch; 410 ends the stream.',
    sends: {
      deliver: {
        summary: 'One batch, in order.',
        contentType: 'application/cloudevents-batch+json',
        headers: webhookHeaders,
        payload: z.array(streamEvent),
      },
    },
  },
  flowWebhook: {
    address: '/',
    servers: ['receiver'],
    description: 'What a flow sends with webhook.send.',
    sends: {
      event: {
        summary: 'One CloudEvent.',
        contentType: 'application/cloudevents+json',
        headers: webhookHeaders.required(),
        payload: cloudEvent,
      },
    },
  },
};

/** AsyncAPI 3 of everything that is not asked for over HTTP: sockets and deliveries. */
export function asyncApiPage(): Page {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const description = {
    asyncapi: '3.0.0',
    info: {
      title: 'Patchbay',
      version,
      description: 'What the hub tells others by itself, and what they answer. The rest is in openapi.json.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      hub: { host: 'localhost:3000', protocol: 'ws', security: [{ $ref: '#/components/securitySchemes/key' }] },
      socketio: {
        host: 'localhost:3000',
        pathname: '/socket.io',
        protocol: 'socket.io',
        description: 'Each channel is a namespace.',
      },
      receiver: {
        host: '{receiver}',
        protocol: 'https',
        variables: { receiver: { description: 'Host and path that the stream or the flow names.' } },
      },
    },
    channels: mapValues(channels, describeChannel),
    operations: Object.assign({}, ...Object.entries(channels).map(describeOperations)) as Json,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key of the hub' } },
      schemas: {
        ErrorCode: { type: 'string', enum: Object.keys(errorCodes), description: 'Every `code` is one of these.' },
      },
    },
  };
  return { path: 'docs/asyncapi.json', content: `${JSON.stringify(description, undefined, 2)}\n` };
}

function describeChannel({ address, servers, description, sends, receives = {}, bindings }: Channel): Json {
  return {
    address,
    description,
    servers: servers.map((server) => ({ $ref: `#/servers/${server}` })),
    messages: { ...mapValues(sends, describeMessage, 'hub.'), ...mapValues(receives, describeMessage, 'client.') },
    ...(bindings && { bindings }),
  };
}

function describeMessage({ summary, payload, io = 'output', contentType, headers }: Message, key: string): Json {
  return {
    name: key.slice(key.indexOf('.') + 1),
    summary,
    ...(contentType !== undefined && { contentType }),
    ...(headers && { headers: jsonSchema(headers, 'output') }),
    ...(payload && { payload: jsonSchema(payload, io) }),
  };
}

function describeOperations([name, { sends, receives }]: [string, Channel]): Json {
  const operation = (action: 'send' | 'receive', side: string, messages: Readonly<Record<string, Message>>): Json => ({
    action,
    channel: { $ref: `#/channels/${name}` },
    messages: Object.keys(messages).map((key) => ({ $ref: `#/channels/${name}/messages/${side}.${key}` })),
  });
  return {
    [`${name}.send`]: operation('send', 'hub', sends),
    ...(receives && { [`${name}.receive`]: operation('receive', 'client', receives) }),
  };
}

/** Over socket.io the name of the event says what `type` says elsewhere. */
function withoutType(
  messages: Readonly<Record<string, Message & { readonly payload: z.ZodObject }>>,
): Record<string, Message> {
  return Object.fromEntries(
    Object.entries(messages).map(([name, message]) => [
      name,
      { ...message, payload: message.payload.omit({ type: true }) },
    ]),
  );
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    // A format that everybody knows is not spelled out a second time, as a long pattern.
    override: ({ jsonSchema: made }) => {
      if (made.format !== undefined) delete made.pattern;
    },
  });
  return rest;
}

function mapValues<T>(record: Readonly<Record<string, T>>, map: (value: T, key: string) => Json, prefix = ''): Json {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [prefix + key, map(value, prefix + key)]));
}
