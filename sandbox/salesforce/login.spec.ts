import { createSign, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Connection, OAuth2 } from 'jsforce';
import { startJsforceOrg, type JsforceOrg } from '../../test/builders/jsforce-org.js';
import { sandboxUser, type ConnectedApp, type SalesforceStandInOptions } from './index.js';

let org: JsforceOrg;
let certificate: string;
let privateKey: string;

beforeAll(() => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  certificate = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
});

afterEach(() => org.stop());

const redirectUri = 'http://localhost:3000/oauth/callback';
const webApp: ConnectedApp = {
  clientId: 'web',
  clientSecret: 'secret',
  runAs: sandboxUser,
  redirectUris: [redirectUri],
  allowsPasswordLogin: true,
};

async function anOrg(app: Partial<ConnectedApp> = {}, options: SalesforceStandInOptions = {}) {
  org = await startJsforceOrg({ apps: [{ ...webApp, ...app }], consent: 'allow', ...options });
  return new OAuth2({ loginUrl: org.url, clientId: 'web', clientSecret: 'secret', redirectUri, useVerifier: true });
}

/** What a browser does: follows the address of the page, and comes back with what the page added. */
async function comeBack(oauth2: OAuth2, state = 'st'): Promise<URLSearchParams> {
  const page = oauth2.getAuthorizationUrl({ scope: 'api refresh_token', state });
  const answer = await fetch(page, { redirect: 'manual' });
  return new URL(answer.headers.get('location') ?? 'about:blank').searchParams;
}

async function token(parameters: Record<string, string>): Promise<Record<string, string>> {
  const body = new URLSearchParams({ client_id: 'web', client_secret: 'secret', ...parameters });
  const answer = await fetch(`${org.url}/services/oauth2/token`, { method: 'POST', body });
  return (await answer.json()) as Record<string, string>;
}

async function introspect(secret: string): Promise<unknown> {
  const body = new URLSearchParams({ client_id: 'web', client_secret: 'secret', token: secret });
  return (await fetch(`${org.url}/services/oauth2/introspect`, { method: 'POST', body })).json();
}

