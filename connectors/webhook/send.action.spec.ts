import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { createEcho } from '../../sandbox/http/echo.js';
import { callAction, type ActionCall } from '../../test/builders/action-call.js';
import { startStandIn, type StandInServer } from '../../test/builders/stand-in-server.js';
import { send } from './send.action.js';

const signingSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('webhook.send', () => {
  let receiver: StandInServer;

  beforeAll(async () => {
    receiver = await startStandIn(createEcho());
  });
  beforeEach(() => receiver.faults.clear());
  afterAll(() => receiver.stop());

  const deliver = (call: Partial<ActionCall> = {}) =>
    callAction(send, {
      settings: { signingSecret, url: `${receiver.url}/hook` },
      with: { type: 'transfer.large', subject: '0x00b2', data: { amount: '25000' } },
      ...call,
    });

  it('given an endpoint, when it is sent to, then a CloudEvent arrives that the reference library verifies', async () => {
    const output = await deliver({ idempotencyKey: 'run-9:notify' });

    const request = receiver.requests().at(-1);
    expect(output).toEqual({ id: 'run-9:notify', status: 200 });
    expect(request).toMatchObject({
      method: 'POST',
      url: '/http/hook',
      headers: { 'content-type': 'application/cloudevents+json' },
    });
    expect(new Webhook(signingSecret).verify(request?.body ?? '', { ...request?.headers })).toEqual({
      specversion: '1.0',
      id: 'run-9:notify',
      source: '/flows/under-test',
      type: 'transfer.large',
      subject: '0x00b2',
      datacontenttype: 'application/json',
      data: { amount: '25000' },
    });
  });

  it('given a failed attempt, when it is repeated, then id and body are the same bytes', async () => {
    receiver.faults.set('http', { status: 503, times: 1 });
    await expect(deliver()).rejects.toMatchObject({ code: 'http.failed' });
    await deliver({ attempt: 2 });

    const [first, second] = receiver.requests().slice(-2);
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  });

  it('given an address in the step, when it is sent, then it goes there', async () => {
    await deliver({ with: { url: `${receiver.url}/other`, type: 'a', time: '2026-01-01T00:00:00Z', data: null } });

    expect(receiver.requests().at(-1)).toMatchObject({ url: '/http/other' });
  });

  it('given an idempotency key with full stops, when it is sent, then the id has none and is the same every time', async () => {
    const first = await deliver({ idempotencyKey: 'order.17' });
    const second = await deliver({ idempotencyKey: 'order.17' });

    expect(first.id).toMatch(/^msg_[0-9a-f]{64}$/);
    expect(second.id).toBe(first.id);
  });

  it.each([
    [410, 'http.rejected', 'never'],
    [302, 'http.rejected', 'never'],
    [429, 'http.throttled', 'after'],
    [500, 'http.failed', 'later'],
  ])('given a receiver that answers %i, when it is sent to, then the error is %s', async (status, code, retry) => {
    receiver.faults.set('http', { status, headers: { location: `${receiver.url}/moved` } });
    const before = receiver.requests().length;

    await expect(deliver()).rejects.toMatchObject({ code, retry });
    expect(receiver.requests()).toHaveLength(before + 1);
  });

  it('given no address anywhere, when it is sent, then the input is refused', async () => {
    await expect(deliver({ settings: { signingSecret } })).rejects.toMatchObject({ code: 'flow.input' });
  });
});
