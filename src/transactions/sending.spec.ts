import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Abi,
  RpcClient,
  TransactionSender,
  createKeySigner,
  type SendRequest,
  type Signer,
  type TransactionSenderOptions,
  type TransactionStore,
} from '#evm';
import type { Store } from '#platform';
import { Secret } from '#sdk';
import { openTestStore } from '../../test/environment/postgres.js';
import { DevChain, artefact, devAccounts } from '../evm/testing/dev-chain.js';
import { FaultProxy, rpcError, rpcResult } from '../evm/testing/fault-proxy.js';
import { silent } from '../evm/testing/heard-logs.js';
import { KyselyTransactionStore } from './transactions.store.js';

let chain: DevChain;
let proxy: FaultProxy;
let database: Store;
let store: KyselyTransactionStore;
let signer: Signer;
let keys = 0;

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
  await chain.call('evm_setAutomine', [true]);
});

function aSender(options: Partial<TransactionSenderOptions> = {}, url = chain.url): TransactionSender {
  return new TransactionSender({
    rpc: new RpcClient({ urls: [url], chainId: DevChain.chainId, timeoutMs: 1_000 }),
    store,
    signers: { get: () => Promise.resolve(signer) },
    log: silent,
    pendingRetryMs: 50,
    ...options,
  });
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
    abi: artefact('DemoToken').abi as Abi,
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

const soon = { withinMs: 3_000, signal: new AbortController().signal };

async function statuses(id: string): Promise<string[]> {
  const rows = await database.db
    .selectFrom('chain_transaction_status')
    .select('status')
    .where('transaction_id', '=', id)
    .orderBy('seq')
    .execute();
  return rows.map(({ status }) => status);
}

describe('sending a transaction', () => {
  it('given a request, when it is sent twice, then it is one transaction and every status is kept', async () => {
    const before = await nonces();
    const sender = aSender();

    const record = await sender.sendAndWait(aMint(), soon);
    const again = await sender.sendAndWait(aMint(), soon);

    expect(record).toMatchObject({ status: 'confirmed', nonce: before });
    expect(again.id).toBe(record.id);
    expect(await balance()).toBe(1);
    expect(await statuses(record.id)).toEqual(['reserved', 'signed', 'broadcast', 'mined', 'confirmed']);
  });

  it('given a used key, when it is used for another payload, then it is a conflict', async () => {
    const sender = aSender();
    await sender.sendAndWait(aMint(), soon);
    await expect(sender.send(aMint({ value: 1n }))).rejects.toMatchObject({ code: 'request.conflict' });
  });

  it('given ten senders at once, when each uses its own key, then there are ten nonces without a gap', async () => {
    const before = await nonces();
    const senders = [aSender(), aSender()];

    const records = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        senders[index % 2]!.sendAndWait(aMint({ idempotencyKey: `many-${String(keys)}-${String(index)}` }), soon),
      ),
    );

    expect(records.map(({ nonce }) => nonce).sort((one, other) => one - other)).toEqual(
      Array.from({ length: 10 }, (_, index) => before + index),
    );
    expect(await balance()).toBe(10);
  });

  it('given one key, when two senders use it at the same moment, then it is one transaction', async () => {
    const records = await Promise.all([aSender(), aSender()].map((sender) => sender.sendAndWait(aMint(), soon)));
    expect(new Set(records.map(({ id }) => id)).size).toBe(1);
    expect(await balance()).toBe(1);
  });

  it('given confirmations, when the block is mined, then it is pending until the blocks are on top', async () => {
    const sender = aSender();
    const request = aMint({ finality: 2 });
    await expect(sender.sendAndWait(request, { ...soon, withinMs: 100 })).rejects.toMatchObject({
      code: 'evm.pending',
      retryAfterMs: 50,
    });
    await chain.mine(2);
    expect(await sender.sendAndWait(request, soon)).toMatchObject({ status: 'confirmed' });
  });

  it('given a call that the contract refuses, when it is sent, then its reason is told and no nonce is used', async () => {
    const before = await nonces();
    const stranger = await createKeySigner('stranger', new Secret(devAccounts[1].key));
    const sender = aSender({ signers: { get: () => Promise.resolve(stranger) } });

    await expect(sender.send(aMint())).rejects.toMatchObject({
      code: 'evm.reverted',
      detail: `The contract reverted the call: NotOwner(caller: "${stranger.address}")`,
    });
    await expect(aSender().send(aMint({ data: `0xa9059cbb${'0'.repeat(128)}` }))).rejects.toMatchObject({
      detail: 'The contract reverted the call: transfer to the zero address',
    });
    expect(await store.find(aMint().idempotencyKey)).toBeUndefined();
    expect(await nonces()).toBe(before);
  });

  it('given a signer without coins, when it sends, then the error says so and no nonce is used', async () => {
    const poor = await createKeySigner('poor', new Secret('11'.repeat(32)));
    const sender = aSender({ signers: { get: () => Promise.resolve(poor) } });
    await expect(sender.send(aMint({ to: recipient(), data: '0x', value: 10n }))).rejects.toMatchObject({
      code: 'evm.insufficientFunds',
    });
    expect(await store.find(aMint().idempotencyKey)).toBeUndefined();
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
        await aSender({ store: cut.around(store) }, proxy.url)
          .sendAndWait(aMint(), { ...soon, withinMs: 200 })
          .catch(() => undefined);
        proxy.fault = undefined;
        isCut = cut.isDead;

        const record = await aSender({ resendAfterMs: 0 }).sendAndWait(aMint(), soon);

        expect({ step, nonce: record.nonce, status: record.status }).toEqual({
          step,
          nonce: before,
          status: 'confirmed',
        });
        expect(await nonces()).toBe(before + 1);
        expect(await balance()).toBe(1);
      }
    },
    30_000,
  );

  it('given a reserved nonce that nobody goes on with, when the sender sweeps, then it is sent and later ones are mined', async () => {
    // Its third step: it has looked for the key and reserved the nonce, and is about to store the bytes.
    const dying = new Cut(3, 'before').around(store);
    await expect(aSender({ store: dying }).send(aMint())).rejects.toThrow('cut');
    const later = aSender();
    await later.send(aMint({ idempotencyKey: `later-${String(keys)}` }));

    await later.sweep();
    await later.sweep();

    expect(await balance()).toBe(2);
  });
});