describe('the web server flow', () => {
  it('given consent, when the browser comes back, then jsforce gets both tokens for the code, once', async () => {
    const oauth2 = await anOrg({ needsPkce: true });
    const back = await comeBack(oauth2);
    const connection = new Connection({ oauth2, version: '62.0' });

    await connection.authorize(back.get('code') ?? '');

    expect(back.get('state')).toBe('st');
    expect(connection.refreshToken).toEqual(expect.any(String));
    expect(await connection.query('SELECT Id FROM Contact')).toMatchObject({ totalSize: 0 });
    expect(await introspect(connection.accessToken ?? '')).toMatchObject({ active: true, username: sandboxUser });
    await expect(connection.authorize(back.get('code') ?? '')).rejects.toThrow('invalid authorization code');
  });

  it('given a page that asks, when the user allows or denies, then the form leads back with a code or an error', async () => {
    const oauth2 = await anOrg({}, { consent: 'ask' });
    const page = await (await fetch(oauth2.getAuthorizationUrl({ state: 's"1' }))).text();
    const hidden = [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value.replace(/&#(\d+);/g, (_, letter: string) => String.fromCharCode(Number(letter))),
    ]);

    for (const [decision, given] of [
      ['allow', 'code'],
      ['deny', 'error'],
    ] as const) {
      const body = new URLSearchParams([...hidden.filter(([name]) => name !== 'decision'), ['decision', decision]] as [
        string,
        string,
      ][]);
      const answer = await fetch(`${org.url}/services/oauth2/authorize`, { method: 'POST', body, redirect: 'manual' });
      const back = new URL(answer.headers.get('location') ?? 'about:blank').searchParams;
      expect(back.get(given)).toEqual(expect.any(String));
      expect(back.get('state')).toBe('s"1');
    }
  });

  it('given an address nobody registered, when it is asked for, then no code leaves the page', async () => {
    await anOrg();
    const query = new URLSearchParams({ response_type: 'code', client_id: 'web', redirect_uri: 'http://evil.example' });

    const answer = await fetch(`${org.url}/services/oauth2/authorize?${query.toString()}`, { redirect: 'manual' });

    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('redirect_uri_mismatch');
  });

  it('given a wrong verifier, when the code is exchanged, then it is refused', async () => {
    const oauth2 = await anOrg();
    const code = (await comeBack(oauth2)).get('code') ?? '';

    expect(
      await token({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: 'wrong' }),
    ).toMatchObject({ error: 'invalid_grant', error_description: 'invalid code verifier' });
  });

  it('given an app that rotates, when a token is refreshed, then the old refresh token is dead', async () => {
    const oauth2 = await anOrg({ rotatesRefreshTokens: true });
    const connection = new Connection({ oauth2, version: '62.0' });
    await connection.authorize((await comeBack(oauth2)).get('code') ?? '');
    const old = connection.refreshToken ?? '';

    const fresh = await token({ grant_type: 'refresh_token', refresh_token: old });

    expect(fresh['refresh_token']).not.toBe(old);
    expect(await token({ grant_type: 'refresh_token', refresh_token: old })).toMatchObject({
      error_description: 'expired access/refresh token',
    });
    expect(await introspect(old)).toEqual({ active: false });
  });

  it('given five grants of one user and app, when there is a sixth, then the first is silently dead', async () => {
    const oauth2 = await anOrg();
    const refreshTokens: string[] = [];
    for (let grant = 0; grant < 6; grant += 1) {
      const connection = new Connection({ oauth2, version: '62.0' });
      await connection.authorize((await comeBack(oauth2)).get('code') ?? '');
      refreshTokens.push(connection.refreshToken ?? '');
    }

    expect(await introspect(refreshTokens[0] ?? '')).toEqual({ active: false });
    expect(org.standIn.state().refreshTokens).toBe(5);
  });
});

describe('the other logins', () => {
  it('given an External Client App, when an assertion is for the shared login host, then the app is not found', async () => {
    await anOrg({ certificate, isExternalClientApp: true });
    const assertion = (aud: string) => {
      const claims = { iss: 'web', sub: sandboxUser, aud, exp: Math.floor(Date.now() / 1_000) + 60 };
      const text = [{ alg: 'RS256' }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey).toString('base64url')}`;
    };
    const grant = (aud: string) =>
      token({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion(aud) });

    expect(await grant('https://login.salesforce.com')).toMatchObject({ error: 'app_not_found' });
    expect(await grant(org.url)).toMatchObject({ access_token: expect.any(String) });
  });

  it('given a user with a password, when it is sent with the security token, then it logs in', async () => {
    await anOrg({}, { users: [{ username: 'u@example.com', password: 'pw', securityToken: 'T1' }] });
    const grant = (password: string) => token({ grant_type: 'password', username: 'u@example.com', password });

    expect(await grant('pw')).toMatchObject({ error: 'invalid_grant', error_description: 'authentication failure' });
    expect(await grant('pwT1')).toMatchObject({ access_token: expect.any(String) });
  });

  it.each([[{ calls: 2 }], [{ lifetimeMs: 60_000 }]])(
    'given sessions that end by %j, when the time has come, then calls are refused',
    async (policy) => {
      await anOrg({}, { sessionPolicy: policy });
      const { access_token = '' } = await token({ grant_type: 'client_credentials' });
      const call = async () => {
        const headers = { authorization: `Bearer ${access_token}` };
        return (await fetch(`${org.url}/services/data/v62.0/limits`, { headers })).status;
      };

      expect([await call(), await call()]).toEqual([200, 200]);
      org.standIn.setClock({ advanceMs: 'calls' in policy ? 0 : 60_001 });
      expect(await call()).toBe(401);
    },
  );
});
