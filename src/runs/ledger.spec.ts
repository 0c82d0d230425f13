import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { anEvent, aRunOf, openTestLedger } from '../../test/builders/stored-runs.js';
import { IntakeStore, type RunRow } from './intake.store.js';
import type { ReversalsStore } from './reversals.store.js';
import type { Claims } from './runs-here.js';
import type { ClaimedRun, RunsStore, Settlement } from './runs.store.js';

let store: Store;
let intake: IntakeStore;
let runs: RunsStore;
let reversals: ReversalsStore;

beforeAll(async () => {
  ({ store, intake, runs, reversals } = await openTestLedger());
});

afterAll(() => store.close());

beforeEach(async () => {
  await store.pool.query('truncate event, run, run_step, trigger_source, instance cascade');
  await store.pool.query(
    `insert into trigger_source (id, uses, input) values ('test.heard/source', 'test.heard', '{}')`,
  );
});

const completed = (run: ClaimedRun): Settlement => ({ run, state: 'completed', leavesLane: true, entries: [] });

const claimsFor = (...rows: readonly RunRow[]): Claims => ({
  instance: '1',
  runs: new Map(rows.map(({ id, flow }) => [id, flow])),
});

async function claimOne(id: string): Promise<ClaimedRun> {
  const [run] = await runs.claim([id]);
  if (run === undefined) throw new Error(`${id} could not be claimed`);
  return run;
}

describe('taking in events', () => {
  it('given an event that was heard before, when it is heard again, then no second run exists', async () => {
    const event = anEvent('a');
    const storing = { events: [event], runs: [aRunOf(event)], cursors: [] };

    const first = await intake.store(storing);
    const second = await intake.store(storing);

    expect(first.ready).toHaveLength(1);
    expect(second.created.size).toBe(0);
    expect(second.ready).toEqual([]);
  });

  it('given a listener whose lease was taken over, when it stores, then nothing of it is kept', async () => {
    const cursors = (epoch: string) => [{ source: 'test.heard/source', cursor: '5', epoch }];
    await intake.store({ events: [], runs: [], cursors: cursors('3') });
    const event = anEvent('late');

    await expect(intake.store({ events: [event], runs: [aRunOf(event)], cursors: cursors('2') })).rejects.toMatchObject(
      {
        code: 'lease.lost',
      },
    );

    const { rows } = await store.pool.query('select 1 from event');
    expect(rows).toEqual([]);
  });
});

describe('ordering keys', () => {
  it('given three runs of one lane and one of another, when they are stored, then only the heads are ready', async () => {
    const events = ['a', 'b', 'c', 'other'].map((key) => anEvent(key));
    const wanted = events.map((event, i) => aRunOf(event, { ordering_key: i < 3 ? 'lane' : 'free' }));

    const { inLanes } = await intake.store({ events, runs: wanted, cursors: [] });
    const ready = await intake.headsAmong(inLanes);

    expect(ready.map((run) => run.id).sort()).toEqual([wanted[0]?.id, wanted[3]?.id].sort());
  });

  it('given a run behind another, when it is claimed out of turn, then it is refused until the first is settled', async () => {
    const events = [anEvent('a'), anEvent('b')];
    const [first, second] = events.map((event) => aRunOf(event, { ordering_key: 'lane' }));
    await intake.store({ events, runs: [first as never, second as never], cursors: [] });
    const secondId = second?.id ?? '';

    expect(await runs.claim([secondId])).toEqual([]);
    const head = await claimOne(first?.id ?? '');
    expect(await runs.claim([secondId])).toEqual([]);
    const [settled] = await runs.settle([completed(head)]);

    expect(settled).toEqual({ isOurs: true, released: { id: secondId, flow: 'test-flow' } });
    expect((await runs.claim([secondId])).map((run) => run.id)).toEqual([secondId]);
  });

  it('given a run that waits for its next try, when its main line is done, then the run behind it may start', async () => {
    const events = [anEvent('a'), anEvent('b')];
    const [first, second] = events.map((event) => aRunOf(event, { ordering_key: 'lane' }));
    await intake.store({ events, runs: [first as never, second as never], cursors: [] });
    const head = await claimOne(first?.id ?? '');
    const inAnHour = new Date(Date.now() + 3_600_000);

    const [settled] = await runs.settle([
      { run: head, state: 'queued', nextAt: inAnHour, leavesLane: true, entries: [] },
    ]);

    expect(settled?.released?.id).toBe(second?.id);
  });
});

