import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SendRequest, TransactionRecord, Transactions } from '#evm';
import { AuditLog, type Caller, type Store } from '#platform';
import { PatchbayError } from '#sdk';
import { crossing } from '../../test/builders/crossing.js';
import { storeTransaction } from '../../test/builders/stored-transactions.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { SignerSuspensions } from './signer-suspensions.js';
import { TransactionsQueries } from './transactions.queries.js';
import { batchBody, replaceBody, sendBody } from './transactions.schema.js';
import { TransactionsService, type SendingNetworks } from './transactions.service.js';
import { KyselyTransactionStore } from './transactions.store.js';

const to = `0x${'c0'.repeat(20)}`;
const shop: Caller = { id: 'key-1', name: 'shop', scopes: ['chain:send'] };
const limited: Caller = { ...shop, limits: { feeCap: '10' } };

let store: Store;
let service: TransactionsService;
let queries: TransactionsQueries;
/** What was asked of the network. */
let asked: unknown[];

/** Takes what it is given into the ledger, and does what is wished for in words only. */
const transactions: Transactions = {
  async submit(request: SendRequest) {
    asked.push(request);
    if (request.value === 13n) throw new PatchbayError('evm.reverted', { detail: 'no', fix: 'Ask for less.' });
    const id = await storeTransaction(store.db, {
      idempotency_key: request.idempotencyKey,
      origin: request.origin ?? null,
      fee: request.fee?.cap === undefined ? null : JSON.stringify({ cap: String(request.fee.cap) }),
    });
    return { id, status: 'reserved' } as TransactionRecord;
  },
  async waitFor(id, until) {
    asked.push(['waitFor', until]);
    await store.db.updateTable('chain_transaction').set({ status: 'mined' }).where('id', '=', id).execute();
    const [record] = await new KyselyTransactionStore(store.db).find([id]);
    return record!;
  },
  async cancel(id) {
    asked.push(['cancel', id]);
    return { id } as TransactionRecord;
  },
  async replace(id, fee) {
    asked.push(['replace', id, fee]);
    return { id } as TransactionRecord;
  },
  simulate: () => Promise.reject(new Error('not used')),
};

beforeAll(async () => {
  store = await openTestStore();
  const network = { transactions, finalityOf: () => 3 };
  const networks: SendingNetworks = { get: async () => network, byChainId: async () => network };
  queries = new TransactionsQueries(store.db, () => 'local');
  service = new TransactionsService(networks, queries, new AuditLog(store.db));
});

beforeEach(async () => {
  asked = [];
  await store.db.deleteFrom('chain_transaction').execute();
});

afterAll(() => store.close());

describe('sending over the API', () => {
  it('given a body and a key, when it is sent, then it is the transaction of that caller and key', async () => {
    const body = sendBody.parse({ from: 'treasury', to, value: 5, gas: '21000', fee: { cap: '9' } });

    const { transaction, isReached } = await service.send(body, shop, 'order-1');

    expect(asked).toEqual([
      {
        idempotencyKey: 'key:key-1:order-1',
        signer: 'treasury',
        to,
        data: '0x',
        value: 5n,
        gasLimit: 21_000n,
        fee: { cap: 9n },
        finality: 3,
        origin: 'key:key-1',
      },
    ]);
    expect(transaction).toMatchObject({
      status: 'reserved',
      links: { cancel: `/api/transactions/${transaction.id}/cancel` },
    });
    expect(isReached).toBe(false);
    expect(await new AuditLog(store.db).list({ limit: 1 })).toMatchObject([
      { actor: 'shop', action: 'transaction.send', subject: transaction.id },
    ]);
  });

  it.each([
    ['mined', true],
    ['confirmed', false],
  ] as const)('given wait: %s, when it is mined in time, then it is as far or not', async (wait, isReached) => {
    const sent = await service.send(sendBody.parse({ from: 'treasury', to, wait }), shop, undefined);
    expect(asked[1]).toEqual(['waitFor', wait === 'mined' ? 'mined' : 'final']);
    expect(sent.isReached).toBe(isReached);
  });

  it.each([
    [{ from: 'a' }, 'to or data must be given'],
    [{ from: 'a', to, value: '-1' }, 'must not be negative'],
    [{ from: 'a', to, data: '0x123' }, 'must be bytes'],
    [{ from: 'a', to: '0x12' }, 'must be an address'],
  ])('given %j, when it is read, then it is refused', (body, message) => {
    expect(sendBody.safeParse(body).error?.message).toContain(message);
  });

  it.each(['', 'a\0', '\ud800'])(
    'given the key %j, which nobody could find again, then the batch is refused',
    (key) => {
      expect(batchBody.safeParse({ transactions: [{ from: 'a', to, idempotencyKey: key }] }).success).toBe(false);
    },
  );

  it('given a batch with one that is refused, when it is sent, then each has its own answer, in order', async () => {
    const { transactions: items } = batchBody.parse({
      transactions: [1, 13, 2].map((value) => ({ from: 'treasury', to, value, idempotencyKey: `item-${value}` })),
    });

    const results = await service.sendAll(items, shop);

    expect(results).toEqual([
      { id: expect.any(String), status: 'reserved' },
      { error: { code: 'evm.reverted', title: expect.any(String), detail: 'no', fix: 'Ask for less.' } },
      { id: expect.any(String), status: 'reserved' },
    ]);
    expect(await queries.list({ limit: 5, idempotencyKey: 'key:key-1:item-2' })).toMatchObject({
      items: [{ id: (results[2] as { id: string }).id }],
    });
  });
});

