import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Wallet, type TransactionRequest } from 'ethers';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { demoToken, treasury } from '../../sandbox/chain/demo-contracts.js';
import { recipients } from '../../sandbox/demo.js';
import { backendNames, isAvailable, startBackend, type Backend } from '../environment/backends.js';
import { ChainTraffic, transferData } from '../environment/chain-traffic.js';
import { eventually } from '../builders/eventually.js';
import { HubProcess } from '../environment/hub-process.js';
import { RpcProxy } from '../environment/rpc-proxy.js';
import { silentLog } from '../environment/silent-log.js';
import { WebhookTraffic } from '../environment/webhook-traffic.js';

const outageMs = 30_000;

const flows = (sink: string): Record<string, string> => ({
  'hooks.yaml': `
name: hooks
trigger: { uses: webhook.received }
steps:
  - uses: http.request
    with: { method: POST, url: "${sink}/hooks", body: { id: "{{event.body.id}}" } }
`,
  'transfers.yaml': `
name: transfers
trigger:
  uses: evm.contractEvent
  with: { contract: usdc, event: Transfer }
steps:
  - uses: http.request
    with: { method: POST, url: "${sink}/transfers", body: { id: "{{event.transaction.hash}}" } }
onReverted:
  - uses: http.request
    with: { method: POST, url: "${sink}/undone", body: { id: "{{event.transaction.hash}}" } }
`,
});

describe.each(backendNames)('what breaks around the hub, with the queue in %s', (backendName) => {
  const prove = isAvailable(backendName) ? it : it.skip;
  let backend: Backend;
  let sandbox: Sandbox;
  let node: RpcProxy;
  let hub: HubProcess;

  beforeAll(async () => {
    if (!isAvailable(backendName)) return;
    [backend, sandbox] = await Promise.all([
      startBackend(backendName),
      startSandbox({ port: 0, chainPort: 0, blockTimeSeconds: 1, log: silentLog }),
    ]);
    node = await RpcProxy.before(sandbox.chain.url);
    hub = await HubProcess.create({
      ...(backend.redisUrl !== undefined && { redisUrl: backend.redisUrl }),
      flows: flows(`${sandbox.url}/sink`),
      configuration: `networks:\n  local: { rpcUrl: "${node.url}", chainId: 31337, confirmations: 0, revertedAfter: 3 }\n`,
    });
    await hub.start();
    await hub.untilListening();
  }, 120_000);

  afterAll(async () => {
    if (!isAvailable(backendName)) return;
    await hub.remove();
    await Promise.all([node.stop(), sandbox.stop(), backend.stop()]);
  }, 60_000);

  const report = (name: string) => sandbox.sinks.get(name).report();

  prove(
    'given five blocks that are replaced, when a transfer is in the new ones and another is gone, then neither is done twice and the lost one is undone once',
    async () => {
      const { rpc } = sandbox.chain;
      const wallet = new Wallet(treasury.privateKey);
      // Empty blocks that may go as well: the chain grows while the depth is found out.
      const spare = 5;
      await rpc('anvil_mine', `0x${String(spare)}`);
      const nonce = Number(await rpc<string>('eth_getTransactionCount', treasury.address, 'latest'));
      const signed = (offset: number) => signTransfer(wallet, nonce + offset, 1_000 + offset);
      const [kept, lost] = [await signed(0), await signed(1)];
      const hashes = await Promise.all([kept, lost].map((raw) => rpc<string>('eth_sendRawTransaction', raw)));
      await eventually(() => report('transfers').distinctIds >= 2, { what: 'both transfers' });
      const [keptHash = '', lostHash = ''] = hashes;
      const { blockNumber } = await rpc<{ blockNumber: string }>('eth_getTransactionReceipt', keptHash);
      await eventually(async () => Number(await rpc<string>('eth_blockNumber')) >= Number(blockNumber) + 4);

      const head = Number(await rpc<string>('eth_blockNumber'));
      const depth = head - Number(blockNumber) + spare;
      await rpc('anvil_reorg', depth, [[kept, 0]]);

      await eventually(() => report('undone').distinctIds >= 1, { withinMs: 60_000, what: 'the undoing' });
      await delay(3_000);
      expect(await rpc('eth_getTransactionReceipt', keptHash)).not.toBeNull();
      expect(await rpc('eth_getTransactionReceipt', lostHash)).toBeNull();
      expect(report('transfers')).toMatchObject({ received: 2, distinctIds: 2 });
      expect(report('undone')).toMatchObject({ received: 1, distinctIds: 1 });
    },
    180_000,
  );

  prove(
    'given work under way, when the database is killed, then it comes back by itself and nothing is lost or doubled',
    async () => {
      const before = report('hooks').distinctIds;
      const webhooks = new WebhookTraffic(hub, 'hooks', { callers: 5, everyMs: 20 });
      await eventually(() => webhooks.accepted > 50);

      process.kill(await databasePid(hub), 'SIGKILL');
      const acceptedBefore = webhooks.accepted;
      await eventually(() => webhooks.accepted > acceptedBefore + 50, { withinMs: 30_000, what: 'going on' });
      const accepted = await webhooks.stop();

      await eventually(() => report('hooks').distinctIds >= before + accepted, { withinMs: 30_000, what: 'the rest' });
      expect(report('hooks')).toMatchObject({ distinctIds: before + accepted, doubledEffects: 0 });
    },
    120_000,
  );

  prove(
    `given a node that is away for ${outageMs / 1_000} s, when it comes back, then every transfer of that time arrives once`,
    async () => {
      const before = report('transfers').distinctIds;
      const traffic = new ChainTraffic(sandbox.chain.rpc, 10);
      await eventually(() => report('transfers').distinctIds > before + 10, { what: 'transfers before the outage' });

      node.isDown = true;
      const webhooks = new WebhookTraffic(hub, 'hooks', { callers: 2, everyMs: 100 });
      const hooksBefore = report('hooks').distinctIds;
      await delay(outageMs);
      const accepted = await webhooks.stop();
      node.isDown = false;
      const sent = await traffic.stop();

      await eventually(() => report('transfers').distinctIds >= before + sent, {
        withinMs: 60_000,
        what: 'the transfers',
      });
      expect(report('transfers')).toMatchObject({ distinctIds: before + sent, doubledEffects: 0 });
      expect(accepted).toBeGreaterThan(100);
      await eventually(() => report('hooks').distinctIds >= hooksBefore + accepted, { what: 'the webhooks' });
    },
    180_000,
  );
});

async function signTransfer(wallet: Wallet, nonce: number, amount: number): Promise<string> {
  const transaction: TransactionRequest = {
    type: 2,
    chainId: 31337,
    nonce,
    to: demoToken,
    data: transferData(recipients[0], amount),
    gasLimit: 100_000,
    maxFeePerGas: 10_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
  };
  return wallet.signTransaction(transaction);
}

/** The hub's own server, by the lock file that PostgreSQL writes. */
async function databasePid(hub: HubProcess): Promise<number> {
  const [pid] = (await readFile(join(hub.folder, 'data/postgres/data/postmaster.pid'), 'utf8')).split('\n');
  return Number(pid);
}