describe('claims', () => {
  it('given a run that was taken over, when the first process settles it, then nothing changes', async () => {
    const event = anEvent('a');
    await intake.store({ events: [event], runs: [aRunOf(event)], cursors: [] });
    const stale = await claimOne(aRunOf(event).id);
    await runs.releaseOf(['1']);
    const fresh = await claimOne(stale.id);

    const [lost] = await runs.settle([completed(stale)]);
    const [won] = await runs.settle([completed(fresh)]);

    expect(lost?.isOurs).toBe(false);
    expect(won?.isOurs).toBe(true);
  });

  it('given a new run, when it is stored as claimed, then it is at work with its event as the ledger keeps it, and nobody else takes it', async () => {
    const event = anEvent('a', { data: '{"longer": 1, "b": 2}' });
    const run = aRunOf(event);

    const { ready, claimed } = await intake.store({ events: [event], runs: [run], cursors: [] }, claimsFor(run));

    expect(ready).toEqual([]);
    expect(claimed).toMatchObject([{ id: run.id, claim: 1, kind: 'event', is_journaled: false }]);
    expect(JSON.stringify(claimed[0]?.event)).toBe('{"b":2,"longer":1}');
    expect(await runs.claim([run.id])).toEqual([]);
    expect(await runs.claimedHere()).toEqual([{ id: run.id, flow: 'test-flow', claim: 1 }]);
    const [settled] = await runs.settle([completed(claimed[0] as ClaimedRun)]);
    expect(settled).toEqual({ isOurs: true, released: undefined });
  });

  it('given a run that was stored as claimed, when its process is gone, then it is taken over and the old claim changes nothing', async () => {
    const event = anEvent('a');
    const { claimed } = await intake.store(
      { events: [event], runs: [aRunOf(event)], cursors: [] },
      claimsFor(aRunOf(event)),
    );

    await runs.releaseOf(['1']);
    const fresh = await claimOne(aRunOf(event).id);
    const [lost] = await runs.settle([completed(claimed[0] as ClaimedRun)]);

    expect([fresh.claim, lost?.isOurs]).toEqual([2, false]);
  });

  it('given an event that started one flow, when it is heard again and starts another, then what was heard first counts', async () => {
    const first = anEvent('a', { data: '{"heard":"first"}' });
    await intake.store({ events: [first], runs: [aRunOf(first)], cursors: [] });
    const again = { ...first, data: '{"heard":"again"}' };
    const both = [aRunOf(again), aRunOf(again, { flow: 'other' })];

    const { claimed } = await intake.store({ events: [again], runs: both, cursors: [] }, claimsFor(...both));

    expect(claimed).toMatchObject([{ id: both[1]?.id, flow: 'other', event: { heard: 'first' } }]);
  });

  it('given a ledger with other events, when a run is stored as claimed again and again, then only its own event is read', async () => {
    await intake.store({
      events: Array.from({ length: 800 }, (_, i) => anEvent(`other ${i}`)),
      runs: [],
      cursors: [],
    });
    const client = await store.pool.connect();
    const own = new IntakeStore(client as unknown as Store['pool']);
    const read = async (): Promise<number> => {
      const { rows } = await client.query<{ read: string }>(
        `select seq_tup_read + idx_tup_fetch as read from pg_stat_xact_user_tables where relid = 'event'::regclass`,
      );
      return Number(rows[0]?.read);
    };
    try {
      await client.query('begin');
      const before = await read();
      // From the sixth time on PostgreSQL may keep a plan for whatever comes.
      for (let i = 0; i < 10; i++) {
        const event = anEvent(`own ${i}`);
        await own.store({ events: [event], runs: [aRunOf(event)], cursors: [] }, claimsFor(aRunOf(event)));
      }
      expect((await read()) - before).toBeLessThanOrEqual(10);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('given a flow with concurrency 2, when runs are claimed, then two at most are at work', async () => {
    const events = ['a', 'b', 'c'].map((key) => anEvent(key));
    await intake.store({ events, runs: events.map((event) => aRunOf(event)), cursors: [] });

    const firstTwo = await runs.claimOfFlow('test-flow', 2);
    const none = await runs.claimOfFlow('test-flow', 2);
    await runs.settle([completed(firstTwo[0] as ClaimedRun)]);
    const third = await runs.claimOfFlow('test-flow', 2);

    expect([firstTwo.length, none.length, third.length]).toEqual([2, 0, 1]);
  });

  it('given a lost job, when the sweep looks, then the run is found once', async () => {
    const event = anEvent('a');
    await intake.store({ events: [event], runs: [aRunOf(event)], cursors: [] });
    await store.pool.query(`update run set hinted_at = now() - interval '10 s'`);

    const found = await runs.overlooked(2_000, 10);
    const again = await runs.overlooked(2_000, 10);

    expect([found.length, again.length]).toEqual([1, 0]);
  });

  it('given lost jobs of two lanes, when the sweep looks lane by lane, then it finds the two heads once', async () => {
    const events = ['a', 'b', 'c'].map((key) => anEvent(key));
    const wanted = events.map((event, i) => aRunOf(event, { ordering_key: i < 2 ? 'lane-1' : 'lane-2' }));
    await intake.store({ events, runs: wanted, cursors: [] });
    await store.pool.query(`update run set hinted_at = now() - interval '10 s'`);

    const first = await runs.overlookedHeads(2_000, { flow: '', ordering_key: '' }, 1);
    const second = await runs.overlookedHeads(2_000, first.last ?? { flow: '', ordering_key: '' }, 10);
    const again = await runs.overlookedHeads(2_000, { flow: '', ordering_key: '' }, 10);
    const beside = await runs.overlooked(2_000, 10);

    expect([...first.overlooked, ...second.overlooked].map((run) => run.id)).toEqual([wanted[0]?.id, wanted[2]?.id]);
    expect([second.last, again.overlooked, beside]).toEqual([undefined, [], []]);
  });

  it('given the journal of a run, when a step is recorded and the run settled, then both are read back', async () => {
    const event = anEvent('a');
    await intake.store({ events: [event], runs: [aRunOf(event)], cursors: [] });
    const run = await claimOne(aRunOf(event).id);
    const at = new Date();
    const entry = { iteration: 0, state: 'succeeded' as const, attempts: 1, startedAt: at, finishedAt: at };

    const [isOurs] = await runs.record([{ run, entries: [{ ...entry, step: 'one', output: { text: 'a\0b' } }] }]);
    await runs.settle([{ ...completed(run), entries: [{ ...entry, step: 'two', output: 2 }] }]);

    const journal = await runs.journal(run.id);
    expect(isOurs).toBe(true);
    expect(Object.fromEntries(journal.map((read) => [read.step, read.output]))).toEqual({
      one: { text: 'a␀b' },
      two: 2,
    });
  });
});

describe('what a chain takes back', () => {
  const listener = { source: 'test.heard/source', epoch: '0' };
  const heard = (key: string, block: string) => anEvent(key, { position: `${block}:0`, place: `0x${block}` });

  it('given a removed event, when it is mined again, then its run is not started twice and nothing is undone', async () => {
    const event = heard('a', '005');
    await intake.store({ events: [event], runs: [aRunOf(event)], cursors: [] });
    await runs.settle([completed(await claimOne(aRunOf(event).id))]);

    await reversals.retract('test.heard/source', listener, { from: '005', finalAt: '009', cursor: '005' });
    const again = { ...event, position: '006:0', place: '0x006b' };
    const { created } = await intake.store({ events: [again], runs: [aRunOf(again)], cursors: [] });
    const undone = await reversals.finalize('test.heard/source', '010');

    expect(created.size).toBe(0);
    expect(undone).toEqual([]);
  });

  it('given a removed event that started a run, when it stays away, then its reversal is created once', async () => {
    const event = heard('a', '005');
    await intake.store({ events: [event], runs: [aRunOf(event)], cursors: [] });
    await runs.settle([completed(await claimOne(aRunOf(event).id))]);
    await reversals.retract('test.heard/source', listener, { from: '005', finalAt: '009', cursor: '005' });

    const early = await reversals.finalize('test.heard/source', '008');
    const [undo, ...more] = await reversals.finalize('test.heard/source', '009');
    const twice = await reversals.finalize('test.heard/source', '009');

    expect([early, more, twice]).toEqual([[], [], []]);
    const run = await claimOne(undo?.id ?? '');
    expect(run).toMatchObject({ kind: 'reverted', parent_id: aRunOf(event).id });
  });

  it('given a removed event whose run had not begun, when it stays away, then the run never starts', async () => {
    const event = heard('a', '005');
    const behind = heard('b', '004');
    await intake.store({
      events: [event, behind],
      runs: [aRunOf(event, { ordering_key: 'lane' }), aRunOf(behind, { ordering_key: 'lane' })],
      cursors: [],
    });
    await reversals.retract('test.heard/source', listener, { from: '005', finalAt: '009', cursor: '005' });

    const whileRemoved = await runs.claim([aRunOf(event).id]);
    const released = await reversals.finalize('test.heard/source', '009');

    expect(whileRemoved).toEqual([]);
    expect(released.map((run) => run.id)).toEqual([aRunOf(behind).id]);
  });
});
