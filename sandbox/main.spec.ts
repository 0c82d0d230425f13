import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '../test/builders/eventually.js';
import { removable } from '../test/builders/removable.js';
import { demoToken, loyaltyToken, payer } from './chain/demo-contracts.js';
import { amountJob, operator, priceJob } from './chain/demo-oracle.js';
import { createRpc } from './chain/json-rpc.js';

interface Ready {
  readonly ready: true;
  readonly url: string;
  readonly chainUrl: string;
  readonly chainWsUrl: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Started extends Ready {
  readonly child: ChildProcess;
}

const root = join(import.meta.dirname, '..');
const transferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const oracleRequestTopic = '0xd8d7ecc4800d25fa53ce0372f13a416d98907a7ef3d8d3bdd79cf4fe75529c65';
const running = new Set<ChildProcess>();

async function start(...given: string[]): Promise<Started> {
  const child = spawn(
    process.execPath,
    [join(root, 'dist/sandbox/main.js'), '--port', '0', '--chain-port', '0', '--block-time', '1', ...given],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  running.add(child);
  child.once('exit', () => running.delete(child));
  if (child.stdout === null) throw new Error('The sandbox has no output');
  const { value } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  if (typeof value !== 'string') throw new Error('The sandbox did not start; why is said above');
  return { child, ...(JSON.parse(value) as Ready) };
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text === '' ? undefined : JSON.parse(text);
}

async function isGone(url: string): Promise<boolean> {
  return fetch(url).then(
    () => false,
    () => true,
  );
}

async function stop({ child }: Started): Promise<number | null> {
  child.stdin?.end();
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root });
});
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

