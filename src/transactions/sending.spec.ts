import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  MinedBlocks,
  NetworkFees,
  RpcClient,
  TransactionManager,
  createKeySigner,
  isFinal,
  replayRevert,
  type Abi,
  type SendRequest,
  type Signer,
  type TransactionManagerOptions,
  type TransactionRecord,
  type TransactionStore,
} from '#evm';
import type { Store } from '#platform';
import { Secret } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { DevChain, artefact, devAccounts } from '../evm/testing/dev-chain.js';
import { FaultProxy, rpcError, rpcResult } from '../evm/testing/fault-proxy.js';
import { silent } from '../evm/testing/heard-logs.js';
import { localLeases, localSignals } from '../evm/testing/manager-parts.js';
import { KyselyTransactionStore } from './transactions.store.js';

const abi = artefact('DemoToken').abi as Abi;

let chain: DevChain;
let proxy: FaultProxy;
let database: Store;
let store: KyselyTransactionStore;
let signer: Signer;
let keys = 0;
const open: TransactionManager[] = [];

beforeAll(async () => {
  [chain, database] = await Promise.all([DevChain.start(), openTestStore()]);
  proxy = await FaultProxy.start(chain.url);
  store = new KyselyTransactionStore(database.db);
  signer = await createKeySigner('treasury', new Secret(devAccounts[0].key));
}, 60_000);

afterAll(async () => {
  await proxy.stop();
  await chain.stop();
  await database.close();
});

beforeEach(() => {
  keys += 1;
});

afterEach(async () => {
  proxy.fault = undefined;
  await Promise.all(open.splice(0).map((manager) => manager.close()));
  await chain.call('evm_setAutomine', [true]);
});

/** One that accepts and sends, unless it is told to accept only. */
function aManager(
  options: Partial<TransactionManagerOptions> = {},
  { url = chain.url, isSending = true }: { url?: string; isSending?: boolean } = {},
): TransactionManager {
  const rpc = new RpcClient({ urls: [url], chainId: DevChain.chainId, timeoutMs: 1_000 });
  const blocks = new MinedBlocks({ rpc, log: silent, pollMs: 10 });
  const manager = new TransactionManager({
    rpc,
    blocks,
    store,
    signers: { get: () => Promise.resolve(signer) },
    signals: localSignals(),
    leases: localLeases(),
    fees: new NetworkFees(rpc),
    log: silent,
    explain: (record, blockNumber) => replayRevert(rpc, { ...record, blockNumber }, abi),
    window: 64,
    resendAfterMs: 300,
    ...options,
  });
  if (isSending) manager.start();
  open.push(manager);
  return manager;
}

/** A mint to an address of its own, whose balance then shows how often it was done. */
function aMint(overrides: Partial<SendRequest> = {}): SendRequest {
  return {
    idempotencyKey: `key-${String(keys)}`,
    signer: 'treasury',
    to: chain.token,
    data: `0x40c10f19${recipient().slice(2).padStart(64, '0')}${'1'.padStart(64, '0')}`,
    value: 0n,
    finality: 0,
    abi,
    ...overrides,
  };
}

function recipient(): string {
  return `0x${(0xbeef_0000 + keys).toString(16).padStart(40, '0')}`;
}

async function balance(): Promise<number> {
  return Number(
    await chain.call('eth_call', [
      { to: chain.token, data: `0x70a08231${recipient().slice(2).padStart(64, '0')}` },
      'latest',
    ]),
  );
}

async function nonces(): Promise<number> {
  return Number(await chain.call('eth_getTransactionCount', [devAccounts[0].address, 'latest']));
}

const soon = () => ({ withinMs: 10_000, signal: new AbortController().signal });

async function sendAndWait(manager: TransactionManager, request: SendRequest): Promise<TransactionRecord> {
  const { id } = await manager.submit(request);
  return await manager.waitFor(id, 'final', soon());
}

