import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { silentLog } from '../../test/builders/action-call.js';
import { anEvent, aRunOf } from '../../test/builders/stored-runs.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { IntakeStore, type ReadyRun } from './intake.store.js';
import { RunsStore } from './runs.store.js';
import { WaitingRuns } from './waiting-runs.js';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  await store.pool.query('truncate event, run, run_step, trigger_source, connection_trouble cascade');
  await store.pool.query(
    `insert into trigger_source (id, uses, input) values ('test.heard/source', 'test.heard', '{}')`,
  );
});

describe('runs that wait for a connection', () => {
  it('given connections that need authorisation, when one no longer does, then its runs are woken, in order, and no others', async () => {
    const intake = new IntakeStore(store.pool);
    const runs = new RunsStore(store.pool, () => '1');
    const woken: ReadyRun[] = [];
    const waiting = new WaitingRuns({
      pool: store.pool,
      signals: { on: () => () => undefined, setInterest: () => undefined },
      queue: { wakeAgain: (ready) => void woken.push(...ready) },
      log: silentLog,
    });
    const events = ['a', 'b', 'c'].map((key) => anEvent(key));
    const wanted = events.map((event) => aRunOf(event));
    await intake.store({ events, runs: wanted, cursors: [] });
    const nextAt = new Date(Date.now() + 3_600_000);
    const claimed = await runs.claim(wanted.map(({ id }) => id));
    const connectionOf = (id: string) => (id === wanted[1]?.id ? 'other' : 'crm');
    await runs.settle(
      claimed.map((run) => {
        const error = { code: 'connection.waiting', message: 'Nobody is let in', connection: connectionOf(run.id) };
        const entry = { step: 'one', iteration: 0, state: 'retrying' as const, attempts: 0, error, retryAt: nextAt };
        const entries = [{ ...entry, startedAt: new Date(), finishedAt: new Date() }];
        return { run, state: 'queued' as const, nextAt, leavesLane: false, error: { ...error, step: 'one' }, entries };
      }),
    );
    await store.pool.query(`insert into connection_trouble (connection, reason) values ('crm', 'x'), ('other', 'x')`);

    await waiting.release();
    expect(woken).toEqual([]);

    await store.pool.query(`delete from connection_trouble where connection = 'crm'`);
    await waiting.release();

    expect(woken.map(({ id }) => id)).toEqual([wanted[0]?.id, wanted[2]?.id]);
    const [again] = await runs.claim([wanted[0]?.id ?? '']);
    expect((await runs.journal(again?.id ?? ''))[0]).toMatchObject({ state: 'retrying', attempts: 0 });
    expect((await runs.journal(again?.id ?? ''))[0]?.retryAt).toBeUndefined();
    expect(await runs.claim([wanted[1]?.id ?? ''])).toEqual([]);
  });
});
