import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import type { CompiledFlow } from '#engine';
import type { FlowsService } from '#flows';
import { createMetrics, type Store } from '#platform';
import { PatchbayError } from '#sdk';
import { silentLog } from '../../test/builders/action-call.js';
import { anEvent, aRunOf } from '../../test/builders/stored-runs.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { aFlow } from '../engine/testing/flow-runs.js';
import type { ActionCaller } from './action-caller.js';
import { IntakeStore } from './intake.store.js';
import { RunExecutor } from './run.executor.js';
import type { RunQueue } from './run-queue.js';
import type { RunsLive } from './runs-live.js';
import { RunsService } from './runs.service.js';
import { RunsStore } from './runs.store.js';

describe('a store that is away for a moment', () => {
  const flow = aFlow('steps: [{ id: pay, uses: test.notify }]');
  let store: Store;
  /** What the pool refuses once. */
  let refused: string | undefined;
  let runs: RunsStore;
  let called: string[];
  let answers: (() => unknown)[];
  let version: () => Promise<CompiledFlow>;
  let executor: RunExecutor;

  beforeAll(async () => {
    store = await openTestStore();
  });

  afterAll(() => store.close());

  beforeEach(async () => {
    await store.pool.query('truncate event, run, run_step cascade');
    refused = undefined;
    called = [];
    answers = [];
    version = () => Promise.resolve(flow);
    runs = new RunsStore(unreliable(store.pool), () => '1');
    executor = new RunExecutor({
      store: runs,
      flows: { find: () => undefined, isLoaded: true, version: () => version() } as unknown as FlowsService,
      caller: {
        call: async ({ step }: { readonly step: string }) => {
          called.push(step);
          return answers.shift()?.() ?? {};
        },
      } as unknown as ActionCaller,
      queue: { wakeAgain: () => undefined, wakeLater: () => undefined } as unknown as RunQueue,
      live: { tell: () => undefined, tellSteps: () => undefined } as unknown as RunsLive,
      env: {},
      metrics: createMetrics(),
      log: silentLog,
    });
  });

  function unreliable(pool: Pool): Pool {
    const query = async (statement: { readonly name?: string }, ...rest: never[]) => {
      if (refused !== undefined && statement.name === refused) {
        refused = undefined;
        throw new Error('Connection terminated unexpectedly');
      }
      return pool.query(statement as never, ...rest);
    };
    return new Proxy(pool, { get: (target, key) => (key === 'query' ? query : Reflect.get(target, key)) });
  }

  async function aRun(): Promise<string> {
    const event = anEvent('a');
    const run = aRunOf(event);
    await new IntakeStore(store.pool).store({ events: [event], runs: [run], cursors: [] });
    return run.id;
  }

  async function execute(id: string): Promise<string> {
    await executor.execute({ flow: 'test-flow', runs: [id] });
    const { rows } = await store.pool.query<{ state: string }>('select state from run where id = $1', [id]);
    return rows[0]?.state ?? '';
  }

  /** As the sweep does with what nobody holds. */
  async function giveBack(): Promise<void> {
    expect(executor.held().size).toBe(0);
    await runs.handBack(await runs.claimedHere());
  }

  it('given a run that is claimed, when its version cannot be read, then it is not given up', async () => {
    const id = await aRun();
    version = () => {
      version = () => Promise.resolve(flow);
      return Promise.reject(new PatchbayError('store.unavailable'));
    };

    expect(await execute(id)).toBe('running');
    await giveBack();
    expect(await execute(id)).toBe('completed');
    expect(called).toEqual(['pay']);
  });

  it('given a run that is tried again, when its journal cannot be read, then it is not given up', async () => {
    const id = await aRun();
    answers = [
      () => {
        throw new PatchbayError('http.throttled', { retryAfterMs: 0 });
      },
    ];
    expect(await execute(id)).toBe('queued');

    refused = 'journal';
    expect(await execute(id)).toBe('running');
    await giveBack();
    expect(await execute(id)).toBe('completed');
    expect(called).toEqual(['pay', 'pay']);
  });

  it('given two who retry a run, when one of them is slow, then what the run did meanwhile is kept', async () => {
    const id = await aRun();
    const refuse = (code: 'http.rejected' | 'http.failed') => () => {
      throw new PatchbayError(code);
    };
    answers = [refuse('http.rejected'), refuse('http.failed')];
    expect(await execute(id)).toBe('failed');
    const retrying = (first: () => Promise<unknown> = () => Promise.resolve()): Promise<void> =>
      new RunsService({
        db: store.db,
        intake: new IntakeStore(store.pool),
        flows: { version: () => first().then(() => flow) } as unknown as FlowsService,
        queue: { wakeAgain: () => undefined } as unknown as RunQueue,
        live: { tell: () => undefined } as unknown as RunsLive,
        env: {},
      }).retry(id);

    const slow = retrying(async () => {
      await retrying();
      expect(await execute(id)).toBe('queued');
    });

    await expect(slow).rejects.toMatchObject({ code: 'run.stateConflict' });
    expect(await runs.journal(id)).toMatchObject([{ step: 'pay', state: 'retrying', attempts: 1 }]);
  });
});
