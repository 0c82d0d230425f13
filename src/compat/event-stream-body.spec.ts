import { describe, expect, it } from '@jest/globals';
import { readStream } from './event-stream-body.js';

const url = 'https://shop.example/events';

describe('event streams as old clients write them', () => {
  it('given a body of ethconnect, when it is read, then its defaults apply, and the misspelt delay counts', () => {
    const { stream, headers } = readStream({
      type: 'webhook',
      blockedReryDelaySec: 7,
      webhook: { url, headers: { 'x-token': 'secret' }, tlsSkipHostVerify: false },
    });

    expect(stream).toMatchObject({
      format: 'ethconnect',
      batchSize: 1,
      batchTimeoutMs: 5_000,
      errorHandling: 'skip',
      retryTimeoutMs: 0,
      blockedRetryDelayMs: 7_000,
      webhook: { url, requestTimeoutMs: 120_000 },
    });
    expect(headers).toEqual({ 'x-token': 'secret' });
  });

  it('given a body of FireFly, when it is read, then its words and defaults apply', () => {
    const { stream } = readStream({
      name: 'live',
      type: 'websocket',
      batchTimeout: '1m0.5s',
      retryTimeout: 250,
      websocket: { distributionMode: 'load_balance' },
    });

    expect(stream).toMatchObject({
      format: 'firefly',
      batchSize: 50,
      batchTimeoutMs: 60_500,
      errorHandling: 'block',
      retryTimeoutMs: 250,
      blockedRetryDelayMs: 30_000,
      isBroadcast: false,
    });
  });

  it.each(['workloadDistribution', 'load_balance', 'broadcast'])(
    'given the mode %s, when it is read, then it is known',
    (mode) => {
      const { stream } = readStream({ type: 'websocket', websocket: { topic: 't', distributionMode: mode } });
      expect(stream).toMatchObject({ topic: 't', isBroadcast: mode === 'broadcast' });
    },
  );

  it('given a change, when it is read, then what it does not mention stays, hidden headers too', () => {
    const before = readStream({
      name: 'a',
      type: 'webhook',
      batchSize: 5,
      webhook: { url, headers: { a: '1', b: '2' } },
    });
    const { stream, headers } = readStream({ batchSize: 6, webhook: { headers: { a: '***', c: '3' } } }, before);

    expect(stream).toEqual({ ...before.stream, batchSize: 6 });
    expect(headers).toEqual({ a: '1', c: '3' });
  });

  it.each([
    [{}, '#/type'],
    [{ type: 'webhook' }, '#/webhook/url'],
    [{ type: 'webhook', webhook: { url, tlsSkipHostVerify: true } }, '#/webhook/tlsSkipHostVerify'],
    [{ type: 'websocket', batchSize: 1_001 }, '#/batchSize'],
    [{ type: 'websocket', batchTimeout: 'soon' }, '#/batchTimeout'],
  ])('given %j, when it is read, then %s is refused', (body, pointer) => {
    expect(() => readStream(body)).toThrow(
      expect.objectContaining({ code: 'request.invalid', faults: [expect.objectContaining({ pointer })] }),
    );
  });
});
