import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLog, loadConfig } from '#platform';
import { builtInConnectors } from '../../connectors/index.js';
import { sandboxApp } from '../../sandbox/salesforce/index.js';
import { runCli } from '../../src/cli/program.js';
import { startHub, type Hub } from '../../src/hub.js';
import { eventually } from '../builders/eventually.js';
import { startSalesforce, type SalesforceOrg } from '../builders/salesforce-org.js';
import { aTerminal } from '../builders/terminal.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';

const adminKey = 'pbk_test-key-of-hubs-that-live-for-one-test-only';
const redirectUri = 'http://localhost:8976/callback';

const writeFlow = `
name: write
trigger:
  uses: webhook.received
steps:
  - id: contact
    uses: salesforce.createRecord
    with:
      object: Contact
      fields: { LastName: "{{event.body.name}}" }
orderingKey: one
idempotencyKey: "{{event.body.name}}"
`;
const hearFlow = `
name: hear
trigger:
  uses: salesforce.changeDataCapture
  with: { object: Contact }
steps:
  - id: note
    uses: salesforce.query
    with: { soql: "SELECT Id FROM Contact LIMIT 1" }
`;

interface RunView {
  readonly id: string;
  readonly state: string;
  readonly waitsFor: { readonly connection: string } | null;
  readonly error: { readonly code: string; readonly message: string; readonly fix: string } | null;
}

