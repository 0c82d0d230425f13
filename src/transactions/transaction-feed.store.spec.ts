import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { aStoredTransaction, storeTransaction } from '../../test/builders/stored-transactions.js';
import { eventually } from '../../test/builders/eventually.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { KyselyTransactionFeed } from './transaction-feed.store.js';

let store: Store;
let feed: KyselyTransactionFeed;

beforeAll(async () => {
  store = await openTestStore();
  feed = new KyselyTransactionFeed(
    store.db,
    () => () => undefined,
    (chainId) => (chainId === 31_337 ? 'local' : undefined),
  );
});

beforeEach(async () => {
  await store.db.deleteFrom('chain_transaction').execute();
});

afterAll(() => store.close());

/** Specs beside this one write in the same server, which holds the feed up until they are done. */
async function readAll(after: string | undefined, atLeast: number) {
  return await eventually(async () => {
    const entries = await feed.read(after, 100);
    return entries.length >= atLeast && entries;
  });
}

describe('the feed of transactions', () => {
  it('given changes, when they are read in pages, then each comes once, in order, and with what it is about', async () => {
    const tail = await feed.tail();
    const about = { contract: 'usdc', function: 'mint(address,uint256)', args: { amount: '1' } };
    const id = await storeTransaction(store.db, {
      status: 'confirmed',
      about: JSON.stringify(about),
      origin: 'flow:payments',
    });

    const all = await readAll(tail, 5);
    const paged: string[] = [];
    let cursor: string | undefined = tail;
    for (;;) {
      const page = await feed.read(cursor, 2);
      if (page.length === 0) break;
      paged.push(...page.map(({ item }) => item.id));
      cursor = page.at(-1)?.cursor;
    }

    expect(all.map(({ item }) => item.status)).toEqual(['reserved', 'signed', 'broadcast', 'mined', 'confirmed']);
    expect(paged).toEqual(all.map(({ item }) => item.id));
    expect(all.map((entry) => entry.cursor)).toEqual(all.map((entry) => entry.cursor).toSorted());
    expect(all[0]!.item).toMatchObject({
      transaction: { id, chainId: 31_337, signer: 'treasury', about, origin: 'flow:payments' },
      network: 'local',
      status: 'reserved',
      hash: null,
      place: null,
      failure: null,
      reason: null,
    });
  });

  it('given attempts, when a change is read, then its hash is that of its time or of its place', async () => {
    const tail = await feed.tail();
    const row = aStoredTransaction();
    await store.db.insertInto('chain_transaction').values(row).execute();
    const keep = (status: string, at: string, detail: object | null): Promise<unknown> =>
      store.db
        .insertInto('chain_transaction_status')
        .values({ transaction_id: row.id, status, at, detail: detail && JSON.stringify(detail) })
        .execute();
    for (const number of [1, 2]) {
      await store.db
        .insertInto('chain_transaction_attempt')
        .values({
          transaction_id: row.id,
          number,
          kind: 'payload',
          hash: `${row.id}-${number}`,
          raw: '0x',
          max_fee: '1',
          created_at: `2026-01-01T00:0${number}:00Z`,
        })
        .execute();
    }
    const place = { hash: `${row.id}-1`, blockNumber: 7, blockHash: '0xb', gasUsed: '21000' };
    await keep('signed', '2026-01-01T00:01:00Z', null);
    await keep('broadcast', '2026-01-01T00:02:30Z', { reason: 'reorganised' });
    await keep('mined', '2026-01-01T00:03:00Z', { place });

    const changes = (await readAll(tail, 3)).map(({ item }) => item);

    expect(changes).toMatchObject([
      { status: 'signed', hash: `${row.id}-1` },
      { status: 'broadcast', hash: `${row.id}-2`, reason: 'reorganised' },
      { status: 'mined', hash: `${row.id}-1`, place },
    ]);
  });

  it('given two open database transactions, when the later one commits first, then the earlier one is not passed over', async () => {
    let cursor = await feed.tail();
    const heard: string[] = [];
    const read = async (): Promise<void> => {
      const page = await feed.read(cursor, 100);
      heard.push(...page.map(({ item }) => item.transaction.id));
      cursor = page.at(-1)?.cursor ?? cursor;
    };
    const [early, late] = await Promise.all([
      store.db.startTransaction().execute(),
      store.db.startTransaction().execute(),
    ]);
    const first = await storeTransaction(early);
    const second = await storeTransaction(late);

    await late.commit().execute();
    await read();
    const before = [...heard];
    const between = await feed.tail();
    await early.commit().execute();
    await eventually(async () => {
      await read();
      return heard.length >= 2;
    });

    expect(before).toEqual([]);
    expect(heard).toEqual([first, second]);
    expect((await readAll(between, 2)).map(({ item }) => item.transaction.id)).toEqual([first, second]);
  });

  it('given a cursor of something else, when it is read from, then it is refused', async () => {
    await expect(feed.read('12 or so', 1)).rejects.toMatchObject({ code: 'request.invalid' });
  });
});
