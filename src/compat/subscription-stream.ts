import { formatEventDeclaration, parseEventDeclaration, signatureOf, topicOf, type AbiFragment } from '#evm';
import type { StreamDocument, StreamView } from '#streams';
import { hidden } from './event-stream-body.js';
import type { StoredOldStream } from './event-streams.store.js';
import { namedInputs } from './old-values.js';

type Json = Readonly<Record<string, unknown>>;

export interface OldFilter {
  readonly event: AbiFragment;
  /** Undefined: of every contract. */
  readonly address: string | undefined;
}

export interface OldSubscription {
  readonly id: string;
  readonly name: string;
  readonly filters: readonly OldFilter[];
  readonly from: 'now' | 'earliest' | number;
  readonly network: string | undefined;
}

const dialect = 'ethconnect';
const ackTimeout = '5m';

/** The stream of ours that a subscription is: it has its own place, and the target of the event stream it belongs to. */
export function streamOf(subscription: OldSubscription, owner: StoredOldStream): StreamDocument {
  const { id, name, filters, from, network } = subscription;
  return {
    name: id,
    ...(network !== undefined && { network }),
    events: filters.map(({ event, address }) => ({
      event: formatEventDeclaration({ ...event, inputs: namedInputs(event.inputs ?? []) }),
      contract: address ?? '*',
    })),
    from,
    labels: { dialect, stream: owner.id, name },
    ...deliveryOf(owner),
  };
}

/** What follows from the event stream; a change of it moves no place. */
export function deliveryOf({ stream, headers }: StoredOldStream): StreamDocument {
  const { webhook, isBroadcast, batchSize, batchTimeoutMs, inputs, errorHandling, format } = stream;
  return {
    format,
    batch: { size: batchSize, timeout: `${batchTimeoutMs}ms` },
    details: { call: inputs, signer: inputs },
    target: webhook
      ? { type: 'webhook', url: webhook.url, headers, timeout: `${webhook.requestTimeoutMs}ms` }
      : { type: 'websocket', mode: isBroadcast ? 'broadcast' : 'one', ackTimeout },
    retry: {
      delay: '1s',
      maxDelay: `${Math.max(1_000, stream.blockedRetryDelayMs)}ms`,
      for: `${stream.retryTimeoutMs}ms`,
      // Where old gateways dropped a batch, it is put aside.
      onFailure: errorHandling === 'block' ? 'block' : 'dead-letter',
    },
  };
}

/** The event stream that a stream of ours delivers for; undefined for those that were not made here. */
export function ownerOf({ definition }: StreamView): string | undefined {
  const labels = labelsOf(definition);
  return labels['dialect'] === dialect ? labels['stream'] : undefined;
}

export function subscriptionView(stream: StreamView): Json {
  const { definition, name: id, createdAt } = stream;
  const { stream: owner, name } = labelsOf(definition);
  // As `streamOf` wrote it.
  const wishes = definition['events'] as readonly { event: string; contract: string }[];
  const events = wishes.map(({ event }) => parseEventDeclaration(event));
  const addresses = wishes.flatMap(({ contract }) => (contract === '*' ? [] : [contract]));
  const from = definition['from'];
  return {
    id,
    path: `/subscriptions/${id}`,
    name,
    stream: owner,
    filter: { address: addresses.length === 0 ? null : addresses, topics: [[...new Set(events.map(topicOf))]] },
    event: events[0],
    filters: wishes.map(({ contract }, index) => ({
      event: events[index],
      ...(contract !== '*' && { address: contract }),
    })),
    signature: wishes
      .map(({ contract }, index) => `${contract}:${signatureOf(events[index] ?? { type: 'event' })}`)
      .join(','),
    fromBlock: from === 'now' ? 'latest' : from === 'earliest' ? '0' : String(from),
    created: createdAt.toISOString(),
  };
}

export function eventStreamView({ id, stream, headers, createdAt, updatedAt }: StoredOldStream): Json {
  const { webhook, topic, isBroadcast, batchTimeoutMs, retryTimeoutMs, blockedRetryDelayMs, isSuspended } = stream;
  const { name, type, format, batchSize, errorHandling, timestamps, inputs, network } = stream;
  return {
    id,
    path: `/eventstreams/${id}`,
    created: createdAt.toISOString(),
    updated: updatedAt.toISOString(),
    name,
    type,
    format,
    batchSize,
    batchTimeoutMS: batchTimeoutMs,
    errorHandling,
    retryTimeoutSec: retryTimeoutMs / 1_000,
    blockedRetryDelaySec: blockedRetryDelayMs / 1_000,
    ...(webhook && {
      webhook: {
        url: webhook.url,
        headers: Object.fromEntries(Object.keys(headers).map((header) => [header, hidden])),
        tlsSkipHostVerify: false,
        requestTimeoutSec: webhook.requestTimeoutMs / 1_000,
      },
    }),
    ...(type === 'websocket' && { websocket: { topic: topic ?? '', distributionMode: modeOf(format, isBroadcast) } }),
    timestamps,
    inputs,
    suspended: isSuspended,
    ...(network !== undefined && { network }),
    ...(format === 'firefly' && {
      batchTimeout: `${batchTimeoutMs}ms`,
      retryTimeout: `${retryTimeoutMs}ms`,
      blockedRetryDelay: `${blockedRetryDelayMs}ms`,
      status: isSuspended ? 'stopped' : 'started',
    }),
  };
}

function modeOf(format: StoredOldStream['stream']['format'], isBroadcast: boolean): string {
  if (isBroadcast) return 'broadcast';
  return format === 'firefly' ? 'load_balance' : 'workloadDistribution';
}

function labelsOf(definition: StreamDocument): Readonly<Record<string, string>> {
  return (definition['labels'] ?? {}) as Readonly<Record<string, string>>;
}
