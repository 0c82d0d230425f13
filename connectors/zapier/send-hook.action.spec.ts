import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createZapierHooks } from '../../sandbox/zapier/hooks.js';
import { callAction } from '../../test/builders/action-call.js';
import { startStandIn, type StandInServer } from '../../test/builders/stand-in-server.js';
import { sendHook } from './send-hook.action.js';

describe('zapier.sendHook', () => {
  let zapier: StandInServer;

  beforeAll(async () => {
    zapier = await startStandIn(createZapierHooks());
  });
  beforeEach(() => zapier.faults.clear());
  afterAll(() => zapier.stop());

  const post = (input: Record<string, unknown>, path = '/hooks/catch/1001/s3cret/') =>
    callAction(sendHook, { settings: { hookUrl: `${zapier.url}${path}` }, with: input, idempotencyKey: 'run-3:zap' });

  it('given a body, when it is sent, then exactly that arrives, with the idempotency key beside it', async () => {
    const output = await post({ body: { contactId: '003A', amount: '25000' } });

    const request = zapier.requests().at(-1);
    expect(output).toEqual({ id: expect.any(String), requestId: expect.any(String) });
    expect(request).toMatchObject({
      method: 'POST',
      headers: { 'idempotency-key': 'run-3:zap', 'content-type': 'application/json' },
    });
    expect(JSON.parse(request?.body ?? '')).toEqual({ contactId: '003A', amount: '25000' });
  });

  it('given includeId, when it is sent, then the body says by which id repeats are known', async () => {
    await post({ body: { amount: '25000' }, includeId: true });
    expect(JSON.parse(zapier.requests().at(-1)?.body ?? '')).toEqual({ id: 'run-3:zap', amount: '25000' });

    await post({ body: { id: 'own', amount: '25000' }, includeId: true });
    expect(JSON.parse(zapier.requests().at(-1)?.body ?? '')).toEqual({ id: 'own', amount: '25000' });
  });

  it('given a hook in silent mode, when it is sent to, then the empty answer is a success', async () => {
    zapier.faults.set('zapier', { status: 200, body: '' });

    expect(await post({ body: {} })).toEqual({});
  });

  it.each([
    [429, 'http.throttled'],
    [500, 'http.failed'],
    [404, 'http.rejected'],
  ])('given status %i, when it is sent, then the error is %s and does not show the address', async (status, code) => {
    zapier.faults.set('zapier', { status });

    const failure = post({ body: {} });
    await expect(failure).rejects.toMatchObject({ code });
    await expect(failure).rejects.toMatchObject({ message: expect.not.stringContaining('s3cret') });
  });

  it('given a REST hook whose Zap was turned off, when it is sent to, then trying again cannot help', async () => {
    await fetch(`${zapier.url}/hooks/standard/1001/s3cret/`, { method: 'DELETE' });

    await expect(post({ body: {} }, '/hooks/standard/1001/s3cret/')).rejects.toMatchObject({
      code: 'http.rejected',
      retry: 'never',
    });
  });

  it('given a hook address that is none, when it is opened, then the error does not show it', async () => {
    const failure = callAction(sendHook, { settings: { hookUrl: 's3cret' }, with: { body: {} } });

    await expect(failure).rejects.toMatchObject({
      code: 'connection.invalid',
      message: expect.not.stringContaining('s3cret'),
    });
  });
});
