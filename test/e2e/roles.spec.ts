import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { eventually } from '../builders/eventually.js';
import { sendTransfer } from '../environment/chain-traffic.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { silentLog } from '../environment/silent-log.js';

let database: TestDatabase;
let sandbox: Sandbox;
let api: HubProcess;
let first: HubProcess;
let second: HubProcess;

beforeAll(async () => {
  [database, sandbox] = await Promise.all([
    createTestDatabase(),
    startSandbox({ port: 0, chainPort: 0, blockTimeSeconds: 1, log: silentLog }),
  ]);
  const options = {
    databaseUrl: database.url,
    flows: {
      'hooks.yaml': `
name: hooks
trigger: { uses: webhook.received }
steps: [{ uses: http.request, with: { method: POST, url: "${sandbox.url}/sink/hooks", body: { id: "{{event.body.id}}" } } }]
`,
      'transfers.yaml': `
name: transfers
trigger: { uses: evm.contractEvent, with: { contract: usdc, event: Transfer } }
steps: [{ uses: http.request, with: { method: POST, url: "${sandbox.url}/sink/transfers", body: { id: "{{event.transaction.hash}}" } } }]
`,
    },
    configuration: `networks: { local: { rpcUrl: "${sandbox.chain.url}", chainId: 31337, confirmations: 0 } }`,
  };
  const withRoles = (roles: string) => HubProcess.create({ ...options, env: { PATCHBAY_ROLES: roles } });
  [api, first, second] = (await Promise.all(['api', 'listener,worker', 'listener,worker'].map(withRoles))) as [
    HubProcess,
    HubProcess,
    HubProcess,
  ];
  await api.start();
  await first.start();
  await api.untilListening();
  await second.start();
});

afterAll(async () => {
  await Promise.all([api, first, second].map((hub) => hub.remove()));
  await sandbox.stop();
  await database.drop();
});

const report = (name: string) => sandbox.sinks.get(name).report();

describe('a hub of three processes', () => {
  it('given an api process that executes nothing, when it accepts a webhook, then a worker process makes the call', async () => {
    await api.post('/hooks/hooks', { id: 'one' });

    await eventually(() => report('hooks').received === 1);
  });

  it('given a worker process, when somebody asks it for the API, then it has only health', async () => {
    const answer = async (path: string) =>
      (await fetch(first.url + path, { headers: { authorization: `Bearer ${first.key}` } })).status;

    expect([await answer('/health/ready'), await answer('/api/runs')]).toEqual([200, 404]);
  });

  it('given two listeners, when transfers come, then each is heard once; when the one that listens is killed, the other takes over', async () => {
    for (let i = 0; i < 5; i += 1) await sendTransfer(sandbox.chain.rpc, 1);
    await eventually(() => report('transfers').distinctIds === 5);

    await first.kill();
    for (let i = 0; i < 5; i += 1) await sendTransfer(sandbox.chain.rpc, 1);

    await eventually(() => report('transfers').distinctIds === 10, { withinMs: 30_000, what: 'the take-over' });
    expect(report('transfers')).toMatchObject({ distinctIds: 10, doubledEffects: 0 });
  });
});