describe('a node that misbehaves while sending', () => {
  it('given a node that says yes and forgets, when it is asked again, then the same bytes are sent again', async () => {
    const sender = aSender({ resendAfterMs: 0 }, proxy.url);
    let isSwallowed = false;
    proxy.fault = async (call, forward) => {
      if (call.method !== 'eth_sendRawTransaction' || isSwallowed) return await forward();
      isSwallowed = true;
      return rpcResult(call, `0x${'12'.repeat(32)}`);
    };

    const record = await sender.sendAndWait(aMint(), soon);

    expect(record.attempts).toHaveLength(1);
    expect(await balance()).toBe(1);
  });

  it('given an answer that is lost after the node has taken it, when it is asked again, then nothing is sent anew', async () => {
    const sender = aSender({}, proxy.url);
    proxy.fault = async (call, forward, response) => {
      const answer = await forward();
      if (call.method === 'eth_sendRawTransaction') response.destroy();
      return answer;
    };

    const record = await sender.sendAndWait(aMint(), soon);

    expect(record.attempts).toHaveLength(1);
    expect(await balance()).toBe(1);
  });

  it('given a fee that is too low, when blocks go by, then it is raised with the same nonce and either receipt counts', async () => {
    await chain.call('evm_setAutomine', [false]);
    const sender = aSender({}, proxy.url);
    const first = await sender.send(aMint());
    const [attempt] = first.attempts;
    await chain.call('anvil_dropTransaction', [attempt!.hash]);
    await chain.mine(3);

    const raised = await sender.send(aMint());
    await chain.mine();
    const record = await sender.sendAndWait(aMint(), soon);

    expect(raised.attempts).toHaveLength(2);
    expect(BigInt(raised.attempts[1]!.maxFee) * 8n).toBeGreaterThanOrEqual(BigInt(attempt!.maxFee) * 9n);
    expect(record).toMatchObject({
      status: 'confirmed',
      nonce: first.nonce,
      place: { hash: raised.attempts[1]!.hash },
    });
    expect(await balance()).toBe(1);
  });

  it('given bytes that can never be mined, when the node refuses them, then the nonce is filled and the transaction has failed', async () => {
    proxy.fault = async (call, forward) => {
      const isPayload = call.method === 'eth_sendRawTransaction' && String(call.params[0]).length > 400 - 64;
      return isPayload ? rpcError(call, -32_000, 'exceeds block gas limit') : await forward();
    };
    const before = await nonces();

    await expect(aSender({}, proxy.url).sendAndWait(aMint(), soon)).rejects.toThrow('exceeds block gas limit');

    expect(await nonces()).toBe(before + 1);
    expect(await balance()).toBe(0);
    expect(await store.find(aMint().idempotencyKey)).toMatchObject({ status: 'failed', failure: { code: 'evm.rpc' } });
  });

  it('given a block that leaves the chain, when it is confirmed, then the same transaction is mined again', async () => {
    const sender = aSender();
    await expect(sender.sendAndWait(aMint({ finality: 2 }), { ...soon, withinMs: 50 })).rejects.toMatchObject({
      code: 'evm.pending',
    });
    await chain.call('anvil_reorg', [1, []]);
    await sender.send(aMint({ finality: 2 }));
    await chain.mine(3);

    const record = await sender.sendAndWait(aMint({ finality: 2 }), soon);

    expect(record.attempts).toHaveLength(1);
    expect(await balance()).toBe(1);
    expect(await statuses(record.id)).toContain('confirmed');
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
    return {
      find: (key) => this.through(() => inner.find(key)),
      reserve: (draft, nonce) => this.through(() => inner.reserve(draft, nonce)),
      addAttempt: (id, attempt) => this.through(() => inner.addAttempt(id, attempt)),
      markSent: (id, attempt, block) => this.through(() => inner.markSent(id, attempt, block)),
      setStatus: (id, change) => this.through(() => inner.setStatus(id, change)),
      listUnfinished: (chainId, limit) => this.through(() => inner.listUnfinished(chainId, limit)),
    };
  }
}
