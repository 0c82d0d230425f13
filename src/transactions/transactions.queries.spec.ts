import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ApiKeys, createMetrics, type Store } from '#platform';
import { storeTransaction } from '../../test/builders/stored-transactions.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { keepTransactionGauges } from './transaction-gauges.js';
import { TransactionsQueries, type TransactionFilter } from './transactions.queries.js';

const usdc = `0x${'c0'.repeat(20)}`;
const ops = `0x${'a1'.repeat(20)}`;
const hash = `0x${'12'.repeat(32)}`;

let store: Store;
let queries: TransactionsQueries;

beforeAll(async () => {
  store = await openTestStore();
  queries = new TransactionsQueries(store.db, (chainId) => (chainId === 31_337 ? 'local' : undefined));
});

beforeEach(async () => {
  await store.db.deleteFrom('chain_transaction').execute();
});

afterAll(() => store.close());

async function attempt(id: string, number: number, of: string): Promise<void> {
  await store.db
    .insertInto('chain_transaction_attempt')
    .values({ transaction_id: id, number, kind: 'payload', hash: of, raw: '0x', max_fee: '7', sent_at: '2026-01-01' })
    .execute();
}

describe('listing transactions', () => {
  it('given many of one moment, when they are read page by page, then each comes once, newest first', async () => {
    const wanted: string[] = [];
    for (const second of [1, 2]) {
      const created_at = `2026-01-01T00:00:0${second}.123456Z`;
      for (let count = 0; count < 3; count++) wanted.push(await storeTransaction(store.db, { created_at }));
    }

    const read: string[] = [];
    let before: string | undefined;
    do {
      const page = await queries.list({ limit: 2, before });
      read.push(...page.items.map(({ id }) => id));
      before = page.next;
    } while (before !== undefined && read.length < 20);

    expect(read).toHaveLength(6);
    expect(read.slice(0, 3).toSorted()).toEqual(wanted.slice(3).toSorted());
    expect(read.slice(3).toSorted()).toEqual(wanted.slice(0, 3).toSorted());
  });

  it('given a filter, when transactions are listed, then those that fit are found', async () => {
    const about = JSON.stringify({ contract: 'usdc', function: 'mint(address,uint256)' });
    const mint = await storeTransaction(store.db, {
      about,
      to_address: usdc,
      origin: 'flow:payments',
      idempotency_key: 'run-1',
      created_at: '2026-01-01',
    });
    const old = await storeTransaction(store.db, { status: 'confirmed', created_at: '2025-01-01' });
    const shop = (await new ApiKeys(store.db).create({ name: 'shop', scopes: ['chain:send'] })).info.id;
    const other = await storeTransaction(store.db, {
      signer: 'ops',
      from_address: ops,
      chain_id: 1,
      status: 'failed',
      origin: `key:${shop}`,
      idempotency_key: `key:${shop}:order-1`,
    });
    await attempt(old, 1, hash);

    const filters: [Partial<TransactionFilter>, string[]][] = [
      [{}, [other, mint, old]],
      [{ status: ['confirmed', 'failed'] }, [other, old]],
      [{ pending: true }, [mint]],
      [{ pending: false }, [other, old]],
      [{ signer: 'ops' }, [other]],
      [{ signer: ops.toUpperCase().replace('0X', '0x') }, [other]],
      [{ chainId: 1 }, [other]],
      [{ contract: 'usdc' }, [mint]],
      [{ contract: usdc }, [mint]],
      [{ function: 'mint' }, [mint]],
      [{ function: 'mint(address, uint256)' }, [mint]],
      [{ function: 'min' }, []],
      [{ origin: 'flow:payments' }, [mint]],
      [{ idempotencyKey: 'run-1' }, [mint]],
      [{ idempotencyKey: 'order-1' }, [other]],
      [{ idempotencyKey: `key:${shop}:order-1` }, [other]],
      [{ hash }, [old]],
      [{ createdAfter: new Date('2025-06-01'), createdBefore: new Date('2026-01-02') }, [mint]],
    ];
    for (const [filter, ids] of filters) {
      const { items } = await queries.list({ ...filter, limit: 10 });
      expect({ filter, ids: items.map(({ id }) => id) }).toEqual({ filter, ids });
    }
  });

  it('given keys of callers and of flows, when transactions are listed, then each is as it was given, or there is none', async () => {
    const key = 'key:2040e8bf-ce55-4998-a33d-71433dc91548';
    const [given, none, flow] = [`${key}:order-1`, '0b7ad5c4-3f0e-4d0e-9d0e-2f2a3c1b0a99', 'run-1:pay'];
    await storeTransaction(store.db, { idempotency_key: given, origin: key });
    await storeTransaction(store.db, { idempotency_key: none, origin: key });
    await storeTransaction(store.db, { idempotency_key: flow, origin: 'flow:pay' });

    const { items } = await queries.list({ limit: 10 });

    expect(items.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['run-1:pay', null, 'order-1']);
  });

  it('given a place of something else, when it is asked for, then it is refused', async () => {
    await expect(queries.list({ limit: 1, before: 'nowhere' })).rejects.toMatchObject({ code: 'request.invalid' });
  });
});

describe('one transaction', () => {
  it('given its id or the hash of any attempt, when it is asked for, then it comes with attempts and history', async () => {
    const id = await storeTransaction(store.db, { status: 'broadcast' });
    const other = `0x${'34'.repeat(32)}`;
    await attempt(id, 1, hash);
    await attempt(id, 2, other);

    const detail = await queries.get(hash);

    expect(await queries.get(id)).toEqual(detail);
    expect(detail).toMatchObject({
      id,
      network: 'local',
      hash: other,
      receipt: null,
      attempts: [{ number: 1, hash, maxFee: '7', sentAt: new Date('2026-01-01T00:00:00Z') }, { hash: other }],
      history: [{ status: 'reserved' }, { status: 'signed' }, { status: 'broadcast', reason: null }],
      links: { self: `/api/transactions/${id}`, cancel: `/api/transactions/${id}/cancel` },
    });
  });

  it.each(['nothing', hash, '2040e8bf-ce55-4998-a33d-71433dc91548'])('given %s, then there is none', async (id) => {
    await expect(queries.get(id)).rejects.toMatchObject({ code: 'request.notFound' });
  });
});

describe('metrics of transactions', () => {
  it('given some that are not final, when metrics are read, then they are counted by chain, signer and state', async () => {
    const minuteAgo = new Date(Date.now() - 60_000);
    await storeTransaction(store.db, { created_at: minuteAgo });
    await storeTransaction(store.db, { status: 'mined' });
    await storeTransaction(store.db, { status: 'mined' });
    await storeTransaction(store.db, { status: 'confirmed', created_at: '2020-01-01' });
    const metrics = createMetrics();
    keepTransactionGauges(metrics, queries);

    const lines = (await metrics.read()).split('\n').filter((line) => line.startsWith('patchbay_tx_'));

    expect(lines.toSorted()).toEqual([
      'patchbay_tx_intents{chain="31337",signer="treasury",state="mined"} 2',
      'patchbay_tx_intents{chain="31337",signer="treasury",state="reserved"} 1',
      expect.stringMatching(/^patchbay_tx_oldest_unconfirmed_seconds\{chain="31337",signer="treasury"\} 6\d\./),
    ]);
  });
});
