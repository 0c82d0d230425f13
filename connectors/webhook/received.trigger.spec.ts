import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import type { HookRequest } from '#sdk';
import { openConnection, silentLog } from '../../test/builders/action-call.js';
import { webhookEndpoint, type WebhookEndpoint } from './connection.js';
import { received } from './received.trigger.js';

const signingSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const previousSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

interface Incoming {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isAuthenticated?: boolean;
}

function aRequest({
  body = { type: 'order.paid', n: 1 },
  headers = {},
  isAuthenticated = false,
}: Incoming): HookRequest {
  return {
    method: 'POST',
    headers,
    query: { a: '1' },
    rawBody: Buffer.from(JSON.stringify(body)),
    body,
    isAuthenticated,
  };
}

function signed({ secret = signingSecret, ageSeconds = 0, id = 'msg_1' }): Record<string, string> {
  const at = new Date(Date.now() - ageSeconds * 1_000);
  return {
    'webhook-id': id,
    'webhook-timestamp': Math.floor(at.getTime() / 1_000).toString(),
    'webhook-signature': new Webhook(secret).sign(id, at, JSON.stringify({ type: 'order.paid', n: 1 })),
  };
}

async function receive(request: HookRequest, client?: WebhookEndpoint, input: Record<string, unknown> = {}) {
  const heard = await received.receive?.({
    input: received.input.parse(input),
    client: client as WebhookEndpoint,
    request,
    log: silentLog,
  });
  return heard ?? [];
}

describe('webhook.received with a connection', () => {
  const endpoint = openConnection(webhookEndpoint, {
    signingSecret,
    previousSecret,
  });

  it('given a valid signature, when it arrives, then it is heard under its webhook id, without the signature', async () => {
    const headers: Record<string, string> = {
      ...signed({}),
      'content-type': 'application/json',
      authorization: 'Bearer x',
      cookie: 'y',
    };

    expect(await receive(aRequest({ headers }), await endpoint)).toEqual([
      {
        id: 'msg_1',
        event: {
          body: { type: 'order.paid', n: 1 },
          headers: {
            'content-type': 'application/json',
            'webhook-id': 'msg_1',
            'webhook-timestamp': headers['webhook-timestamp'],
          },
          query: { a: '1' },
        },
      },
    ]);
  });

  it('given a sender that still has the previous secret, when it signs, then it is heard', async () => {
    expect(await receive(aRequest({ headers: signed({ secret: previousSecret }) }), await endpoint)).toHaveLength(1);
  });

  it.each<[string, Incoming]>([
    ['another secret', { headers: signed({ secret: `whsec_${Buffer.alloc(32, 8).toString('base64')}` }) }],
    ['another body', { headers: signed({}), body: { type: 'order.paid', n: 2 } }],
    ['another id', { headers: { ...signed({}), 'webhook-id': 'msg_2' } }],
    ['an old timestamp', { headers: signed({ ageSeconds: 400 }) }],
    ['a timestamp in the future', { headers: signed({ ageSeconds: -400 }) }],
    ['a timestamp that is no number', { headers: { ...signed({}), 'webhook-timestamp': 'now' } }],
    ['no headers', {}],
    ['no headers, but an API key', { isAuthenticated: true }],
  ])('given %s, when it arrives, then it is refused', async (_case, incoming) => {
    await expect(receive(aRequest(incoming), await endpoint)).rejects.toMatchObject({
      code: 'hook.signature',
      status: 401,
    });
  });
});

describe('webhook.received without a connection', () => {
  it('given no API key, when it arrives, then it is refused, even if it carries a signature', async () => {
    await expect(receive(aRequest({ headers: signed({}) }))).rejects.toMatchObject({ code: 'auth.missing' });
  });

  it('given an API key and an idempotency key, when it arrives twice, then both have the same id', async () => {
    const request = aRequest({ isAuthenticated: true, headers: { 'idempotency-key': 'order-17' } });

    expect((await receive(request))[0]?.id).toBe('order-17');
    expect((await receive(request))[0]?.id).toBe('order-17');
  });

  it('given no id at all, when it arrives twice, then these are two events', async () => {
    const request = aRequest({ isAuthenticated: true });

    expect((await receive(request))[0]?.id).not.toBe((await receive(request))[0]?.id);
  });

  it('given an id too long for a key, when it arrives, then it is refused', async () => {
    const request = aRequest({ isAuthenticated: true, headers: { 'idempotency-key': 'x'.repeat(256) } });

    await expect(receive(request)).rejects.toMatchObject({ code: 'request.invalid' });
  });

  it('given a wanted type, when a body of another type arrives, then it is not heard', async () => {
    const request = aRequest({ isAuthenticated: true });

    expect(await receive(request, undefined, { type: 'order.paid' })).toHaveLength(1);
    expect(await receive(request, undefined, { type: 'order.sent' })).toEqual([]);
  });
});

describe('a webhook endpoint', () => {
  it('given a secret that is none, when it is opened, then the error does not show it', async () => {
    const failure = openConnection(webhookEndpoint, { signingSecret: 'whsec_short' });

    await expect(failure).rejects.toMatchObject({
      code: 'connection.invalid',
      message: expect.not.stringContaining('short'),
    });
  });
});
