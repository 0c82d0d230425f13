import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createMetrics, type Store } from '#platform';
import { silentLog } from '../../test/builders/action-call.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { IntakeService } from './intake.service.js';
import { IntakeStore } from './intake.store.js';
import { RunsHere } from './runs-here.js';

let store: Store;
let intake: IntakeService;

beforeAll(async () => {
  store = await openTestStore();
  intake = new IntakeService({
    store: new IntakeStore(store.pool),
    env: {},
    metrics: createMetrics(),
    here: new RunsHere(silentLog),
    wake: () => undefined,
  });
});

afterAll(() => store.close());

describe('what is taken in at the same time', () => {
  it('given two backfills, when both go on in one batch, then each is as far as it says, and one that is over keeps nothing', async () => {
    const ids = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`);
    await store.pool.query(`insert into lease (name, epoch) values ('backfill', 1)`);
    await store.pool.query(
      `insert into backfill (id, flow, source, from_place, starts_runs, state)
       select id, '', '', '', true, case when id = $2 then 'cancelled' else 'running' end from unnest($1::uuid[]) as id`,
      [ids, ids[2]],
    );

    const accepted = await Promise.allSettled(
      ids.map((id, i) =>
        intake.accept({
          source: 'test.heard/source',
          uses: 'test.heard',
          heard: [],
          flows: [],
          backfill: { id, lease: 'backfill', epoch: '1', done: i + 5, total: 10, cursor: `place ${i}` },
        }),
      ),
    );

    expect(accepted.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    const { rows } = await store.pool.query('select done, cursor from backfill order by id');
    expect(rows).toEqual([
      { done: '5', cursor: 'place 0' },
      { done: '6', cursor: 'place 1' },
      { done: '0', cursor: null },
    ]);
  });
});
