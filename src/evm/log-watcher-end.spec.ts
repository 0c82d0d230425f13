import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { DevChain } from './testing/dev-chain.js';
import type { FaultProxy } from './testing/fault-proxy.js';
import { WatchStage } from './testing/watch-stage.js';
import { HeardLogs, until } from './testing/heard-logs.js';

let stage: WatchStage;
let chain: DevChain;
let proxy: FaultProxy;

beforeAll(async () => {
  stage = await WatchStage.start();
  ({ chain, proxy } = stage);
});
afterAll(() => stage.stop());
afterEach(() => stage.clear());

describe('the end of a watch', () => {
  it('given a search under way, when a watch is ended, then nothing is delivered to it any more', async () => {
    const watcher = stage.aWatcher({}, [proxy.url]);
    const [ended, goesOn] = [await stage.listening(watcher), await stage.listening(watcher)];
    let isSearching = false;
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    proxy.fault = async (call, forward) => {
      if (call.method !== 'eth_getLogs') return await forward();
      isSearching = true;
      await answered;
      return await forward();
    };
    await chain.transfer(13n);
    await until(() => isSearching, 'the search');

    await ended.stop();
    answer();
    await until(() => goesOn.values.includes(13n), 'the transfer');

    expect(ended.values).toEqual([]);
  });

  it.each(['the watch is ended by what it hears', 'the watcher is closed'])(
    'given a delivery under way, when %s, then the watch is over when that is kept',
    async (how) => {
      const watcher = stage.aWatcher({}, [proxy.url]);
      const steps: string[] = [];
      const stop = new AbortController();
      let isHeard = false;
      let keep: () => void = () => undefined;
      const kept = new Promise<void>((resolve) => (keep = resolve));
      const over = watcher
        .watch({
          filter: { addresses: [chain.token], topics: [] },
          finality: 0,
          cursor: undefined,
          fromBlock: (await chain.head()) + 1,
          signal: stop.signal,
          deliver: async ({ logs }) => {
            if (logs.length === 0) return;
            if (how === 'the watcher is closed') void watcher.close();
            else stop.abort();
            isHeard = true;
            await kept;
            steps.push('kept');
          },
          retract: () => Promise.resolve(),
        })
        .then(() => steps.push('over'));
      await chain.transfer(14n);
      await until(() => isHeard, 'the transfer');

      keep();
      await over;

      expect(steps).toEqual(['kept', 'over']);
    },
  );

  it('given a watcher that was closed, when who still has it watches, then it does not begin anew', async () => {
    const watcher = stage.aWatcher({}, [proxy.url]);
    await watcher.close();

    const watch = new HeardLogs().listen(watcher);

    expect(watcher.status.state).toBe('idle');
    await expect(watch).rejects.toMatchObject({ code: 'connection.refused', retry: 'later' });
  });
});