async function statuses(id: string): Promise<string[]> {
  const rows = await database.db
    .selectFrom('chain_transaction_status')
    .select('status')
    .where('transaction_id', '=', id)
    .orderBy('seq')
    .execute();
  return rows.map(({ status }) => status);
}

async function stored(id: string): Promise<TransactionRecord> {
  const [record] = await store.find([id]);
  if (!record) throw new Error('it is not stored');
  return record;
}

describe('sending a transaction', () => {
  it('given a request, when it is sent twice, then it is one transaction and every status is kept', async () => {
    const before = await nonces();
    const manager = aManager();

    const record = await sendAndWait(manager, aMint());
    const again = await sendAndWait(manager, aMint());

    expect(record).toMatchObject({ status: 'confirmed', nonce: before });
    expect(again.id).toBe(record.id);
    expect(await balance()).toBe(1);
    expect(await statuses(record.id)).toEqual(['reserved', 'signed', 'broadcast', 'mined', 'confirmed']);
  });

  it('given a used key, when it is used for another payload, then it is a conflict', async () => {
    const manager = aManager();
    await sendAndWait(manager, aMint());
    await expect(manager.submit(aMint({ value: 1n }))).rejects.toMatchObject({ code: 'request.conflict' });
  });

  it('given many callers of two processes at once, when each uses its own key, then there are as many nonces without a gap', async () => {
    const before = await nonces();
    const parts = { signals: localSignals(), leases: localLeases() };
    const managers = [aManager(parts), aManager(parts), aManager(parts, { isSending: false })];

    const records = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        sendAndWait(managers[index % 3]!, aMint({ idempotencyKey: `many-${String(keys)}-${String(index)}` })),
      ),
    );

    expect(records.map(({ nonce }) => nonce).sort((one, other) => one - other)).toEqual(
      Array.from({ length: 30 }, (_, index) => before + index),
    );
    expect(await balance()).toBe(30);
  });

  it('given one key, when two processes use it at the same moment, then it is one transaction', async () => {
    const parts = { signals: localSignals(), leases: localLeases() };
    const records = await Promise.all([aManager(parts), aManager(parts)].map((one) => sendAndWait(one, aMint())));
    expect(new Set(records.map(({ id }) => id)).size).toBe(1);
    expect(await balance()).toBe(1);
  });

  it('given confirmations, when the block is mined, then it is mined until the blocks are on top', async () => {
    const manager = aManager();
    const { id } = await manager.submit(aMint({ finality: 2 }));
    expect(await manager.waitFor(id, 'mined', soon())).toMatchObject({ status: 'mined' });
    await chain.mine(2);
    expect(await manager.waitFor(id, 'final', soon())).toMatchObject({ status: 'confirmed' });
  });

  it('given a call that the contract refuses, when it is sent, then its reason is told and no nonce is used', async () => {
    const before = await nonces();
    const stranger = await createKeySigner('stranger', new Secret(devAccounts[1].key));
    const manager = aManager({ signers: { get: () => Promise.resolve(stranger) } });

    await expect(manager.submit(aMint())).rejects.toMatchObject({
      code: 'evm.reverted',
      detail: `The contract reverted the call: NotOwner(caller: "${stranger.address}")`,
    });
    await expect(aManager().submit(aMint({ data: `0xa9059cbb${'0'.repeat(128)}` }))).rejects.toMatchObject({
      detail: 'The contract reverted the call: transfer to the zero address',
    });
    expect(await store.findByKey(aMint().idempotencyKey)).toBeUndefined();
    expect(await nonces()).toBe(before);
  });

  it('given a call that is refused only when it is mined, when its gas was given, then it has failed with the reason', async () => {
    const manager = aManager();
    const request = aMint({ data: `0xa9059cbb${'0'.repeat(128)}`, gasLimit: 100_000n });

    const record = await sendAndWait(manager, request);

    expect(record).toMatchObject({ status: 'failed', failure: { code: 'evm.reverted' } });
    expect(record.failure?.detail).toContain('transfer to the zero address');
  });

  it('given a contract, when it is deployed, then its address is known', async () => {
    const manager = aManager();
    const { to: _, ...request } = aMint({ data: artefact('DemoToken').bytecode });

    const record = await sendAndWait(manager, request);

    expect(record).toMatchObject({ status: 'confirmed', to: undefined });
    expect(await chain.call('eth_getCode', [record.contractAddress, 'latest'])).not.toBe('0x');
  });

  it('given a signer without coins, when it sends, then the error says so and no nonce is used', async () => {
    const poor = await createKeySigner('poor', new Secret('11'.repeat(32)));
    const manager = aManager({ signers: { get: () => Promise.resolve(poor) } });
    await expect(manager.submit(aMint({ to: recipient(), data: '0x', value: 10n }))).rejects.toMatchObject({
      code: 'evm.insufficientFunds',
    });
    expect(await store.findByKey(aMint().idempotencyKey)).toBeUndefined();
  });
});

