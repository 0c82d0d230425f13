import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Catalog } from '#catalog';
import { ConnectionTroubles, ConnectionsService, ConnectionsStore } from '#connections';
import { createVault, type Store } from '#platform';
import { freePort } from '../../bench/setup/free-port.js';
import { builtInConnectors } from '../../connectors/index.js';
import { sandboxApp } from '../../sandbox/salesforce/index.js';
import { runCli } from '../../src/cli/program.js';
import { aHttpClient, noService, silentLog } from '../builders/action-call.js';
import { eventually } from '../builders/eventually.js';
import { startSalesforce, type SalesforceOrg } from '../builders/salesforce-org.js';
import { aScriptedHub, type ScriptedHub } from '../builders/scripted-hub.js';
import { aTerminal } from '../builders/terminal.js';
import { openTestStore } from '../environment/postgres.js';

const signal = new AbortController().signal;
const redirectUri = 'http://localhost:8976/callback';

describe('a connection that a person lets in with a browser', () => {
  let store: Store;
  let salesforce: SalesforceOrg;

  beforeEach(async () => {
    store = await openTestStore();
    salesforce = await startSalesforce({
      consent: 'allow',
      apps: [{ ...sandboxApp, needsPkce: true, rotatesRefreshTokens: true }],
    });
  });
  afterEach(async () => {
    await salesforce.stop();
    await store.close();
  });

  async function connectionsOf(origin: 'file' | 'store'): Promise<ConnectionsService> {
    const settings = { ...salesforce.settings, auth: 'web' };
    const connections = new ConnectionsService({
      catalog: new Catalog(builtInConnectors),
      declared:
        origin === 'file'
          ? [{ name: 'crm', connector: 'salesforce', section: undefined, isDefault: false, settings }]
          : [],
      troubles: new ConnectionTroubles(store.db),
      store: new ConnectionsStore(store.db, createVault(Buffer.alloc(32, 1))),
      http: aHttpClient(),
      log: silentLog,
      use: noService,
    });
    await connections.load();
    return connections;
  }

  async function authorise(connections: ConnectionsService): Promise<void> {
    const verifier = randomBytes(48).toString('base64url');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const url = connections.authorisationAddress('crm', { redirectUri, state: 'a-state-of-its-own', challenge });
    const page = await fetch(url, { redirect: 'manual' });
    const back = new URL(page.headers.get('location') ?? '');
    expect(back.searchParams.get('state')).toBe('a-state-of-its-own');
    await connections.authorise('crm', { code: back.searchParams.get('code') ?? '', redirectUri, verifier });
  }

  it.each(['file', 'store'] as const)(
    'given one of the %s, when it is authorised, then it works, also after a restart and an exchanged token',
    async (origin) => {
      const first = await connectionsOf(origin);
      if (origin === 'store') {
        const settings = { ...salesforce.settings, auth: 'web' };
        await first.add({ name: 'crm', connector: 'salesforce', settings });
      }
      await expect(first.test('crm', signal)).rejects.toMatchObject({
        code: 'connection.unauthorised',
        fix: expect.stringContaining('connection authorize'),
      });

      await authorise(first);
      await first.test('crm', signal);
      expect(first.list()[0]).toMatchObject({ origin, status: { apiCalls: { limit: 15_000 } } });
      expect(first.list()[0]?.settings['refreshToken']).toBe('***');
      await first.close();

      // Each login exchanges the refresh token: the restarted hub must have the newest one.
      const second = await connectionsOf(origin);
      await expect(second.test('crm', signal)).resolves.toMatchObject({ status: { login: 'open' } });
      await second.close();
    },
  );

  it('given a token that was revoked, when the connection is used, then it says that it needs authorisation', async () => {
    const connections = await connectionsOf('store');
    const settings = { ...salesforce.settings, auth: 'web', refreshToken: 'revoked' };
    await connections.add({ name: 'crm', connector: 'salesforce', settings });

    await expect(connections.test('crm', signal)).rejects.toMatchObject({
      code: 'connection.unauthorised',
      fix: expect.stringContaining('needs authorisation'),
    });
    expect(connections.list()[0]).toMatchObject({ status: { login: 'needsAuthorisation' } });
    await connections.close();
  });
});

describe('patchbay connection authorize', () => {
  let hub: ScriptedHub | undefined;
  afterEach(async () => hub?.stop());

  const begun = (url: string) => ({
    'POST /api/connections/crm/authorization': { body: { url } },
    'POST /api/connections/crm/authorization/code': { status: 204 },
  });

  it('given a browser that comes back, when the command waits, then the hub gets the code and the verifier of its challenge', async () => {
    hub = await aScriptedHub(begun('https://acme.my.salesforce.com/authorize'));
    const terminal = aTerminal({ env: { PATCHBAY_HUB: hub.url, PATCHBAY_KEY: 'key-1' } });
    const port = String(await freePort());
    const done = runCli(['connection', 'authorize', 'crm', '--port', port], terminal);
    await eventually(() => terminal.stderr().includes('https://acme.my.salesforce.com/authorize'));
    const asked = hub.calls[0]?.body as { state: string; challenge: string; redirectUri: string };

    const page = await fetch(`${asked.redirectUri}?code=c0de&state=${asked.state}`);

    expect(await page.text()).toContain('go back to the terminal');
    expect(await done).toBe(0);
    const { code, verifier } = hub.calls[1]?.body as { code: string; verifier: string };
    expect(code).toBe('c0de');
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(asked.challenge);
  });

  it('given the answer to another question, when it comes back, then the hub gets nothing', async () => {
    hub = await aScriptedHub(begun('https://acme.my.salesforce.com/authorize'));
    const answers = ['http://localhost:8976/callback?code=c0de&state=forged'];
    const terminal = aTerminal({ env: { PATCHBAY_HUB: hub.url, PATCHBAY_KEY: 'key-1' }, answers });

    expect(await runCli(['connection', 'authorize', 'crm', '--paste'], terminal)).toBe(1);

    expect(hub.calls).toHaveLength(1);
  });

  it('given nobody who allows it, when the browser says so, then the command tells and ends', async () => {
    hub = await aScriptedHub(begun('https://acme.my.salesforce.com/authorize'));
    const answers = ['http://localhost:8976/callback?error=access_denied&error_description=end-user+denied'];
    const terminal = aTerminal({ env: { PATCHBAY_HUB: hub.url, PATCHBAY_KEY: 'key-1' }, answers });

    expect(await runCli(['connection', 'authorize', 'crm', '--paste'], terminal)).toBe(1);

    expect(terminal.stderr()).toContain('end-user denied');
  });
});
