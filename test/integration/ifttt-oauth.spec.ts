import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IftttHub, serviceKey } from '../builders/ifttt-hub.js';

const redirect = 'https://ifttt.com/channels/my_hub/authorize';
const client = { client_id: 'ifttt-client', client_secret: 'ifttt-secret' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const acting = `
name: acting
trigger: { uses: ifttt.action, with: { action: ring, fields: { text: {} } } }
steps: [{ uses: http.request, with: { method: GET, url: "https://127.0.0.1:1/" }, onError: continue }]
`;

let hub: IftttHub;
let key: string;
let keyId: string;

beforeAll(async () => {
  hub = await IftttHub.start({
    flows: { 'acting.yaml': acting },
    settings: '    mode: oauth2\n    serviceId: my_hub\n    clientId: ifttt-client\n    clientSecret: ifttt-secret\n',
  });
  ({ key, keyId } = await newKey(['events:*', 'runs:read', 'chain:read']));
});

afterAll(() => hub.close(), 60_000);

async function newKey(scopes: readonly string[]): Promise<{ key: string; keyId: string }> {
  const { body } = await hub.api('POST', '/api/keys', { name: 'Ann', scopes });
  return { key: body.key, keyId: body.id };
}

const asked = {
  client_id: client.client_id,
  response_type: 'code',
  scope: 'ifttt',
  state: 'st&te',
  redirect_uri: redirect,
};
const encoded = (values: Record<string, string>) => new URLSearchParams(values).toString();

const decide = (values: Record<string, string>) =>
  hub.ask('POST', '/ifttt/oauth/authorize', encoded({ ...asked, ...values }), form);
const token = (values: Record<string, string>) =>
  hub.ask('POST', '/ifttt/oauth/token', encoded({ ...client, ...values }), form);
const info = (accessToken: string, headers: Record<string, string> = {}) =>
  hub.ifttt('GET', '/user/info', undefined, { authorization: `Bearer ${accessToken}`, ...headers });

async function code(): Promise<string> {
  const { headers } = await decide({ key, allowed: 'true' });
  return new URL(headers.get('location') ?? '').searchParams.get('code') ?? '';
}

async function tokens(): Promise<{ access_token: string; refresh_token: string }> {
  return (await token({ grant_type: 'authorization_code', code: await code(), redirect_uri: redirect })).body;
}

describe('authorisation', () => {
  it('given what IFTTT asks for, when the page is shown, then the user is asked for a key and may go back to IFTTT only', async () => {
    const page = await hub.ask('GET', `/ifttt/oauth/authorize?${encoded(asked)}`, undefined, {});

    expect(page.status).toBe(200);
    expect(page.body).toContain('API key of this hub');
    expect(page.body).toContain('value="st&amp;te"');
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' https://ifttt.com;");
  });

  it.each([
    ['redirect address', { redirect_uri: 'https://evil.example/' }],
    ['client', { client_id: 'somebody' }],
    ['response type', { response_type: 'token' }],
  ])('given another %s, when it is asked for, then nobody is sent anywhere', async (_, wrong) => {
    const page = await hub.ask('GET', `/ifttt/oauth/authorize?${encoded({ ...asked, ...wrong })}`, undefined, {});
    const decided = await decide({ key, allowed: 'true', ...wrong });

    for (const answer of [page, decided]) {
      expect(answer.status).toBe(400);
      expect(answer.headers.get('location')).toBeNull();
    }
  });

  it('given a key that is right, when the user allows it, then IFTTT gets a code and its state', async () => {
    const { status, headers } = await decide({ key, allowed: 'true' });
    const location = new URL(headers.get('location') ?? '');

    expect(status).toBe(302);
    expect(location.origin + location.pathname).toBe(redirect);
    expect(location.searchParams.get('state')).toBe('st&te');
    expect(location.searchParams.get('code')).toMatch(/^[\w-]{43}$/);
  });

  it('given a user who says no, when they decide, then IFTTT is told so', async () => {
    const { status, headers } = await decide({ allowed: 'false' });
    const { searchParams } = new URL(headers.get('location') ?? '');

    expect(status).toBe(302);
    expect(Object.fromEntries(searchParams)).toMatchObject({ error: 'access_denied', state: 'st&te' });
  });

  it('given a key that is not known or may do too little, when it is used, then the page says so', async () => {
    const weak = await newKey(['runs:read']);

    expect(await decide({ key: 'pbk_nope', allowed: 'true' })).toMatchObject({
      status: 401,
      body: expect.stringContaining('not known'),
    });
    expect(await decide({ key: weak.key, allowed: 'true' })).toMatchObject({
      status: 401,
      body: expect.stringContaining('events:read'),
    });
  });
});

describe('tokens', () => {
  it('given a code, when it is exchanged, then the token belongs to the owner of the key; the code works once', async () => {
    const given = await code();
    const exchange = { grant_type: 'authorization_code', code: given, redirect_uri: redirect };
    const first = await token(exchange);
    const second = await token(exchange);

    expect(first).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', access_token: expect.any(String), refresh_token: expect.any(String) },
    });
    expect(second).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant', error_description: expect.any(String) },
    });
    expect(await info(first.body.access_token)).toMatchObject({
      status: 200,
      body: { data: { id: keyId, name: 'Ann' } },
    });
  });

  it('given a wrong code, redirect address, secret or grant, when it is exchanged, then it is 400', async () => {
    const exchange = { grant_type: 'authorization_code', redirect_uri: redirect };

    expect(await token({ ...exchange, code: 'nope' })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await token({ ...exchange, code: await code(), redirect_uri: 'https://evil.example/' })).status).toBe(400);
    expect(await token({ ...exchange, code: await code(), client_secret: 'wrong' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_client' },
    });
    expect(await token({ grant_type: 'magic' })).toMatchObject({
      status: 400,
      body: { error: 'unsupported_grant_type' },
    });
  });

  it('given a refresh token, when it is used, then there are new ones, and the older one still works for a while', async () => {
    const first = await tokens();
    const refresh = { grant_type: 'refresh_token', refresh_token: first.refresh_token };
    const second = await token(refresh);
    const again = await token(refresh);

    expect(second).toMatchObject({
      status: 200,
      body: { access_token: expect.any(String), refresh_token: expect.any(String) },
    });
    expect(again.status).toBe(200);
    expect(new Set([first.refresh_token, second.body.refresh_token, again.body.refresh_token]).size).toBe(3);
    for (const { access_token } of [second.body, again.body]) expect((await info(access_token)).status).toBe(200);
    expect(await token({ ...refresh, refresh_token: 'nope' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  it('given a token that is revoked, when it is used, then it is 401, and so is its refresh token', async () => {
    const given = await tokens();
    const wrong = await hub.ask(
      'POST',
      '/ifttt/oauth/revoke',
      encoded({ token: given.access_token, ...client, client_secret: 'x' }),
      form,
    );
    const revoked = await hub.ask(
      'POST',
      '/ifttt/oauth/revoke',
      encoded({ token: given.access_token, ...client }),
      form,
    );
    const unknown = await hub.ask('POST', '/ifttt/oauth/revoke', encoded({ token: 'nope', ...client }), form);

    expect([wrong.status, revoked.status, unknown.status]).toEqual([401, 200, 200]);
    expect((await info(given.access_token)).status).toBe(401);
    expect((await token({ grant_type: 'refresh_token', refresh_token: given.refresh_token })).status).toBe(400);
  });

  it('given a key that is revoked, when its token is used, then it is 401', async () => {
    const other = await newKey(['admin']);
    const { headers } = await decide({ key: other.key, allowed: 'true' });
    const given = new URL(headers.get('location') ?? '').searchParams.get('code') ?? '';
    const { body } = await token({ grant_type: 'authorization_code', code: given, redirect_uri: redirect });
    expect((await info(body.access_token)).status).toBe(200);

    await hub.api('DELETE', `/api/keys/${other.keyId}`);

    expect((await info(body.access_token)).status).toBe(401);
  });
});

describe('a service with users', () => {
  it('given no token, a wrong one, or a wrong key beside a good one, when an endpoint is called, then it is 401', async () => {
    const { access_token: good } = await tokens();
    for (const [method, path] of [
      ['GET', '/user/info'],
      ['POST', '/triggers/transaction_status'],
      ['POST', '/triggers/contract_event/fields/network/options'],
      ['POST', '/actions/ring'],
      ['POST', '/queries/list_runs'],
    ] as const) {
      for (const headers of [
        {},
        { authorization: 'Bearer nope' },
        { authorization: `Bearer ${good}`, 'ifttt-service-key': 'INVALID' },
      ]) {
        const answer = await hub.ifttt(method, path, method === 'GET' ? undefined : {}, headers);
        expect(answer).toMatchObject({ status: 401, body: { errors: [{ message: expect.any(String) }] } });
      }
    }
    expect((await info(good, { 'ifttt-service-key': '' })).status).toBe(200);
    expect((await hub.ifttt('GET', '/status')).status).toBe(200);
  });

  it('given the token of a test, when everything is tried with it, then nothing is started', async () => {
    const { accessToken, samples } = (await hub.ifttt('POST', '/test/setup')).body.data;
    const headers = { authorization: `Bearer ${accessToken}` };
    const done = await hub.ifttt('POST', '/actions/ring', { actionFields: { text: 'x' } }, headers);
    const items = await hub.ifttt(
      'POST',
      '/triggers/transaction_status',
      { triggerFields: samples.triggers.transaction_status },
      headers,
    );

    expect(done).toMatchObject({ status: 200, body: { data: [{ id: expect.stringMatching(/^test-/) }] } });
    expect(items.body.data).toHaveLength(3);
    expect((await hub.api('GET', '/api/runs')).body.items).toEqual([]);
    expect((await hub.api('GET', '/api/ifttt')).body.identities).toBe(0);
  });

  it('given the store, when it is looked at, then it has no token; the sheet has the addresses and no secret', async () => {
    const sheet = (await hub.api('GET', '/api/ifttt/sheet')).body as string;

    expect(sheet).toContain('`https://hub.example/ifttt/oauth/authorize`');
    expect(sheet).toContain(redirect);
    expect(sheet).not.toContain(client.client_secret);
    expect(sheet).not.toContain(serviceKey);
    const { body } = await hub.api('GET', '/api/connections');
    expect(JSON.stringify(body)).not.toMatch(/ifttt-secret|service-key-of-a-test/);
  });
});

describe('a hub that is no service', () => {
  let other: IftttHub;
  beforeAll(async () => {
    other = await IftttHub.start({ flows: {}, isConfigured: false });
  });
  afterAll(() => other.close(), 60_000);

  it('given no connection, when IFTTT calls, then it is told to try again later; sign-in is not there', async () => {
    expect(await other.ifttt('GET', '/status')).toMatchObject({ status: 503, body: '' });
    expect(await other.ifttt('POST', '/triggers/contract_event', {})).toMatchObject({
      status: 503,
      body: { errors: [{}] },
    });
    expect((await other.ifttt('GET', '/nope')).status).toBe(404);
    expect((await other.ask('GET', '/ifttt/oauth/authorize', undefined, {})).status).toBe(404);
    expect((await other.api('GET', '/api/ifttt/sheet')).body).toContain('**missing**');
  });
});
