import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createMetrics, type Store } from '#platform';
import type { FlowsService } from '#flows';
import type { Heard } from '#sdk';
import { silentLog } from '../../test/builders/action-call.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { aFlow } from '../engine/testing/flow-runs.js';
import { IntakeService, type Accepted } from './intake.service.js';
import { IntakeStore, type ReadyRun } from './intake.store.js';
import { ReversalsStore } from './reversals.store.js';
import type { RunQueue } from './run-queue.js';
import { RunsHere } from './runs-here.js';
import type { RunsLive } from './runs-live.js';
import { RunsQueries } from './runs.queries.js';
import { RunsService } from './runs.service.js';
import { RunsStore } from './runs.store.js';

const source = 'test.heard/source';
const flow = aFlow(`
orderingKey: '{{event.account}}'
steps:
  - { id: tell, uses: test.notify, with: { text: '{{event.text}}' } }
`);
const refused = { code: 'oracle.payment', detail: 'It pays 1.', fix: 'Pay more.' } as const;

let store: Store;
let intake: IntakeService;
let runs: RunsService;
let claims: RunsStore;
let queries: RunsQueries;
const woken: ReadyRun[] = [];

beforeAll(async () => {
  store = await openTestStore();
  const intakeStore = new IntakeStore(store.pool);
  intake = new IntakeService({
    store: intakeStore,
    env: {},
    metrics: createMetrics(),
    here: new RunsHere(silentLog),
    wake: (ready) => woken.push(...ready),
  });
  claims = new RunsStore(store.pool, () => '1');
  queries = new RunsQueries(store.db);
  const wake = (ready: readonly ReadyRun[]): void => void woken.push(...ready);
  runs = new RunsService({
    db: store.db,
    intake: intakeStore,
    flows: { version: () => Promise.resolve(flow), get: () => ({ compiled: flow }) } as unknown as FlowsService,
    queue: { wake, wakeAgain: wake } as unknown as RunQueue,
    live: { tell: () => undefined } as unknown as RunsLive,
    env: {},
  });
});

afterAll(() => store.close());

beforeEach(async () => {
  woken.splice(0);
  await store.pool.query('truncate event, run, run_step, trigger_source, instance cascade');
  await store.pool.query(`insert into trigger_source (id, uses, input) values ($1, 'test.heard', '{}')`, [source]);
});

async function hear(...heard: readonly Partial<Heard>[]): Promise<readonly Accepted[]> {
  const complete = heard.map((one, index) => ({ id: `event-${String(index)}`, event: {}, ...one }));
  return await intake.accept({ source, uses: 'test.heard', heard: complete, flows: [flow] });
}

const idOf = (accepted: Accepted | undefined): string => accepted?.runs[0]?.id ?? '';

describe('what a trigger refused', () => {
  it('given a refusal, when it is taken in, then it is a dead letter with the reason, and nobody executes it', async () => {
    const [accepted] = await hear({ event: { account: 'a', text: 'hello' }, refused });

    const run = await queries.run(idOf(accepted));
    expect(run).toMatchObject({
      state: 'failed',
      error: { code: 'oracle.payment', message: 'It pays 1.', fix: 'Pay more.', step: 'trigger', refused: true },
      data: { account: 'a', text: 'hello' },
      startedAt: null,
    });
    expect((await queries.runs({ state: 'failed', limit: 10 })).items).toHaveLength(1);
    expect(woken).toEqual([]);
    expect(await claims.claim([run.id])).toEqual([]);
    expect(await claims.overlooked(-1, 10)).toEqual([]);
  });

  it('given an event that no key can be made of, when it is refused, then the refusal is the reason', async () => {
    const [accepted] = await hear({ event: {}, refused });

    expect(await queries.run(idOf(accepted))).toMatchObject({ error: { code: 'oracle.payment' }, orderingKey: null });
  });

  it('given a refusal, when others with its ordering key come, then they are executed as if it were not there', async () => {
    const [, second, third] = await hear(
      { event: { account: 'a', text: '1' }, refused },
      { event: { account: 'a', text: '2' } },
      { event: { account: 'a', text: '3' } },
    );

    expect(woken.map(({ id }) => id)).toEqual([idOf(second)]);
    const [head] = await claims.claim([idOf(second)]);
    const [settled] = await claims.settle([{ run: head!, state: 'completed', leavesLane: true, entries: [] }]);
    expect(settled?.released?.id).toBe(idOf(third));
  });

  it('given a refusal that is heard again, when it is taken in, then there is one dead letter', async () => {
    await hear({ event: { account: 'a', text: 'x' }, refused });
    const [again] = await hear({ event: { account: 'a', text: 'x' }, refused });

    expect(again!.runs).toEqual([expect.objectContaining({ isNew: false })]);
    expect((await queries.runs({ limit: 10 })).items).toHaveLength(1);
  });

  it('given a person who retries it, with another event or without, when that is asked for, then it is executed', async () => {
    const [accepted] = await hear({ event: { account: 'a', text: 'x' }, refused });

    await runs.retry(idOf(accepted), { event: { account: 'a', text: 'edited' } });

    expect(woken.map(({ id }) => id)).toEqual([idOf(accepted)]);
    const [claimed] = await claims.claim([idOf(accepted)]);
    expect(claimed?.event).toEqual({ account: 'a', text: 'edited' });
  });

  it('given many dead letters, when all are retried, then those that were refused are left out', async () => {
    await hear({ event: { account: 'a', text: 'x' }, refused }, { event: {} });

    const all = await queries.runs({ state: 'failed', limit: 10 });
    const { items } = await queries.runs({ state: 'failed', withRefused: false, limit: 10 });

    expect(all.items).toHaveLength(2);
    expect(items.map(({ error }) => error)).toEqual([expect.objectContaining({ code: 'template.missingValue' })]);
  });

  it('given past events, when they are replayed, then a refused one only where it is named', async () => {
    const [bad, good] = await hear(
      { event: { account: 'a', text: 'x' }, refused },
      { event: { account: 'a', text: 'y' } },
    );
    const events = [bad, good].map((one) => ({ id: one!.id, data: { account: 'a', text: 'z' } }));

    const replayed = await runs.replayEvents({ version: 'v', events, isDryRun: false });
    const named = await runs.replay(idOf(bad), { version: 'now' });

    expect(replayed).toMatchObject({ events: 2, ignored: 1 });
    expect(named.runs).toHaveLength(1);
  });

  it('given a reorganisation that takes it away, when that is final, then it is no dead letter any more', async () => {
    const reversals = new ReversalsStore(store.pool);
    const [accepted] = await hear({ event: { account: 'a', text: 'x' }, position: '5', refused });

    await reversals.retract(source, { source, epoch: '1' }, { from: '5', finalAt: '7', cursor: '5' });
    expect(await reversals.finalize(source, '7')).toEqual([]);

    expect(await queries.run(idOf(accepted))).toMatchObject({ state: 'cancelled' });
    expect((await queries.runs({ limit: 10 })).items).toHaveLength(1);
  });
});