describe('what an operator wants', () => {
  it('given a transaction that waits, when it is cancelled, then nothing is mined in its place', async () => {
    await chain.call('evm_setAutomine', [false]);
    const manager = aManager();
    const { id } = await manager.submit(aMint());
    await manager.waitFor(id, 'broadcast', soon());

    await manager.cancel(id);
    await eventually(async () => (await stored(id)).attempts.some(({ kind, sentAt }) => kind === 'filler' && sentAt));
    await chain.mine();

    expect(await manager.waitFor(id, 'final', soon())).toMatchObject({ status: 'cancelled' });
    expect(await balance()).toBe(0);
    await expect(manager.cancel(id)).rejects.toMatchObject({ code: 'request.conflict' });
  });

  it('given a transaction that waits, when it is replaced at a higher fee, then the same nonce is mined at that fee', async () => {
    await chain.call('evm_setAutomine', [false]);
    const manager = aManager();
    const { id, nonce } = await manager.submit(aMint());
    await manager.waitFor(id, 'broadcast', soon());

    await manager.replace(id, { max: 99_000_000_000n, tip: 9_000_000_000n });
    await eventually(async () => (await stored(id)).attempts.at(1)?.sentAt);
    await chain.mine();

    const record = await manager.waitFor(id, 'final', soon());
    expect(record).toMatchObject({ status: 'confirmed', nonce, place: { hash: record.attempts.at(1)?.hash } });
    expect(record.attempts.at(1)).toMatchObject({ maxFee: '99000000000', tip: '9000000000' });
    expect(await balance()).toBe(1);
  });

  it('given a cap, when the fee would have to rise above it, then it stays and the others of the network go on', async () => {
    await chain.call('evm_setAutomine', [false]);
    const manager = aManager();
    const other = await createKeySigner('other', new Secret(devAccounts[1].key));
    const neighbour = aManager({ signers: { get: () => Promise.resolve(other) } });
    const { id } = await manager.submit(aMint({ fee: { max: 1n, tip: 0n, cap: 2n } }));
    const transfer = { to: recipient(), data: '0x', value: 5n };
    const free = await neighbour.submit(aMint({ ...transfer, idempotencyKey: `free-${String(keys)}` }));
    await eventually(async () => (await stored(free.id)).status === 'broadcast');
    await chain.mine(5);

    expect(await neighbour.waitFor(free.id, 'final', soon())).toMatchObject({ status: 'confirmed' });
    expect(isFinal(await stored(id))).toBe(false);

    await manager.replace(id, { cap: 99_000_000_000n });
    await eventually(async () => {
      await chain.mine();
      return isFinal(await stored(id));
    });
    expect(await balance()).toBe(1);
  });

  it('given a suspended signer, when it is to send, then it is refused with the reason', async () => {
    await database.db
      .insertInto('chain_signer')
      .values({ chain_id: DevChain.chainId, address: signer.address, suspended_at: new Date(), reason: 'audit' })
      .execute();
    try {
      await expect(aManager().submit(aMint())).rejects.toMatchObject({ code: 'evm.signerSuspended' });
    } finally {
      await database.db.deleteFrom('chain_signer').execute();
    }
  });
});

