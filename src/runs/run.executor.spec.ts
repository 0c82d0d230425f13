import { describe, expect, it } from '@jest/globals';
import type { FlowsService } from '#flows';
import { createMetrics } from '#platform';
import { silentLog } from '../../test/builders/action-call.js';
import type { ActionCaller } from './action-caller.js';
import { RunExecutor } from './run.executor.js';
import type { RunQueue } from './run-queue.js';
import type { RunsLive } from './runs-live.js';
import type { ClaimedRun, RunsStore } from './runs.store.js';

describe('the executor', () => {
  it('given a process that stops, when a run turns out to have been stored as claimed by it, then it is handed back untouched', async () => {
    const did: string[] = [];
    const executor = new RunExecutor({
      store: {
        handBack: (runs: readonly ClaimedRun[]) =>
          Promise.resolve(void did.push(...runs.map(({ id }) => `${id} back`))),
      } as unknown as RunsStore,
      flows: {
        version: (version: string) => Promise.reject(new Error(`asked for ${version}`)),
      } as unknown as FlowsService,
      caller: {} as unknown as ActionCaller,
      queue: {} as unknown as RunQueue,
      live: { tell: ({ run }: { readonly run: string }) => void did.push(`${run} at work`) } as unknown as RunsLive,
      env: {},
      metrics: createMetrics(),
      log: silentLog,
    });
    await executor.stop(0);

    await executor.perform({
      ...{ id: 'a', flow: 'test-flow', version: 'v1', kind: 'event', parent_id: null, claim: 1, is_journaled: false },
      created_at: new Date(),
      event: {},
    });

    expect(did).toEqual(['a back']);
  });

  it.each([
    { flows: 'not read yet', isLoaded: false, claimed: ['at most 1'] },
    { flows: 'read, and without it', isLoaded: true, claimed: ['a', 'b'] },
  ])('given flow files that are $flows, when a flow is not among them, then $claimed are claimed', async (given) => {
    const claimed: string[] = [];
    const executor = new RunExecutor({
      store: {
        claim: async (ids: readonly string[]) => {
          claimed.push(...ids);
          return [];
        },
        claimOfFlow: async (_flow: string, most: number) => {
          claimed.push(`at most ${most}`);
          return [];
        },
      } as unknown as RunsStore,
      flows: { find: () => undefined, isLoaded: given.isLoaded } as unknown as FlowsService,
      caller: {} as unknown as ActionCaller,
      queue: { wakeAgain: () => undefined } as unknown as RunQueue,
      live: {} as unknown as RunsLive,
      env: {},
      metrics: createMetrics(),
      log: silentLog,
    });

    await executor.execute({ flow: 'test-flow', runs: ['a', 'b'] });

    expect(claimed).toEqual(given.claimed);
    expect(executor.takesNew('test-flow')).toBe(given.isLoaded);
  });
});