describe('the sandbox as a process', () => {
  let sandbox: Started;

  beforeAll(async () => {
    sandbox = await start();
  });
  afterAll(async () => {
    await stop(sandbox);
  });
  afterEach(async () => {
    await fetch(`${sandbox.url}/_faults`, { method: 'DELETE' });
    await fetch(`${sandbox.url}/_received`, { method: 'DELETE' });
  });

  it('given it is ready, when its variables are read, then they are those of patchbay.yaml and open just its ports', () => {
    expect(sandbox.env).toMatchObject({
      SANDBOX_CHAIN_URL: sandbox.chainUrl,
      SANDBOX_SALESFORCE_URL: `${sandbox.url}/salesforce`,
      PATCHBAY_EGRESS_ALLOW: `${new URL(sandbox.url).host},${new URL(sandbox.chainUrl).host}`,
    });
  });

  it('given both tokens are deployed, when a transfer is ordered, then the chain has its log', async () => {
    const rpc = createRpc(sandbox.chainUrl);
    const transfer = await post(`${sandbox.url}/_demo/transfer`, { amount: '25000.5' });
    const logs = await rpc<{ transactionHash: string; data: string; topics: string[] }[]>('eth_getLogs', {
      address: [demoToken, loyaltyToken],
      topics: [transferTopic, `0x${payer.slice(2).padStart(64, '0')}`],
      fromBlock: '0x0',
    });

    expect(logs).toHaveLength(1);
    expect(transfer).toMatchObject({ transactionHash: logs[0]?.transactionHash });
    expect(BigInt(logs[0]?.data ?? 0)).toBe(25_000_500_000n);
  });

  it('given a transfer, when the chain is reorganised below it, then its log is gone', async () => {
    const rpc = createRpc(sandbox.chainUrl);
    const { hash, depth } = await removable(rpc, async () => {
      const made = (await post(`${sandbox.url}/_demo/transfer`, { amount: '1' })) as { transactionHash: string };
      return made.transactionHash;
    });
    const { blockNumber } = await rpc<{ blockNumber: string }>('eth_getTransactionReceipt', hash);
    const before = await rpc<{ number: string; hash: string }>('eth_getBlockByNumber', blockNumber, false);
    await post(`${sandbox.url}/_demo/reorg`, { depth: await depth() });

    expect(await rpc('eth_getTransactionReceipt', hash)).toBeNull();
    expect(await rpc('eth_getBlockByNumber', before.number, false)).not.toMatchObject({ hash: before.hash });
  });

  it('given an opportunity, when it is won, then Salesforce holds it', async () => {
    const won = await post(`${sandbox.url}/_demo/opportunity`, { amount: 500 });

    expect(won).toMatchObject({ id: expect.stringMatching(/^006/), amount: 500 });
  });

  it('given an oracle and who asks it, when a contract asks, then the oracle has the request, and no answer is there yet', async () => {
    const rpc = createRpc(sandbox.chainUrl);
    const price = (await post(`${sandbox.url}/_demo/request`, { pair: 'ETH-USD' })) as { id: string };
    const amount = (await post(`${sandbox.url}/_demo/request`, { opportunity: '006000000000001AAA' })) as {
      id: string;
    };
    const logs = await rpc<{ topics: string[] }[]>('eth_getLogs', {
      address: operator,
      topics: [oracleRequestTopic],
      fromBlock: '0x0',
    });

    expect(logs.map(({ topics }) => topics[1])).toEqual([priceJob, amountJob]);
    expect(price.id).not.toBe(amount.id);
    expect(await (await fetch(`${sandbox.url}/_demo/request?id=${price.id}`)).json()).toEqual({});
  });

  it('given a price that is set and a provider that lies, when both are asked, then one says it and the other does not', async () => {
    const prices = sandbox.env['SANDBOX_PRICES_URL'] ?? '';
    await post(`${sandbox.url}/_prices`, { pair: 'ETH-USD', price: '3000' });
    await post(`${sandbox.url}/_faults`, { standIn: 'prices', source: 'kestrel', kind: 'lie', price: '1' });

    expect(await (await fetch(`${prices}/kestrel/v1/ticker?pair=ETH-USD`)).json()).toMatchObject({ last: '1' });
    expect(await (await fetch(`${prices}/harbour/markets/eth-usd/trades`)).text()).toContain('3000.6');
    expect(await (await fetch(`${sandbox.url}/_faults`)).json()).toMatchObject({ pricesInside: [{ kind: 'lie' }] });
    await expect(post(`${sandbox.url}/_faults`, { standIn: 'prices', kind: 'sulk' })).rejects.toThrow('kind');
  });

  it('given every second request fails, when two come, then the first has an effect and the second none', async () => {
    const hook = sandbox.env['SANDBOX_ZAPIER_HOOK'] ?? '';
    await post(`${sandbox.url}/_faults`, {
      standIn: 'zapier',
      status: 429,
      headers: { 'retry-after': '1' },
      everyNth: 2,
    });
    const statuses = [await fetch(hook, { method: 'POST' }), await fetch(hook, { method: 'POST' })].map(
      ({ status }) => status,
    );
    const received = await (await fetch(`${sandbox.url}/_received?standIn=zapier`)).json();

    expect(statuses).toEqual([200, 429]);
    expect(received).toMatchObject([{ processed: true }, { processed: false, status: 429 }]);
  });

  it('given a reset after processing, when a request comes, then the caller has no answer and the effect is there', async () => {
    await post(`${sandbox.url}/_faults`, { standIn: 'http', resetAfterProcessing: true, times: 1 });
    await expect(fetch(`${sandbox.url}/http/orders`, { method: 'POST', body: '{"n":1}' })).rejects.toThrow();
    const received = await (await fetch(`${sandbox.url}/_received?standIn=http`)).json();

    expect(received).toMatchObject([{ method: 'POST', body: '{"n":1}', status: 0, processed: true }]);
  });

  it('given a fault that is none, when it is ordered, then it says what is wrong', async () => {
    await expect(post(`${sandbox.url}/_faults`, { standIn: 'zapier', everyNth: 0 })).rejects.toThrow('everyNth');
    await expect(post(`${sandbox.url}/_demo/transfer`, { amount: 'much' })).rejects.toThrow('amount');
  });
});

describe('the life of the sandbox', () => {
  it('given activity and a data folder, when it is stopped and started again, then the chain goes on where it was', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
    const first = await start('--activity', '--activity-every', '600000', '--data-dir', folder);
    const balance = (url: string) =>
      createRpc(url)<string>(
        'eth_call',
        { to: demoToken, data: `0x70a08231${payer.slice(2).padStart(64, '0')}` },
        'latest',
      );
    const start0 = 900_000_000_000_000n;
    await eventually(async () => BigInt(await balance(first.chainUrl)) === start0 - 25_000_000_000n);

    expect(await stop(first)).toBe(0);
    expect(await isGone(first.chainUrl)).toBe(true);

    const second = await start('--data-dir', folder);
    expect(BigInt(await balance(second.chainUrl))).toBe(start0 - 25_000_000_000n);
    await stop(second);
    rmSync(folder, { recursive: true });
  });

  it('given it is killed, when it is gone, then so is the development chain', async () => {
    const sandbox = await start();
    sandbox.child.kill('SIGKILL');

    await eventually(() => isGone(sandbox.chainUrl));
    expect(await isGone(sandbox.url)).toBe(true);
  });

  it('given SIGTERM, when it ends, then it ends well', async () => {
    const sandbox = await start();
    sandbox.child.kill('SIGTERM');

    expect(await once(sandbox.child, 'exit')).toEqual([0, null]);
    expect(await isGone(sandbox.chainUrl)).toBe(true);
  });
});