describe('sending through crashes', () => {
  it.each(['before', 'after'] as const)(
    'given a process that dies %s any one of its steps, when another goes on, then one nonce is used and the effect is there once',
    async (moment) => {
      for (let step = 1, isCut = true; isCut; step++) {
        keys += 1;
        const before = await nonces();
        const cut = new Cut(step, moment);
        proxy.fault = (_call, forward, response) =>
          cut.through(forward).catch(() => {
            response.destroy();
            return undefined;
          });
        const dying = aManager({ store: cut.around(store) }, { url: proxy.url });
        const begun = await dying.submit(aMint()).catch(() => undefined);
        await eventually(async () => cut.isDead || (begun && isFinal(await stored(begun.id))));
        await dying.close();
        proxy.fault = undefined;
        isCut = cut.isDead;

        const record = await sendAndWait(aManager(), aMint());

        expect({ step, nonce: record.nonce, status: record.status }).toEqual({
          step,
          nonce: before,
          status: 'confirmed',
        });
        expect(await nonces()).toBe(before + 1);
        expect(await balance()).toBe(1);
      }
    },
    60_000,
  );

  it('given a reserved nonce that nobody goes on with, when a process begins to send, then it and later ones are mined', async () => {
    const accepting = aManager({}, { isSending: false });
    await accepting.submit(aMint());
    const { id } = await accepting.submit(aMint({ idempotencyKey: `later-${String(keys)}` }));

    aManager();

    await accepting.waitFor(id, 'final', soon());
    expect(await balance()).toBe(2);
  });

  it('given a gap below what is unfinished, when a process begins to send, then it is filled and the rest is mined', async () => {
    const before = await nonces();
    await database.db
      .updateTable('chain_nonce')
      .set({ next: before + 3 })
      .where('address', '=', signer.address)
      .execute();

    const record = await sendAndWait(aManager(), aMint());

    expect(record).toMatchObject({ status: 'confirmed', nonce: before + 3 });
    expect(await balance()).toBe(1);
  });
});

