import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { silentLog } from '../../test/builders/action-call.js';
import { locksOutOfOrder } from '../../test/builders/crossing.js';
import { anEvent, aRunOf, openTestLedger } from '../../test/builders/stored-runs.js';
import type { EventRow, IntakeStore, RunRow } from './intake.store.js';
import { RetentionService } from './retention.service.js';
import type { ReversalsStore } from './reversals.store.js';
import type { ClaimedRun, RunsStore } from './runs.store.js';

let store: Store;
let intake: IntakeStore;
let runs: RunsStore;
let reversals: ReversalsStore;

beforeAll(async () => {
  ({ store, intake, runs, reversals } = await openTestLedger());
});

afterAll(() => store.close());

beforeEach(async () => {
  await store.pool.query('truncate event, run, run_step, trigger_source, backfill, lease, instance cascade');
});

const lock = (table: string, id: string | undefined): string => `select from ${table} where id = '${id}' for update`;
const inOrder = <Row extends { readonly id: string }>(rows: readonly Row[]): readonly [Row, Row] =>
  rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)) as never;
const events = (): readonly [EventRow, EventRow] =>
  inOrder(['a', 'b'].map((key) => anEvent(key))).map((event, i) => ({ ...event, position: `00${9 - i}` })) as never;

/** Stored the one that comes last first. */
async function storedEvents(): Promise<readonly [EventRow, EventRow]> {
  const [first, other] = events();
  await intake.store({ events: [other, first], runs: [], cursors: [] });
  return [first, other];
}

async function claimedRuns(): Promise<readonly [ClaimedRun, ClaimedRun]> {
  const wanted: RunRow[] = inOrder(events().map((event) => aRunOf(event))).toReversed();
  for (const run of wanted) await intake.store({ events: [], runs: [run], cursors: [] });
  await store.pool.query(`insert into event (id, source, key, type, time, data)
    select event_id, '', event_id, '', now(), '{}' from run`);
  return inOrder(await runs.claim(wanted.map(({ id }) => id)));
}

