import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { devAccounts } from '../../src/evm/testing/dev-chain.js';
import { FaultProxy, rpcError, rpcResult, type RpcCall } from '../../src/evm/testing/fault-proxy.js';
import { eventually } from '../builders/eventually.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { silentLog } from '../environment/silent-log.js';

const kills = 30;
const submissions = 1_000;
const callers = 20;

/** Where a status may go from where it is; only a reorganisation leads back. */
const ways: Readonly<Record<string, readonly string[]>> = {
  '': ['reserved'],
  reserved: ['signed'],
  signed: ['broadcast', 'mined', 'failed'],
  broadcast: ['mined', 'failed'],
  mined: ['confirmed', 'failed', 'cancelled', 'broadcast'],
};

const configuration = (node: string): string => `
networks:
  local: { rpcUrl: "${node}", chainId: 31337, confirmations: 0, transactions: { window: 256 } }
signers:
${devAccounts.map(({ key }, index) => `  signer-${String(index)}: { privateKey: "${key}" }`).join('\n')}
`;

/** One in so many calls goes wrong in one of the ways in which nodes go wrong. */
function misbehave(call: RpcCall, forward: () => Promise<unknown>, cut: () => void): Promise<unknown> {
  const dice = randomInt(100);
  const isBroadcast = call.method === 'eth_sendRawTransaction';
  if (isBroadcast && dice < 3) {
    // The node has taken it, and nobody hears of it.
    return forward().then(() => cut());
  }
  // The node says yes and forgets.
  if (isBroadcast && dice < 5) return Promise.resolve(rpcResult(call, `0x${'ab'.repeat(32)}`));
  if (isBroadcast && dice < 7) return Promise.resolve(rpcError(call, -32_603, 'internal error'));
  const isReceipt = call.method === 'eth_getTransactionReceipt' || call.method === 'eth_getBlockReceipts';
  if (isReceipt && dice < 5) return Promise.resolve(rpcResult(call, null));
  if (dice < 1) return Promise.resolve(rpcError(call, -32_005, 'rate limit exceeded'));
  return forward();
}

describe('sending while the hub is killed and the node misbehaves', () => {
  let database: TestDatabase;
  let sandbox: Sandbox;
  let node: FaultProxy;
  let hub: HubProcess;

  beforeAll(async () => {
    [database, sandbox] = await Promise.all([
      createTestDatabase(),
      startSandbox({ port: 0, chainPort: 0, blockTimeSeconds: 1, log: silentLog }),
    ]);
    node = await FaultProxy.start(sandbox.chain.url);
    hub = await HubProcess.create({
      databaseUrl: database.url,
      flows: {},
      configuration: configuration(node.url),
    });
    await hub.start();
  }, 120_000);

  afterAll(async () => {
    await hub.remove();
    await node.stop();
    await sandbox.stop();
    await database.drop();
  }, 60_000);

  it(`given ${String(submissions)} transactions of callers that try again, when the hub is killed ${String(kills)} times, then each is executed exactly once`, async () => {
    const before = await Promise.all(devAccounts.map(({ address }) => countOf(sandbox, address)));
    node.fault = (call, forward, response) => misbehave(call, forward, () => response.destroy());
    let next = 0;
    let isOver = false;
    const calling = Promise.all(
      Array.from({ length: callers }, async () => {
        while (next < submissions) await submit(hub, (next += 1));
      }),
    ).then(() => {
      isOver = true;
    });
    for (let kill = 0; kill < kills; kill += 1) {
      await delay(randomInt(100, 900));
      await hub.kill();
      await hub.start();
    }
    await calling;
    expect(isOver).toBe(true);
    node.fault = undefined;

    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await eventually(
        async () => {
          const { rows } = await client.query<{ open: string }>(
            `select count(*) as open from chain_transaction where status not in ('confirmed', 'failed', 'cancelled')`,
          );
          return rows[0]?.open === '0';
        },
        { withinMs: 240_000, what: 'The end of every transaction' },
      );
      const { rows: ends } = await client.query<{ status: string; count: string }>(
        `select status, count(*) from chain_transaction where idempotency_key like '%send-%' group by status`,
      );
      expect(ends).toEqual([{ status: 'confirmed', count: String(submissions) }]);
      const balances = await Promise.all(
        Array.from({ length: submissions }, (_, index) =>
          sandbox.chain.rpc<string>('eth_getBalance', addressOf(index + 1), 'latest').then(Number),
        ),
      );
      expect(balances.filter((balance) => balance !== 1)).toEqual([]);
      const after = await Promise.all(devAccounts.map(({ address }) => countOf(sandbox, address)));
      const { rows: all } = await client.query<{ count: string }>('select count(*) from chain_transaction');
      const used = after.reduce((sum, count, index) => sum + count - before[index]!, 0);
      expect(used).toBe(Number(all[0]?.count));
      await expectForwardOnly(client);
    } finally {
      await client.end();
    }
  }, 900_000);
});

async function submit(hub: HubProcess, number: number): Promise<void> {
  const body = { from: `signer-${String(number % devAccounts.length)}`, to: addressOf(number), value: '1' };
  // Half of them leave the gas to be estimated.
  const request = number % 2 === 0 ? { ...body, gas: '30000' } : body;
  for (;;) {
    const accepted = await hub
      .post('/api/transactions', request, { 'idempotency-key': `send-${String(number)}` })
      .catch((error: unknown) => {
        // The caller's own fault would be told by any other answer, and trying again would hide it.
        if (/: 4(?!09|29)\d\d /.test(String(error))) throw error;
        return undefined;
      });
    if (accepted !== undefined) return;
    await delay(50);
  }
}

function addressOf(number: number): string {
  return `0x${(0xcafe_0000_0000 + number).toString(16).padStart(40, '0')}`;
}

async function countOf(sandbox: Sandbox, address: string): Promise<number> {
  return Number(await sandbox.chain.rpc<string>('eth_getTransactionCount', address, 'latest'));
}

async function expectForwardOnly(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ transaction_id: string; status: string; reason: string | null }>(
    `select transaction_id, status, detail->>'reason' as reason from chain_transaction_status order by transaction_id, seq`,
  );
  const odd: string[] = [];
  let before = { transaction_id: '', status: '' };
  for (const row of rows) {
    const from = row.transaction_id === before.transaction_id ? before.status : '';
    const isBack = from === 'mined' && row.status === 'broadcast';
    // Naming the same status again keeps a failure that was found on the way.
    const isKnownWay = row.status === from || ways[from]?.includes(row.status) === true;
    if (!isKnownWay || (isBack && row.reason !== 'reorganised')) odd.push(`${from} to ${row.status}`);
    before = row;
  }
  expect(odd).toEqual([]);
}