describe('acting on a transaction', () => {
  it('given one, when it is cancelled or replaced, then its network is told and its fee cap stays', async () => {
    const id = await storeTransaction(store.db, { fee: JSON.stringify({ cap: '20' }) });
    const { fee } = replaceBody.parse({ fee: { max: 15, tip: 1 } });

    await service.cancel(id, shop);
    await service.replace(id, fee as { max: string }, shop);

    expect(asked).toEqual([
      ['cancel', id],
      ['replace', id, { max: 15n, tip: 1n, cap: 20n }],
    ]);
    expect(await new AuditLog(store.db).list({ limit: 2 })).toMatchObject([
      { action: 'transaction.replace', subject: id },
      { action: 'transaction.cancel', subject: id },
    ]);
  });

  it('given a key with limits, when it acts on what others sent or pays more than it may, then it is refused', async () => {
    const others = await storeTransaction(store.db, { origin: 'flow:payments' });
    const own = await storeTransaction(store.db, { origin: 'key:key-1' });

    await expect(service.cancel(others, limited)).rejects.toMatchObject({ code: 'auth.forbidden' });
    await expect(service.replace(own, { max: '11' }, limited)).rejects.toMatchObject({ code: 'evm.limit' });
    await service.replace(own, { max: '10' }, limited);
    expect(asked).toEqual([['replace', own, { max: 10n }]]);
  });
});

describe('suspending a signer', () => {
  it('given a signer, when it is suspended and resumed, then it is so on the chains that were meant', async () => {
    const address = `0x${'a0'.repeat(20)}`;
    const signer = { name: 'treasury', address, signTransaction: () => Promise.reject(new Error('not used')) };
    const suspensions = new SignerSuspensions(store.db, { get: () => Promise.resolve(signer) });

    const first = await suspensions.suspend('treasury', [1, 31_337], 'leaked');
    const again = await suspensions.suspend('treasury', [1], 'leaked indeed');
    const left = await suspensions.resume('treasury', [1]);

    expect(first).toMatchObject([
      { address, chainId: 1, reason: 'leaked' },
      { address, chainId: 31_337, reason: 'leaked' },
    ]);
    expect(again[0]).toEqual({ ...first[0], reason: 'leaked indeed' });
    expect(left).toEqual([first[1]]);
    expect(await suspensions.list()).toEqual(left);
  });

  it('given two who turn it at once, when one names the chains the other way round, then neither is a deadlock', async () => {
    const address = `0x${'a1'.repeat(20)}`;
    const signer = { name: 'treasury', address, signTransaction: () => Promise.reject(new Error('not used')) };
    const suspensions = new SignerSuspensions(store.db, { get: () => Promise.resolve(signer) });
    await suspensions.suspend('treasury', [1, 2], 'leaked');
    const row = (chainId: number) =>
      `select from chain_signer where chain_id = ${chainId} and address = '${address}' for update`;

    for (const act of [
      () => suspensions.suspend('treasury', [2, 1], 'leaked'),
      () => suspensions.resume('treasury', [2, 1]),
    ]) {
      expect(await crossing(store, { first: row(1), act, second: row(2) })).toEqual([]);
    }
  });
});