describe('a node that misbehaves while sending', () => {
  it('given a node that says yes and forgets, when it is asked again, then the same bytes are sent again', async () => {
    const manager = aManager({ resendAfterMs: 50 }, { url: proxy.url });
    let isSwallowed = false;
    proxy.fault = async (call, forward) => {
      if (call.method !== 'eth_sendRawTransaction' || isSwallowed) return await forward();
      isSwallowed = true;
      return rpcResult(call, `0x${'12'.repeat(32)}`);
    };

    const record = await sendAndWait(manager, aMint());

    expect(record.attempts).toHaveLength(1);
    expect(await balance()).toBe(1);
  });

  it('given a node that forgets its whole pool, when blocks go by, then the same bytes of all are sent again', async () => {
    await chain.call('evm_setAutomine', [false]);
    const manager = aManager({ resendAfterMs: 60_000 });
    const records = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        manager.submit(aMint({ idempotencyKey: `pool-${String(keys)}-${String(index)}` })),
      ),
    );
    await Promise.all(records.map(({ id }) => manager.waitFor(id, 'broadcast', soon())));
    await chain.call('anvil_dropAllTransactions');
    await chain.mine(4);
    await chain.call('evm_setAutomine', [true]);

    const ends = await Promise.all(records.map(({ id }) => manager.waitFor(id, 'final', soon())));

    expect(ends.map(({ status, attempts }) => [status, attempts.length])).toEqual(records.map(() => ['confirmed', 1]));
    expect(await balance()).toBe(5);
  });

  it('given an answer that is lost after the node has taken it, when it is asked again, then nothing is sent anew', async () => {
    const manager = aManager({}, { url: proxy.url });
    let losses = 3;
    proxy.fault = async (call, forward, response) => {
      const answer = await forward();
      if (call.method === 'eth_sendRawTransaction' && losses-- > 0) response.destroy();
      return answer;
    };

    const record = await sendAndWait(manager, aMint());

    expect(record.attempts).toHaveLength(1);
    expect(await balance()).toBe(1);
  });

  it('given a fee that is too low, when blocks go by, then it is raised with the same nonce and either receipt counts', async () => {
    await chain.call('evm_setAutomine', [false]);
    const manager = aManager({ resendAfterMs: 60_000 });
    const { id, nonce } = await manager.submit(aMint());
    const [first] = (await manager.waitFor(id, 'broadcast', soon())).attempts;
    await eventually(async () => {
      await chain.call('anvil_setNextBlockBaseFeePerGas', [`0x${(BigInt(first!.maxFee) + 1n).toString(16)}`]);
      await chain.mine();
      return isFinal(await stored(id));
    });

    const record = await stored(id);
    expect(record).toMatchObject({ status: 'confirmed', nonce });
    expect(BigInt(record.attempts.at(1)?.maxFee ?? 0) * 8n).toBeGreaterThanOrEqual(BigInt(first!.maxFee) * 9n);
    expect(await balance()).toBe(1);
  });

  it('given bytes that can never be mined, when the node refuses them, then the nonce is filled and the transaction has failed', async () => {
    proxy.fault = async (call, forward) => {
      const isPayload = call.method === 'eth_sendRawTransaction' && String(call.params[0]).length > 400 - 64;
      return isPayload ? rpcError(call, -32_000, 'exceeds block gas limit') : await forward();
    };
    const before = await nonces();

    const record = await sendAndWait(aManager({}, { url: proxy.url }), aMint());

    expect(record).toMatchObject({ status: 'failed', failure: { code: 'evm.rpc' } });
    expect(record.failure?.detail).toContain('exceeds block gas limit');
    expect(await nonces()).toBe(before + 1);
    expect(await balance()).toBe(0);
  });

  it('given receipts that come late, when the node has them, then it is mined', async () => {
    let nulls = 5;
    proxy.fault = async (call, forward) => {
      if (call.method === 'eth_getBlockReceipts' && nulls-- > 0) return rpcResult(call, null);
      return call.method === 'eth_getTransactionReceipt' && nulls-- > 0 ? rpcResult(call, null) : await forward();
    };
    expect(await sendAndWait(aManager({}, { url: proxy.url }), aMint())).toMatchObject({ status: 'confirmed' });
  });

  it('given a block that leaves the chain, when it is confirmed, then the same transaction is mined again', async () => {
    const manager = aManager();
    const { id } = await manager.submit(aMint({ finality: 2 }));
    await manager.waitFor(id, 'mined', soon());
    await chain.call('anvil_reorg', [1, []]);
    await eventually(async () => {
      await chain.mine();
      return isFinal(await stored(id));
    });

    const record = await stored(id);
    expect(record).toMatchObject({ status: 'confirmed' });
    expect(record.attempts).toHaveLength(1);
    expect(await balance()).toBe(1);
    expect((await statuses(id)).filter((status) => status === 'mined')).toHaveLength(2);
  });
});

/** A process that dies at its n-th step: before the step has an effect, or after it but before anybody hears of it. */
class Cut {
  isDead = false;
  #steps = 0;

  constructor(
    readonly at: number,
    readonly moment: 'before' | 'after',
  ) {}

  async through<T>(step: () => Promise<T>): Promise<T> {
    this.#steps += 1;
    if (this.isDead) throw new Error('cut');
    const isLast = this.#steps === this.at;
    if (isLast) this.isDead = true;
    if (isLast && this.moment === 'before') throw new Error('cut');
    const result = await step();
    if (isLast) throw new Error('cut');
    return result;
  }

  around(inner: TransactionStore): TransactionStore {
    return new Proxy(inner, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => this.through(() => method.apply(target, args) as Promise<unknown>);
      },
    });
  }
}
