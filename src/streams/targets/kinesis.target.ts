import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { PatchbayError } from '#sdk';
import type { StreamBatch, StreamEvent, StreamTarget } from '../stream.js';
import { eventJson } from '../stream-format.js';
import { awsClientConfig, awsError } from './aws-client.js';
import type { KinesisSettings } from './aws-settings.js';
import type { AwsTargetDeps } from './lambda.target.js';

interface Entry {
  readonly Data: Uint8Array;
  readonly PartitionKey: string;
}

/** What is still to be put of one batch; kept between attempts, so that nothing is put twice that was taken. */
interface Progress {
  readonly batch: string;
  waiting: readonly Entry[];
}

/** Limits of PutRecords. */
const mostRecords = 500;
const mostBytes = 5 * 1_048_576;
const mostRecordBytes = 1_048_576;
const longestPartitionKey = 256;

const rounds = 4;
const firstPauseMs = 100;

/**
 * Puts each event as one record of JSON. Records that Kinesis refuses are put again, in their order, before any later one;
 * those that it took are not, unless the hub was restarted in between.
 */
export function createKinesisTarget(settings: KinesisSettings, { http }: AwsTargetDeps): StreamTarget {
  const { streamName } = settings;
  const what = `The data stream ${streamName}`;
  let opened: ReturnType<typeof open> | undefined;
  let progress: Progress | undefined;

  /** The SDK is loaded by the first batch: most hubs never need it. */
  async function open() {
    const { KinesisClient, PutRecordsCommand } = await import('@aws-sdk/client-kinesis');
    return { PutRecordsCommand, client: new KinesisClient(awsClientConfig(settings, http)) };
  }

  /** The next batch loads it anew. */
  function forget(error: unknown): never {
    opened = undefined;
    throw error;
  }

  /** @returns the entries that were refused, and why the first of them was */
  async function put(entries: readonly Entry[], signal: AbortSignal) {
    const { PutRecordsCommand, client } = await (opened ??= open().catch(forget));
    const command = new PutRecordsCommand({ StreamName: streamName, Records: [...entries] });
    const { Records = [] } = await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
      throw awsError(error, what);
    });
    const refused = entries.filter((_entry, index) => Records[index]?.SequenceNumber === undefined);
    return { refused, reason: Records.find(({ ErrorCode }) => ErrorCode !== undefined) };
  }

  async function putAll(state: Progress, signal: AbortSignal): Promise<void> {
    for (let round = 1; state.waiting.length > 0;) {
      const chunk = state.waiting.slice(0, chunkLength(state.waiting));
      const { refused, reason } = await put(chunk, signal);
      state.waiting = [...refused, ...state.waiting.slice(chunk.length)];
      if (refused.length === 0) continue;
      if (round === rounds) throw refusal(refused.length, reason?.ErrorCode, reason?.ErrorMessage);
      await delay(firstPauseMs * 2 ** (round - 1), undefined, { signal });
      round += 1;
    }
  }

  function refusal(count: number, code = 'no reason', message = ''): PatchbayError {
    const isThrottled = code === 'ProvisionedThroughputExceededException';
    return new PatchbayError(isThrottled ? 'http.throttled' : 'stream.refused', {
      detail: `${what} did not take ${count} records: ${code} ${message}`.trim(),
      ...(isThrottled && { retryAfterMs: 1_000, fix: 'Give it more shards, or a partition key that spreads better.' }),
    });
  }

  return {
    async deliver(batch, signal) {
      signal.throwIfAborted();
      if (progress?.batch !== batch.id) progress = { batch: batch.id, waiting: entriesOf(batch, settings) };
      try {
        await putAll(progress, signal);
      } catch (error) {
        // A pause that was cut short fails with an error of Node's.
        signal.throwIfAborted();
        throw error;
      }
      progress = undefined;
    },
    async close() {
      (await opened)?.client.destroy();
    },
  };
}

/** Checked as a whole before anything is put. */
function entriesOf(batch: StreamBatch, { partitionKey }: KinesisSettings): Entry[] {
  return batch.events.map((event) => {
    const entry = {
      Data: Buffer.from(eventJson(event)),
      PartitionKey: partitionKeyOf(event, partitionKey, batch.stream),
    };
    if (sizeOf(entry) > mostRecordBytes) {
      throw new PatchbayError('http.rejected', {
        detail: `Event ${event.id} has ${sizeOf(entry)} bytes; a record of Kinesis holds ${mostRecordBytes}`,
      });
    }
    return entry;
  });
}

function partitionKeyOf(event: StreamEvent, kind: KinesisSettings['partitionKey'], stream: string): string {
  const key = { contract: contractIn(event), transaction: transactionIn(event), event: event.id, stream }[kind];
  const known = key ?? event.subject ?? stream;
  return known.length <= longestPartitionKey ? known : createHash('sha256').update(known).digest('hex');
}

/** Of a contract event, or of what a transaction calls or deploys. */
function contractIn({ data }: StreamEvent): string | undefined {
  const transaction = fieldsOf(data['transaction']);
  return textOf(fieldsOf(data['contract'])['address'] ?? transaction['to'] ?? transaction['contractAddress']);
}

function transactionIn({ data }: StreamEvent): string | undefined {
  const { hash, id } = fieldsOf(data['transaction']);
  return textOf(hash ?? id);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** How many of the first entries fit into one call. */
function chunkLength(entries: readonly Entry[]): number {
  let bytes = 0;
  const end = entries.findIndex((entry, index) => {
    bytes += sizeOf(entry);
    return index === mostRecords || bytes > mostBytes;
  });
  return end === -1 ? entries.length : end;
}

function sizeOf({ Data, PartitionKey }: Entry): number {
  return Data.byteLength + Buffer.byteLength(PartitionKey);
}
