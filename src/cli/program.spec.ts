import { afterEach, describe, expect, it } from '@jest/globals';
import { aRunAnswer } from '../../test/builders/run-answer.js';
import { aScriptedHub, type HubScript, type ScriptedHub } from '../../test/builders/scripted-hub.js';
import { aTerminal, type Terminal, type TerminalOptions } from '../../test/builders/terminal.js';
import { runCli } from './program.js';

const run = aRunAnswer;
const backfill = {
  id: 'b-1',
  flow: 'payments',
  state: 'running',
  from: '1',
  to: '9',
  startsRuns: true,
  done: 3,
  total: 9,
  events: 2,
  error: null,
};

describe('the command line', () => {
  let hub: ScriptedHub | undefined;
  afterEach(async () => hub?.stop());

  async function patchbay(
    argv: string,
    script: HubScript = {},
    options: TerminalOptions = {},
  ): Promise<{ exitCode: number; terminal: Terminal; hub: ScriptedHub }> {
    hub = await aScriptedHub(script);
    const terminal = aTerminal({ ...options, env: { PATCHBAY_HUB: hub.url, PATCHBAY_KEY: 'key-1', ...options.env } });
    const exitCode = await runCli(argv.split(' '), terminal);
    return { exitCode, terminal, hub };
  }

  it('given --help, when it is run, then the commands are listed on stdout', async () => {
    const { exitCode, terminal } = await patchbay('--help');

    expect(exitCode).toBe(0);
    for (const command of ['start', 'lint', 'test', 'run', 'replay', 'doctor', 'explain', 'dead-letters']) {
      expect(terminal.stdout()).toContain(`  ${command}`);
    }
  });

  it.each([
    'runs show',
    'run flow',
    'runs --state lost',
    'nonsense',
    'run flow --event e --real --dry-run',
    'replay f --to-block 4',
  ])('given wrong usage, when `%s` is run, then the exit code is 2 and the hub is not asked', async (argv) => {
    const { exitCode, terminal, hub: asked } = await patchbay(argv);

    expect(exitCode).toBe(2);
    expect(terminal.stdout()).toBe('');
    expect(terminal.stderr()).not.toBe('');
    expect(asked.calls).toEqual([]);
  });

  it.each([
    [404, 4],
    [401, 5],
    [403, 5],
    [409, 7],
    [412, 7],
    [422, 3],
    [500, 1],
    [504, 8],
  ])(
    'given a hub that answers %d, when a command asks it, then the exit code is %d and the problem is told',
    async (status, code) => {
      const body = { code: 'some.code', detail: 'It did not work.', fix: 'Do it right.', requestId: 'request-7' };
      const { exitCode, terminal } = await patchbay('runs', { 'GET /api/runs': { status, body } });

      expect(exitCode).toBe(code);
      expect(terminal.stdout()).toBe('');
      expect(terminal.stderr()).toBe('✗ some.code  It did not work.\n  Fix: Do it right.\n  Request request-7\n');
    },
  );

  it('given no hub, when a command asks for it, then the exit code is 6', async () => {
    const { exitCode, terminal } = await patchbay('runs --hub http://127.0.0.1:1');

    expect(exitCode).toBe(6);
    expect(terminal.stderr()).toContain('npm start');
  });

  it('given --json, when runs are listed, then stdout holds one document with the names of the API', async () => {
    const {
      exitCode,
      terminal,
      hub: asked,
    } = await patchbay('runs --flow payments --json', {
      'GET /api/runs': { body: { items: [run], next: '17' } },
    });

    expect(exitCode).toBe(0);
    expect(JSON.parse(terminal.stdout())).toEqual({ items: [run], next: '17' });
    expect(terminal.stderr()).toContain('--before 17');
    expect(asked.calls[0]).toMatchObject({
      path: '/api/runs?flow=payments',
      headers: { authorization: 'Bearer key-1' },
    });
  });

  it('given --json, when something fails, then stderr holds the problem as JSON', async () => {
    const { terminal } = await patchbay('runs show r-9 --json');

    expect(JSON.parse(terminal.stderr())).toMatchObject({ code: 'request.notFound', requestId: 'request-1' });
  });

  it('given a run that fails in the end, when it is watched, then the exit code is 1', async () => {
    const failed = {
      ...run,
      state: 'failed',
      error: { code: 'http.failed', message: 'It answered 503.', step: 'pay' },
    };
    const { exitCode, terminal } = await patchbay('runs watch r-1', {
      'GET /api/runs/r-1': [{ body: { ...run, state: 'running' } }, { body: failed }],
    });

    expect(exitCode).toBe(1);
    expect(terminal.stdout()).toContain('http.failed');
  });

  it('given nobody to ask, when something is to be dropped, then it is not dropped without --yes', async () => {
    const script = { 'DELETE /api/dead-letters/r-1': { status: 204 } };
    const refused = await patchbay('dead-letters drop r-1', script);
    expect(refused.exitCode).toBe(2);
    expect(refused.hub.calls).toEqual([]);
    await refused.hub.stop();

    const done = await patchbay('dead-letters drop r-1 --yes', script);
    expect(done.exitCode).toBe(0);
    expect(done.hub.calls).toHaveLength(1);
  });

  it('given somebody who says no, when a key is to be revoked, then it is not', async () => {
    const { exitCode, terminal, hub: asked } = await patchbay('key revoke k-1', {}, { answers: ['n'] });

    expect(exitCode).toBe(1);
    expect(terminal.stderr()).toContain('Nothing was done.');
    expect(asked.calls).toEqual([]);
  });

  it('given stored events, when a flow is replayed, then only --real starts runs', async () => {
    const report = { events: 3, ignored: 1, runs: [], calls: { 'http.request': 2 } };
    const script = { 'POST /api/flows/payments/replay': [{ body: report }, { body: { ...report, runs: ['a', 'b'] } }] };
    const dry = await patchbay('replay payments --since 2026-01-01', script);
    expect(dry.hub.calls.map((call) => call.body)).toEqual([{ since: '2026-01-01T00:00:00.000Z', dryRun: true }]);
    expect(dry.terminal.stdout()).toContain('2 runs would start');
    expect(dry.terminal.stdout()).toContain('2 × http.request');
    await dry.hub.stop();

    const real = await patchbay('replay payments --real --yes', script);
    expect(real.hub.calls.map((call) => call.body)).toEqual([{ dryRun: true }, { dryRun: false }]);
    expect(real.terminal.stdout()).toContain('2 runs started');
  });

  it('given blocks, when a flow is replayed, then it is followed until all are read', async () => {
    const {
      exitCode,
      terminal,
      hub: asked,
    } = await patchbay('replay payments --from-block 1 --to-block 9 --real --yes', {
      'POST /api/flows/payments/backfills': { status: 202, body: backfill },
      'GET /api/backfills/b-1': [{ body: backfill }, { body: { ...backfill, state: 'completed', done: 9, events: 5 } }],
    });

    expect(exitCode).toBe(0);
    expect(asked.calls[0]?.body).toEqual({ from: '1', to: '9', startRuns: true });
    expect(terminal.stdout()).toContain('5 events read from 9 blocks');
    expect(terminal.stderr()).toContain('9/9');
  });

  it('given Ctrl+C, when blocks are being read, then they go on in the hub and the exit code is 130', async () => {
    hub = await aScriptedHub({ 'GET /api/backfills/b-1': { body: backfill } });
    const terminal = aTerminal({ env: { PATCHBAY_HUB: hub.url } });

    const ending = runCli(['backfill', 'watch', 'b-1'], terminal);
    terminal.interrupt();

    expect(await ending).toBe(130);
    expect(terminal.stderr()).toContain('It goes on in the hub.');
  });

  it('given an event for a flow, when it is run for real, then the key goes along and the run is followed', async () => {
    const { exitCode, hub: asked } = await patchbay(
      'run payments --event - --real --idempotency-key order-1',
      {
        'POST /api/flows/payments/runs': { status: 202, body: { event: 'e-1', runs: ['r-1'], duplicates: 0 } },
        'GET /api/runs/r-1': { body: run },
      },
      { stdin: '{"amount": 12}' },
    );

    expect(exitCode).toBe(0);
    expect(asked.calls[0]).toMatchObject({
      headers: { 'idempotency-key': 'order-1' },
      body: { event: { amount: 12 } },
    });
  });

  it('given a connection that does not work, when the doctor is called, then it says so, with the fix, and the exit code is 1', async () => {
    const { exitCode, terminal } = await patchbay('doctor', {
      'GET /health/live': { body: { status: 'ok' } },
      'GET /health/ready': { body: { status: 'ok', checks: [{ name: 'database', isOk: true }] } },
      'GET /api/flows': {
        body: { flows: [{ name: 'payments', state: 'running', file: 'payments.yaml', faults: [] }], broken: [] },
      },
      'GET /api/triggers': {
        body: {
          triggers: [
            { id: 't', uses: 'evm.contractEvent', connection: 'local', cursor: '9', error: null, heardAt: null },
          ],
        },
      },
      'GET /api/dead-letters': { body: { items: [{ ...run, state: 'failed' }] } },
      'GET /api/networks': { body: { networks: [{ name: 'main', connector: 'evm' }] } },
      'GET /api/networks/main': {
        body: {
          name: 'main',
          chainId: 1,
          client: 'Geth/v1.16',
          head: { number: 12, ageSeconds: 3 },
          uses: {
            receipts: 'byBlock',
            requests: 'batched',
            fees: 'eip1559',
            finalized: 'blocksOnTop',
            blocksOnTop: 64,
          },
          hints: [{ detail: 'All of main hangs on one node.', fix: 'Add another address to rpcUrl.' }],
        },
      },
      'GET /api/connections': { body: { connections: [{ name: 'org', connector: 'salesforce' }] } },
      'POST /api/connections/org/test': {
        status: 502,
        body: { code: 'connection.unauthorised', detail: 'It refused the key.', fix: 'Make a new one.' },
      },
    });

    expect(exitCode).toBe(1);
    expect(terminal.stdout()).toContain('✓ database');
    expect(terminal.stdout()).toContain('! dead letters payments 1');
    expect(terminal.stdout()).toContain('✗ connection   org (salesforce): connection.unauthorised It refused the key.');
    expect(terminal.stdout()).toContain('Fix: Make a new one.');
    expect(terminal.stdout()).toContain(
      '✓ network      main is chain 1 on Geth/v1.16, at block 12, 3 s old; receipts by block',
    );
    expect(terminal.stdout()).toContain('fees with base fee and tip, final with 64 blocks on top');
    expect(terminal.stdout()).toContain('! network      main: All of main hangs on one node.');
  });

  it('given a setting that is missing, when a connection is added without a terminal, then the flag is named', async () => {
    const settings = { properties: { makerKey: { type: 'string', secret: true } }, required: ['makerKey'] };
    const script = {
      'GET /api/catalog': { body: { connectors: [{ name: 'ifttt', connection: { settings } }] } },
      'POST /api/connections': { status: 201, body: { name: 'ifttt', connector: 'ifttt', isDefault: true } },
    };
    const missing = await patchbay('connection add ifttt', script);
    expect(missing.exitCode).toBe(2);
    expect(missing.terminal.stderr()).toContain('--set-env makerKey=VARIABLE');
    await missing.hub.stop();

    const added = await patchbay('connection add ifttt --set-env makerKey=KEY', script, { env: { KEY: 'geheim' } });
    expect(added.exitCode).toBe(0);
    expect(added.hub.calls.at(-1)?.body).toEqual({
      name: 'ifttt',
      connector: 'ifttt',
      settings: { makerKey: 'geheim' },
    });
    expect(added.terminal.stdout() + added.terminal.stderr()).not.toContain('geheim');
  });

  it('given settings that are no text, when a connection is added, then they arrive as what they are', async () => {
    const properties = {
      rpcUrl: { anyOf: [{ type: 'string' }, { type: 'array' }] },
      clientId: { type: 'string' },
      chainId: { type: 'integer' },
      confirmations: { anyOf: [{ type: 'integer' }, { type: 'string', enum: ['safe', 'finalized'] }] },
      sources: { type: 'object' },
    };
    const script = {
      'GET /api/catalog': { body: { connectors: [{ name: 'evm', connection: { settings: { properties } } }] } },
      'POST /api/connections': { status: 201, body: { name: 'evm', connector: 'evm', isDefault: true } },
    };
    const add = async (...set: string[]) => {
      const { hub } = await patchbay(['connection add evm', ...set].join(' --set '), script);
      await hub.stop();
      return hub.calls.at(-1)?.body;
    };

    expect(await add('rpcUrl=http://a.example', 'clientId=007', 'chainId=31337', 'confirmations=3')).toMatchObject({
      settings: { rpcUrl: 'http://a.example', clientId: '007', chainId: 31_337, confirmations: 3 },
    });
    expect(
      await add('confirmations=finalized', 'chainId=many', 'sources={"a":{"url":"https://a.example"}}'),
    ).toMatchObject({
      settings: { confirmations: 'finalized', chainId: 'many', sources: { a: { url: 'https://a.example' } } },
    });
  });

  it('given a setting that the connector does not know, when a connection is added, then it is named before anything else is asked', async () => {
    const properties = { loginUrl: { type: 'string' }, clientId: { type: 'string' } };
    const settings = { properties, required: ['loginUrl', 'clientId'] };
    const script = { 'GET /api/catalog': { body: { connectors: [{ name: 'salesforce', connection: { settings } }] } } };

    const { exitCode, terminal } = await patchbay(
      'connection add salesforce --set loginUrll=https://a.example',
      script,
    );

    expect(exitCode).toBe(2);
    expect(terminal.stderr()).toContain('salesforce has no setting loginUrll.');
    expect(terminal.stderr()).toContain('Did you mean loginUrl?');
  });

  it.each([
    ['none is marked', false, 'several connections (crm, uat) and none is the default: each flow must name one'],
    ['one is marked', true, 'Flows that name no connection use crm'],
  ])(
    'given a second connection, when %s as the default, then it is told whom flows use',
    async (_which, isDefault, told) => {
      const uat = { name: 'uat', connector: 'ifttt', isDefault: false };
      const settings = { properties: { makerKey: { type: 'string' } } };
      const { exitCode, terminal } = await patchbay('connection add ifttt --name uat --set makerKey=key', {
        'GET /api/catalog': { body: { connectors: [{ name: 'ifttt', connection: { settings } }] } },
        'POST /api/connections': { status: 201, body: uat },
        'GET /api/connections': { body: { connections: [{ name: 'crm', connector: 'ifttt', isDefault }, uat] } },
      });

      expect(exitCode).toBe(0);
      expect(terminal.stderr()).toContain(told);
    },
  );

  it('given a signer that cannot be opened, when signers are listed, then it is there with its problem', async () => {
    const signers = [
      { name: 'treasury', kind: 'key', address: '0xf39f', problem: null },
      { name: 'cold', kind: 'keystore', address: null, problem: { code: 'config.invalid', detail: 'Wrong password' } },
    ];
    const { terminal } = await patchbay('signer list', { 'GET /api/signers': { body: { signers } } });

    expect(terminal.stdout()).toMatch(/treasury +key +0xf39f\n/);
    expect(terminal.stdout()).toMatch(/cold +keystore +Wrong password/);
  });

  it('given a wallet, when its accounts are listed, then the page asked for is printed', async () => {
    const accounts = [{ index: 5, name: 'hd-customers-5', address: '0x9965' }];
    const { terminal, hub: asked } = await patchbay('wallet accounts customers --from 5 --count 1', {
      'GET /api/wallets/customers/accounts': { body: { accounts } },
    });

    expect(asked.calls[0]?.path).toBe('/api/wallets/customers/accounts?from=5&count=1');
    expect(terminal.stdout()).toMatch(/hd-customers-5 +0x9965/);
  });
});
