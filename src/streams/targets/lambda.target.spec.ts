import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAwsStandIn, type AwsStandIn } from '../../../sandbox/aws/stand-in.js';
import { aHttpClient } from '../../../test/builders/action-call.js';
import { startStandIn, type StandInServer } from '../../../test/builders/stand-in-server.js';
import { PatchbayError } from '#sdk';
import type { StreamBatch, StreamTarget } from '../stream.js';
import { lambdaSettings } from './aws-settings.js';
import { createLambdaTarget } from './lambda.target.js';

const credentials = { accessKeyId: 'AKIDSANDBOX', secretAccessKey: 'sandbox-secret' };
const batch: StreamBatch = {
  id: 'b1',
  number: 7,
  stream: 'orders',
  events: [
    { specversion: '1.0', id: 'e1', source: '/networks/dev', type: 'evm.contractEvent', data: { text: 'zwölf €' } },
  ],
};
const calm = new AbortController().signal;

describe('the target lambda', () => {
  let aws: AwsStandIn;
  let server: StandInServer;
  let opened: StreamTarget[];

  beforeEach(async () => {
    aws = createAwsStandIn({ credentials, functions: ['settle'], streams: [] });
    server = await startStandIn(aws);
    opened = [];
  });

  afterEach(async () => {
    for (const target of opened) await target.close?.();
    await server.stop();
  });

  function targetOf(changes: Record<string, unknown> = {}, allow = [new URL(server.url).host]): StreamTarget {
    const settings = lambdaSettings.parse({
      type: 'lambda',
      region: 'eu-central-1',
      functionName: 'settle',
      endpoint: server.url,
      credentials,
      ...changes,
    });
    const target = createLambdaTarget(settings, { http: aHttpClient(allow) });
    opened.push(target);
    return target;
  }

  const failureOf = async (target: StreamTarget) =>
    target.deliver(batch, calm).then(
      () => undefined,
      (error: unknown) => PatchbayError.from(error),
    );

  it('given a function, when a batch is delivered, then it is invoked with the batch, signed as AWS wants it', async () => {
    await targetOf().deliver(batch, calm);

    expect(aws.invocations).toEqual([
      {
        functionName: 'settle',
        type: 'RequestResponse',
        payload: { id: 'b1', number: 7, stream: 'orders', events: batch.events },
      },
    ]);
  });

  it('given invocation event, when a batch is delivered, then the queued call is enough', async () => {
    await targetOf({ invocation: 'event' }).deliver(batch, calm);

    expect(aws.invocations).toMatchObject([{ type: 'Event' }]);
  });

  it('given a function that throws, when it is invoked, then its batch is refused with what it said', async () => {
    aws.addFault({ kind: 'functionError', message: 'No such order', times: 1 });

    expect(await failureOf(targetOf())).toMatchObject({
      code: 'stream.refused',
      detail: 'The function settle failed (Unhandled): Error: No such order',
    });
  });

  it('given too many calls, when AWS throttles, then the stream is told to wait and nothing was repeated', async () => {
    aws.addFault({ kind: 'throttle', times: 1 });

    expect(await failureOf(targetOf())).toMatchObject({ code: 'http.throttled', retry: 'after', retryAfterMs: 1_000 });
    expect(server.requests()).toHaveLength(1);
  });

  it.each([
    ['an answer of 500', { status: 500 }, {}, 'http.failed'],
    ['no answer in time', { delayMs: 5_000 }, { timeout: '200ms' }, 'connection.timeout'],
    ['a cut connection', { resetAfterProcessing: true }, {}, 'connection.refused'],
  ])('given %s, when a batch is delivered, then it is to be tried later', async (_what, fault, changes, code) => {
    server.faults.set('aws', fault);

    expect(await failureOf(targetOf(changes))).toMatchObject({ code, retry: 'later' });
  });

  it.each([
    ['another key', { credentials: { ...credentials, accessKeyId: 'AKIDOTHER' } }, 'UnrecognizedClientException'],
    ['another secret', { credentials: { ...credentials, secretAccessKey: 'x' } }, 'InvalidSignatureException'],
    ['a function that is not there', { functionName: 'other' }, 'ResourceNotFoundException'],
  ])('given %s, when a batch is delivered, then it waits until that is put right', async (_what, changes, name) => {
    const failure = await failureOf(targetOf(changes));

    expect(failure).toMatchObject({ code: 'stream.refused', retry: 'later' });
    expect(failure?.detail).toContain(name);
    expect(failure?.detail).not.toContain(credentials.secretAccessKey);
  });

  it('given a batch that no call can carry, when it is delivered, then no retry can help', async () => {
    const large = { ...batch, events: [{ ...batch.events[0]!, data: { text: 'x'.repeat(1_100_000) } }] };
    const failure = await targetOf({ invocation: 'event' })
      .deliver(large, calm)
      .catch((error: unknown) => PatchbayError.from(error));

    expect(failure).toMatchObject({ code: 'http.rejected', retry: 'never' });
  });

  it('given an endpoint the operator does not allow, when a batch is delivered, then nothing is called', async () => {
    expect(await failureOf(targetOf({}, []))).toMatchObject({ code: 'target.forbidden' });
    expect(server.requests()).toHaveLength(0);
  });

  it('given a batch under way, when the stream stops, then delivering ends with its reason', async () => {
    server.faults.set('aws', { delayMs: 5_000 });
    const stopping = new AbortController();
    const reason = new PatchbayError('hub.stopping');
    const delivered = targetOf().deliver(batch, stopping.signal);
    setImmediate(() => stopping.abort(reason));

    await expect(delivered).rejects.toBe(reason);
  });
});