describe('runs whose connection needs authorisation', () => {
  let salesforce: SalesforceOrg;
  let database: TestDatabase;
  let folder: string;
  /** The one that is asked and listens, and the one that works. */
  let hubs: { readonly asked: Hub; readonly working: Hub };

  beforeEach(async () => {
    [salesforce, database, folder] = await Promise.all([
      startSalesforce({ consent: 'allow', apps: [{ ...sandboxApp, needsPkce: true, rotatesRefreshTokens: true }] }),
      createTestDatabase(),
      mkdtemp(join(tmpdir(), 'patchbay-waiting-')),
    ]);
    await mkdir(join(folder, 'flows'));
    await writeFile(join(folder, 'flows', 'write.yaml'), writeFlow);
    await writeFile(join(folder, 'flows', 'hear.yaml'), hearFlow);
    const settings = JSON.stringify({ connector: 'salesforce', ...salesforce.settings, auth: 'web' });
    await writeFile(join(folder, 'patchbay.yaml'), `connections: { crm: ${settings} }\n`);
    const [asked, working] = await Promise.all([boot('api,listener'), boot('worker')]);
    hubs = { asked, working };
  });
  afterEach(async () => {
    await Promise.all([hubs.asked.stop(), hubs.working.stop()]);
    await salesforce.stop();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  function boot(roles: string): Promise<Hub> {
    const env = {
      PATCHBAY_EGRESS_ALLOW: '127.0.0.1:1-65535',
      DATABASE_URL: database.url,
      PATCHBAY_PORT: '0',
      PATCHBAY_ROLES: roles,
      PATCHBAY_DATA_DIR: folder,
      PATCHBAY_FLOWS_DIR: join(folder, 'flows'),
      PATCHBAY_CONFIG: join(folder, 'patchbay.yaml'),
      PATCHBAY_ADMIN_KEY: adminKey,
    };
    const log = createLog({ level: 'silent', format: 'json' });
    return startHub({ config: loadConfig(env), log, connectors: builtInConnectors, env });
  }

  async function call<T>(path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${hubs.asked.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async function authorise(): Promise<void> {
    const verifier = randomBytes(48).toString('base64url');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const base = '/api/connections/crm/authorization';
    const { url } = await call<{ url: string }>(base, { redirectUri, state: 'a-state-of-its-own', challenge });
    const page = await fetch(url, { redirect: 'manual' });
    const code = new URL(page.headers.get('location') ?? '').searchParams.get('code');
    await call(`${base}/code`, { code, redirectUri, verifier });
  }

  async function runs(flow: string): Promise<readonly RunView[]> {
    const { items } = await call<{ items: readonly RunView[] }>(`/api/runs?flow=${flow}&limit=100`);
    return items;
  }

  async function untilCompleted(flow: string, count: number): Promise<void> {
    await eventually(async () => (await runs(flow)).filter(({ state }) => state === 'completed').length >= count, {
      what: `${count} runs of ${flow} completed`,
    });
  }

  /** Whoever listens is told of new changes only, from when it has subscribed. */
  async function untilHearing(): Promise<void> {
    await eventually(async () => {
      const { triggers } = await call<{ triggers: readonly { uses: string; cursor: string | null }[] }>(
        '/api/triggers',
      );
      return triggers.some(({ uses, cursor }) => uses === 'salesforce.changeDataCapture' && cursor !== null);
    });
  }

  const send = (names: readonly string[]) =>
    names.reduce(async (before, name) => {
      await before;
      await call('/hooks/write', { name });
    }, Promise.resolve());
  const names = () => (salesforce.org.state().records['Contact'] ?? []).map((row) => row['LastName']);

  it('given a token that is revoked while events arrive, when somebody authorises, then all goes on in order and nothing is lost', async () => {
    await authorise();
    await untilHearing();
    await send(['before']);
    await untilCompleted('write', 1);
    await untilCompleted('hear', 1);

    salesforce.org.addFault({ kind: 'revokeTokens' });
    const missed = Array.from({ length: 5 }, (_, index) => `missed-${index}`);
    await send(missed);
    // For a moment it may wait for a client that is opened anew.
    const head = await eventually(async () =>
      (await runs('write')).find(
        ({ waitsFor, error }) => waitsFor !== null && error?.message.includes('needs authorisation'),
      ),
    );

    expect(head).toMatchObject({
      state: 'queued',
      waitsFor: { connection: 'crm' },
      error: {
        code: 'connection.waiting',
        message: expect.stringContaining('The connection crm needs authorisation'),
        fix: expect.stringContaining('connection authorize'),
      },
    });
    const { steps } = await call<{ steps: readonly { attempts: number }[] }>(`/api/runs/${head.id}`);
    expect(steps.map(({ attempts }) => attempts)).toEqual([0]);
    const listed = () =>
      call<{ connections: readonly { needsAuthorisation?: unknown }[] }>('/api/connections').then(
        ({ connections }) => connections[0],
      );
    await eventually(async () => (await listed())?.needsAuthorisation !== undefined);
    const terminal = aTerminal({ env: { PATCHBAY_HUB: hubs.asked.url, PATCHBAY_KEY: adminKey } });
    expect(await runCli(['runs', 'show', head.id], terminal)).toBe(0);
    expect(terminal.stdout()).toContain('waits for the connection crm');
    expect((await call<{ items: readonly unknown[] }>('/api/dead-letters')).items).toEqual([]);

    // Much sooner than after the hour that a run waits if nobody does anything.
    await authorise();
    await untilCompleted('write', 6);

    expect(names()).toEqual(['before', ...missed]);
    expect((await listed())?.needsAuthorisation).toBeUndefined();
    // The trigger goes on where it was, in the other process, with the new token.
    await untilCompleted('hear', 6);
  });

  it('given an org that refuses the login, when it is put right there, then the runs go on although nothing was changed here', async () => {
    await authorise();
    await untilHearing();
    // Twice: the process that listens may meet the first.
    salesforce.org.addFault({ kind: 'refuseLogin', error: 'invalid_grant', description: 'inactive user', times: 2 });
    salesforce.org.addFault({ kind: 'expireSessions' });
    await send(['held']);
    await eventually(async () => (await runs('write')).find(({ waitsFor }) => waitsFor !== null));

    await eventually(() => names().includes('held'), { withinMs: 100_000, what: 'The run going on' });
  });
});
