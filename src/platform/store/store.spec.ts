import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../test/environment/postgres.js';
import { loadConfig } from '../config/config.loader.js';
import { createLog } from '../log/log.js';
import { openStore } from './store.js';

const log = createLog({ level: 'silent', format: 'json' });
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

describe('a store in a database of the user', () => {
  it('given several processes, when they open it at once, then each finds the tables', async () => {
    const stores = await Promise.all([1, 2, 3].map(() => openStore({ config: database.config, log })));

    const counts = await Promise.all(stores.map(({ db }) => db.selectFrom('run').select('id').execute()));

    expect(counts).toEqual([[], [], []]);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('given values of every kind, when they are read back, then bigint is text and time is a Date', async () => {
    const store = await openStore({ config: database.config, log });

    const row = await store.db
      .insertInto('lease')
      .values({ name: 'kinds', holder: null, epoch: 2n ** 60n })
      .returning(['epoch', 'until'])
      .executeTakeFirstOrThrow();

    expect(row).toEqual({ epoch: (2n ** 60n).toString(), until: expect.any(Date) });
    await store.close();
  });

  it('given a query under way, when its connection is cut, then it is unavailable and the next query works', async () => {
    const store = await openStore({ config: database.config, log });
    const sleeping = store.db.transaction().execute(async (trx) => {
      await trx.selectFrom('setting').select('name').execute();
      for (;;) {
        await delay(10);
        await trx.selectFrom('setting').select('name').execute();
      }
    });
    const outcome = expect(sleeping).rejects.toMatchObject({ code: 'store.unavailable' });

    await delay(50);
    await store.pool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );

    await outcome;
    expect(await store.db.selectFrom('setting').select('name').execute()).toEqual([]);
    await store.close();
  });

  it('given a fault in a statement, when it is run, then the error is the database’s own', async () => {
    const store = await openStore({ config: database.config, log });
    const insert = () => store.db.insertInto('setting').values({ name: 'twice', value: '1' }).execute();
    await insert();

    await expect(insert()).rejects.toMatchObject({ code: '23505' });
    await store.close();
  });

  it('given tables of a newer version, when it is opened, then it is refused by name', async () => {
    const newer = await createTestDatabase();
    const store = await openStore({ config: newer.config, log });
    await store.pool.query(`insert into patchbay_migration values ('999-tomorrow', '2030-01-01')`);
    await store.close();

    const opening = openStore({ config: newer.config, log });

    await expect(opening).rejects.toMatchObject({
      code: 'store.newerSchema',
      detail: expect.stringContaining('999-tomorrow'),
    });
    await newer.drop();
  });

  it('given nothing at the address, when it is opened, then the error says what to check', async () => {
    const config = loadConfig({ DATABASE_URL: 'postgresql://me@/db?host=/does/not/exist' });

    await expect(openStore({ config, log })).rejects.toMatchObject({ code: 'store.unavailable' });
  });
});
