import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createEcho } from '../../sandbox/http/echo.js';
import { callAction } from '../../test/builders/action-call.js';
import { startStandIn, type StandInServer } from '../../test/builders/stand-in-server.js';
import { httpEndpoint } from './connection.js';
import { request } from './request.action.js';

describe('http.request', () => {
  let api: StandInServer;

  beforeAll(async () => {
    api = await startStandIn(createEcho());
  });
  beforeEach(() => api.faults.clear());
  afterAll(() => api.stop());

  it('given a body, when no method is named, then it is posted as JSON with the idempotency key', async () => {
    const output = await callAction(request, {
      with: {
        url: `${api.url}/orders`,
        body: { amount: '25000' },
        headers: { 'X-Trace': 7 },
        query: { dry: true, q: 'a b' },
      },
      idempotencyKey: 'run-7:order',
    });

    expect(output).toMatchObject({
      status: 200,
      headers: { 'content-type': expect.stringContaining('application/json') },
      body: {
        method: 'POST',
        path: '/orders',
        query: { dry: 'true', q: 'a b' },
        headers: { 'content-type': 'application/json', 'idempotency-key': 'run-7:order', 'x-trace': '7' },
        body: { amount: '25000' },
      },
    });
  });

  it('given an address that strangers choose, when it leads into the network, then it is not called', async () => {
    const before = api.requests().length;
    await expect(callAction(request, { with: { url: api.url, onlyPublic: true } })).rejects.toMatchObject({
      code: 'target.forbidden',
    });
    expect(api.requests()).toHaveLength(before);
  });

  it('given text as body, when it is sent, then it arrives as it is', async () => {
    await callAction(request, {
      with: { method: 'PUT', url: api.url, body: 'a,b\n1,2', headers: { 'content-type': 'text/csv' } },
    });

    expect(api.requests().at(-1)).toMatchObject({
      method: 'PUT',
      body: 'a,b\n1,2',
      headers: { 'content-type': 'text/csv' },
    });
  });

  it('given a connection, when a path is called, then its credentials go along and no flow can replace them', async () => {
    const { body } = await callAction(request, {
      settings: { baseUrl: `${api.url}/v1/`, token: 't0ken', headerName: 'X-Tenant', headerValue: 'acme' },
      with: { path: '/prices?pair=eth-usd', query: { n: 1 }, headers: { Authorization: 'Bearer mine' } },
    });

    expect(body).toMatchObject({
      method: 'GET',
      path: '/v1/prices',
      query: { pair: 'eth-usd', n: '1' },
      headers: { authorization: 'Bearer t0ken', 'x-tenant': 'acme' },
    });
  });

  it('given a user name, when a path is called, then basic authentication is used', async () => {
    const { body } = await callAction(request, {
      settings: { baseUrl: api.url, username: 'ann', password: 'secret' },
      with: {},
    });

    expect(body).toMatchObject({ headers: { authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` } });
  });

  it.each(['../admin', '/x/../../admin', '..', '%2e%2e/admin', '..\\admin'])(
    'given a connection, when the path is %s, then nothing is sent outside its base address',
    async (path) => {
      const before = api.requests().length;

      await expect(
        callAction(request, { settings: { baseUrl: `${api.url}/v1`, token: 't0ken' }, with: { path } }),
      ).rejects.toMatchObject({ code: 'flow.input' });
      expect(api.requests()).toHaveLength(before);
    },
  );

  it('given a path that looks like another host, when it is called, then it stays below the base address', async () => {
    const { body } = await callAction(request, {
      settings: { baseUrl: `${api.url}/v1`, token: 't0ken' },
      with: { path: '//evil.example/x' },
    });

    expect(body).toMatchObject({ path: '/v1/evil.example/x' });
  });

  it.each([
    ['neither url nor connection', {}, undefined],
    ['url and path', { url: 'http://127.0.0.1:1/', path: '/x' }, undefined],
    ['a connection and url', { url: 'http://127.0.0.1:1/' }, { baseUrl: 'http://127.0.0.1:1' }],
  ])('given %s, when it is called, then the inputs are refused', async (_case, input, settings) => {
    await expect(callAction(request, { with: input, ...(settings && { settings }) })).rejects.toMatchObject({
      code: 'flow.input',
    });
  });

  it('given a status that is expected, when the other side answers it, then the step succeeds', async () => {
    api.faults.set('http', { status: 404, body: { found: false } });

    const output = await callAction(request, { with: { url: api.url, expect: [200, 404] } });

    expect(output).toMatchObject({ status: 404, body: { found: false } });
  });

  it.each([
    [400, 'http.rejected'],
    [401, 'connection.unauthorised'],
    [503, 'http.failed'],
  ])('given status %i, when it is not expected, then the error is %s', async (status, code) => {
    api.faults.set('http', { status });

    await expect(callAction(request, { with: { url: api.url } })).rejects.toMatchObject({ code });
  });

  it('given 429 with a waiting time, when it is called, then the error carries it', async () => {
    api.faults.set('http', { status: 429, headers: { 'retry-after': '7' } });

    await expect(callAction(request, { with: { url: api.url } })).rejects.toMatchObject({
      code: 'http.throttled',
      retryAfterMs: 7_000,
    });
  });

  it('given a slow API, when the timeout is over, then the step may be tried again', async () => {
    api.faults.set('http', { delayMs: 2_000, times: 1 });

    await expect(callAction(request, { with: { url: api.url, timeout: '50ms' } })).rejects.toMatchObject({
      code: 'connection.timeout',
    });
  });

  it('given an API that echoes the credentials in its error, when it fails, then they are not in ours', async () => {
    api.faults.set('http', { status: 400, body: 'bad token t0ken' });

    const failure = await callAction(request, { settings: { baseUrl: api.url, token: 't0ken' }, with: {} }).catch(
      String,
    );

    expect(failure).toContain('400');
    expect(failure).not.toContain('t0ken');
  });

  it('given a header with a line break, when the inputs are checked, then it is refused', () => {
    expect(request.input.safeParse({ url: 'http://a.example', headers: { a: 'x\r\ny: z' } }).success).toBe(false);
    expect(request.input.safeParse({ url: 'file:///etc/passwd' }).success).toBe(false);
  });

  it('given a token and a user name, when the settings are checked, then they are refused', () => {
    const settings = { baseUrl: 'https://a.example', token: 'a', username: 'b' };
    expect(httpEndpoint.settings.safeParse(settings).success).toBe(false);
  });
});
