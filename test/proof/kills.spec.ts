import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { backendNames, isAvailable, startBackend, type Backend } from '../environment/backends.js';
import { ChainTraffic } from '../environment/chain-traffic.js';
import { eventually } from '../builders/eventually.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { silentLog } from '../environment/silent-log.js';
import { WebhookTraffic } from '../environment/webhook-traffic.js';

const kills = 30;

const flows = (sink: string): Record<string, string> => ({
  'hooks.yaml': `
name: hooks
trigger: { uses: webhook.received }
steps:
  - uses: http.request
    with: { method: POST, url: "${sink}/hooks-first", body: { id: "{{event.body.id}}" } }
  - uses: http.request
    with: { method: POST, url: "${sink}/hooks-second", body: { id: "{{event.body.id}}" } }
`,
  'transfers.yaml': `
name: transfers
trigger:
  uses: evm.contractEvent
  with: { contract: usdc, event: Transfer }
steps:
  - uses: http.request
    with:
      method: POST
      url: "${sink}/transfers"
      body:
        id: "{{event.transaction.hash}}-{{event.log.index}}"
        key: "{{event.args.to}}"
        seq: "{{event.block.number}}{{slice (concat '0000' event.log.index) -4}}"
orderingKey: "{{event.args.to}}"
`,
});

const configuration = (sandbox: Sandbox): string => `
networks:
  local: { rpcUrl: "${sandbox.chain.url}", wsUrl: "${sandbox.chain.wsUrl}", chainId: 31337, confirmations: 0 }
`;

describe.each(backendNames)('killing the hub, with the queue in %s', (backendName) => {
  const prove = isAvailable(backendName) ? it : it.skip;
  let backend: Backend;
  let database: TestDatabase;
  let sandbox: Sandbox;
  let hub: HubProcess;

  beforeAll(async () => {
    if (!isAvailable(backendName)) return;
    [backend, database, sandbox] = await Promise.all([
      startBackend(backendName),
      createTestDatabase(),
      startSandbox({ port: 0, chainPort: 0, blockTimeSeconds: 1, log: silentLog }),
    ]);
    hub = await HubProcess.create({
      databaseUrl: database.url,
      ...(backend.redisUrl !== undefined && { redisUrl: backend.redisUrl }),
      flows: flows(`${sandbox.url}/sink`),
      configuration: configuration(sandbox),
    });
    await hub.start();
    await hub.untilListening();
  }, 120_000);

  afterAll(async () => {
    if (!isAvailable(backendName)) return;
    await hub.remove();
    await sandbox.stop();
    await Promise.all([database.drop(), backend.stop()]);
  }, 60_000);

  prove(
    `given webhooks and transfers that keep coming, when the hub is killed ${kills} times, then nothing is lost, doubled or overtaken`,
    async () => {
      const transfers = new ChainTraffic(sandbox.chain.rpc, 15);
      const webhooks = new WebhookTraffic(hub, 'hooks', { callers: 5, everyMs: 40 });

      for (let kill = 0; kill < kills; kill += 1) {
        await delay(randomInt(50, 1_500));
        await hub.kill();
        await hub.start();
      }
      const expected = { hooks: await webhooks.stop(), transfers: await transfers.stop() };

      const arrived = (name: string, count: number) =>
        eventually(() => sandbox.sinks.get(name).report().distinctIds >= count, { withinMs: 60_000, what: name });
      await arrived('hooks-second', expected.hooks);
      await arrived('transfers', expected.transfers);
      const whole = { doubledEffects: 0, orderViolations: 0 };
      expect(sandbox.sinks.get('hooks-first').report()).toMatchObject({ ...whole, distinctIds: expected.hooks });
      expect(sandbox.sinks.get('hooks-second').report()).toMatchObject({ ...whole, distinctIds: expected.hooks });
      expect(sandbox.sinks.get('transfers').report()).toMatchObject({ ...whole, distinctIds: expected.transfers });
    },
    900_000,
  );
});
