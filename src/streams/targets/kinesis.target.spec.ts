import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAwsStandIn, type AwsStandIn } from '../../../sandbox/aws/stand-in.js';
import { aHttpClient } from '../../../test/builders/action-call.js';
import { startStandIn, type StandInServer } from '../../../test/builders/stand-in-server.js';
import { PatchbayError } from '#sdk';
import type { StreamBatch, StreamEvent, StreamTarget } from '../stream.js';
import { kinesisSettings } from './aws-settings.js';
import { createKinesisTarget } from './kinesis.target.js';

const credentials = { accessKeyId: 'AKIDSANDBOX', secretAccessKey: 'sandbox-secret' };
const calm = new AbortController().signal;

function anEvent(id: string, data: Record<string, unknown> = {}): StreamEvent {
  return { specversion: '1.0', id, source: '/networks/dev', type: 'evm.contractEvent', data };
}

function aBatch(events: readonly StreamEvent[], id = 'b1'): StreamBatch {
  return { id, number: 1, stream: 'orders', events };
}

const numbered = (count: number, data: Record<string, unknown> = {}) =>
  Array.from({ length: count }, (_, index) => anEvent(`e${index}`, data));

describe('the target kinesis', () => {
  let aws: AwsStandIn;
  let server: StandInServer;
  let opened: StreamTarget[];

  beforeEach(async () => {
    aws = createAwsStandIn({ credentials, functions: [], streams: ['events'] });
    server = await startStandIn(aws);
    opened = [];
  });

  afterEach(async () => {
    for (const target of opened) await target.close?.();
    await server.stop();
  });

  function targetOf(changes: Record<string, unknown> = {}): StreamTarget {
    const settings = kinesisSettings.parse({
      type: 'kinesis',
      region: 'eu-central-1',
      streamName: 'events',
      endpoint: server.url,
      credentials,
      ...changes,
    });
    const http = aHttpClient([new URL(server.url).host]);
    const target = createKinesisTarget(settings, { http });
    opened.push(target);
    return target;
  }

  const records = () => aws.records.get('events') ?? [];
  const putIds = () => records().map(({ data }) => (JSON.parse(data) as StreamEvent).id);
  const failureOf = (target: StreamTarget, batch: StreamBatch) =>
    target.deliver(batch, calm).then(
      () => undefined,
      (error: unknown) => PatchbayError.from(error),
    );

  it('given a batch, when it is delivered, then each event is a record, in order', async () => {
    const events = numbered(3, { text: 'zwölf €' });

    await targetOf().deliver(aBatch(events), calm);

    expect(records().map(({ data }) => JSON.parse(data) as unknown)).toEqual(events);
  });

  it.each([
    ['contract', '0xaa'],
    ['transaction', '0xbb'],
    ['event', 'e1'],
    ['stream', 'orders'],
  ])('given partition key %s, when an event is put, then its key is %s', async (partitionKey, expected) => {
    const event = anEvent('e1', { contract: { address: '0xaa' }, transaction: { hash: '0xbb' } });

    await targetOf({ partitionKey }).deliver(aBatch([event]), calm);

    expect(records()).toMatchObject([{ partitionKey: expected }]);
  });

  it('given 1,200 events, when they are delivered, then they go in calls of 500', async () => {
    await targetOf().deliver(aBatch(numbered(1_200)), calm);

    expect(server.requests()).toHaveLength(3);
    expect(putIds()).toEqual(numbered(1_200).map(({ id }) => id));
  });

  it('given events of 900 kB, when they are delivered, then no call has more than 5 MB', async () => {
    await targetOf().deliver(aBatch(numbered(7, { text: 'x'.repeat(900_000) })), calm);

    expect(server.requests().map(({ status }) => status)).toEqual([200, 200]);
    expect(putIds()).toHaveLength(7);
  });

  it('given an event that no record can hold, when its batch is delivered, then nothing of it is put', async () => {
    const batch = aBatch([anEvent('small'), anEvent('big', { text: 'x'.repeat(1_100_000) })]);

    expect(await failureOf(targetOf(), batch)).toMatchObject({ code: 'http.rejected', retry: 'never' });
    expect(putIds()).toEqual([]);
  });

  it('given records that Kinesis did not take, when they are put again, then only those are, before what follows', async () => {
    aws.addFault({ kind: 'partialFailure', everyNth: 3, times: 1 });

    await targetOf().deliver(aBatch(numbered(505)), calm);

    const ids = putIds();
    expect(ids).toHaveLength(505);
    expect(new Set(ids).size).toBe(505);
    const refused = numbered(500).filter((_, index) => (index + 1) % 3 === 0);
    expect(ids.slice(500 - refused.length, 500)).toEqual(refused.map(({ id }) => id));
    expect(ids.slice(500)).toEqual(['e500', 'e501', 'e502', 'e503', 'e504']);
  });

  it('given a shard that stays full, when the batch comes again, then what was taken is not put twice', async () => {
    const target = targetOf();
    aws.addFault({ kind: 'partialFailure', everyNth: 2, times: 4 });
    const batch = aBatch(numbered(40));

    expect(await failureOf(target, batch)).toMatchObject({ code: 'http.throttled', retryAfterMs: 1_000 });
    expect(putIds().length).toBeLessThan(40);
    await target.deliver(batch, calm);

    expect([...putIds()].sort()).toEqual(
      numbered(40)
        .map(({ id }) => id)
        .sort(),
    );
  });

  it('given a whole call that is throttled, when it is delivered, then the stream is told to wait', async () => {
    aws.addFault({ kind: 'throttle', times: 1 });
    const target = targetOf();

    expect(await failureOf(target, aBatch(numbered(2)))).toMatchObject({ code: 'http.throttled', retry: 'after' });
    expect(server.requests()).toHaveLength(1);
  });

  it('given a data stream that is not there, when a batch is delivered, then it waits until that is put right', async () => {
    const failure = await failureOf(targetOf({ streamName: 'other' }), aBatch(numbered(1)));

    expect(failure).toMatchObject({ code: 'stream.refused', retry: 'later' });
    expect(failure?.detail).toContain('ResourceNotFoundException');
  });

  it('given a wrong secret, when a batch is delivered, then the credentials are named as the reason', async () => {
    const target = targetOf({ credentials: { ...credentials, secretAccessKey: 'wrong' } });

    expect(await failureOf(target, aBatch(numbered(1)))).toMatchObject({
      code: 'stream.refused',
      fix: 'Check the credentials, and what their owner may do.',
    });
  });
});