/** Two of them at the same time must not wait for each other. */
describe('rows are locked in the order of their keys', () => {
  it('given events that are there already, when they are heard again the other way round', async () => {
    const [first, other] = await storedEvents();
    const heard = [other, first].map((event) => ({ ...event, place: 'elsewhere' }));

    const rows = { first: lock('event', first.id), other: lock('event', other.id) };

    expect(await locksOutOfOrder(store, rows, () => intake.store({ events: heard, runs: [], cursors: [] }))).toBe(
      false,
    );
  });

  it('given a new event and a new run, when somebody else stores them at the same time', async () => {
    const [first, other] = events();
    const insertEvent = ({ id }: EventRow): string =>
      `insert into event (id, source, key, type, time, data) values ('${id}', '', '', '', now(), '{}') on conflict do nothing`;
    const [firstRun, otherRun] = inOrder([aRunOf(first), aRunOf(other)]);
    const insertRun = ({ id, event_id }: RunRow): string =>
      `insert into run (id, flow, version, event_id) values ('${id}', '', '', '${event_id}') on conflict do nothing`;

    const ofEvents = await locksOutOfOrder(store, { first: insertEvent(first), other: insertEvent(other) }, () =>
      intake.store({ events: [other, first], runs: [], cursors: [] }),
    );
    const ofRuns = await locksOutOfOrder(store, { first: insertRun(firstRun), other: insertRun(otherRun) }, () =>
      intake.store({ events: [], runs: [otherRun, firstRun], cursors: [] }),
    );

    expect([ofEvents, ofRuns]).toEqual([false, false]);
  });

  it('given runs in any order, when they are stored, then they keep that order', async () => {
    const wanted = ['e', 'd', 'c', 'b', 'a'].map((key) => aRunOf(anEvent(key)));

    const { ready } = await intake.store({ events: [], runs: wanted, cursors: [] });

    const { rows } = await store.pool.query<{ id: string }>('select id from run order by seq');
    const ids = wanted.map(({ id }) => id);
    expect([rows.map(({ id }) => id), ready.map(({ id }) => id)]).toEqual([ids, ids]);
  });

  it('given two triggers, when both have heard something', async () => {
    // As many as it takes for a plan that looks each of them up.
    await store.pool.query(`insert into trigger_source (id, uses, input)
      values ('b', '', '{}'::jsonb), ('a', '', '{}') union all select 'c' || n, '', '{}'::jsonb from generate_series(1, 2000) n`);
    await store.pool.query('analyze trigger_source');
    const cursors = ['b', 'a'].map((source) => ({ source, cursor: '5', epoch: '1' }));

    const rows = { first: lock('trigger_source', 'a'), other: lock('trigger_source', 'b') };

    expect(await locksOutOfOrder(store, rows, () => intake.store({ events: [], runs: [], cursors }))).toBe(false);
  });

  it('given two backfills, when both go on', async () => {
    const [first, other] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
    await store.pool.query(`insert into backfill (id, flow, source, from_place, starts_runs)
      values ('${first}', '', '', '', true), ('${other}', '', '', '', true)`);
    await store.pool.query(`insert into lease (name, epoch) values ('backfill', 1)`);
    const backfills = [other, first].map((id) => ({
      ...{ id, lease: 'backfill', epoch: '1' },
      ...{ done: 1, total: 2, events: 0 },
    }));

    const rows = { first: lock('backfill', first), other: lock('backfill', other) };

    expect(
      await locksOutOfOrder(store, rows, () => intake.store({ events: [], runs: [], cursors: [], backfills })),
    ).toBe(false);
  });

  it('given events that a chain takes back, when they are marked, withdrawn or given up', async () => {
    const [first, other] = await storedEvents();
    const source = { source: first.source, epoch: '1' };
    await store.pool.query(`insert into trigger_source (id, uses, input) values ('${first.source}', '', '{}')`);
    const reset = () =>
      store.pool.query(`update event set status = 'active', final_at = null where id = '${other.id}'`);
    const rows = { first: lock('event', first.id), other: lock('event', other.id) };

    const marked = await locksOutOfOrder(store, rows, () =>
      reversals.retract(first.source, source, { from: '', finalAt: '009', cursor: '' }),
    );
    const givenUp = await locksOutOfOrder(store, rows, () => reversals.finalize(first.source, '009'));
    await reset();
    await store.pool.query(`update event set status = 'active', final_at = null where id = '${first.id}'`);
    const withdrawn = await locksOutOfOrder(store, rows, () =>
      reversals.withdraw(first.source, [other.key, first.key]),
    );

    expect([marked, givenUp, withdrawn]).toEqual([false, false, false]);
  });

  it('given runs at work, when they are journaled, settled, handed back, or taken over', async () => {
    const found: boolean[] = [];
    const at = new Date();
    const entries = [
      { step: 'a', iteration: 0, state: 'succeeded' as const, attempts: 1, startedAt: at, finishedAt: at },
    ];
    const acts: ((ours: readonly ClaimedRun[]) => Promise<unknown>)[] = [
      (ours) => runs.record(ours.map((run) => ({ run, entries }))),
      (ours) => runs.settle(ours.map((run) => ({ run, state: 'completed', leavesLane: true, entries }))),
      (ours) => runs.handBack(ours),
      () => runs.releaseOf(['1']),
      () => runs.releaseOrphans(),
    ];

    for (const act of acts) {
      await store.pool.query('truncate event, run, run_step');
      const [first, other] = await claimedRuns();
      const rows = { first: lock('run', first.id), other: lock('run', other.id) };
      found.push(await locksOutOfOrder(store, rows, () => act([other, first])));
    }

    expect(found).toEqual([false, false, false, false, false]);
  });
});

describe('what is old', () => {
  it('given old rows that somebody else is at, when the rest is cleaned, then it is not waited for', async () => {
    const [held, other] = await storedEvents();
    const [done, otherDone] = [aRunOf(anEvent('c')), aRunOf(anEvent('d'))];
    await intake.store({ events: [], runs: [done, otherDone], cursors: [] });
    await store.pool.query(`update run set state = 'completed', finished_at = now() - interval '100 days'`);
    await store.pool.query(`update event set created_at = now() - interval '100 days'`);
    const retention = new RetentionService({ db: store.db, runDays: 30, eventDays: 30, log: silentLog });
    const holder = await store.pool.connect();
    try {
      await holder.query('begin');
      await holder.query(lock('event', held.id));
      await holder.query(lock('run', done.id));

      expect(await retention.clean()).toEqual({ runs: 1, events: 1 });
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    const { rows } = await store.pool.query('select id from event union all select id from run');
    expect(rows).toEqual([{ id: held.id }, { id: done.id }]);
    expect(other.id).not.toBe(held.id);
  });
});
