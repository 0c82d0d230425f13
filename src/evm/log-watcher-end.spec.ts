import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { LogWatcher } from './log-watcher.js';
import { RpcClient } from './rpc-client.js';
import { DevChain } from './testing/dev-chain.js';
import { FaultProxy } from './testing/fault-proxy.js';
import { HeardLogs, silent, until } from './testing/heard-logs.js';

let chain: DevChain;
let proxy: FaultProxy;
let closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  chain = await DevChain.start();
  proxy = await FaultProxy.start(chain.url);
});

afterAll(async () => {
  await proxy.stop();
  await chain.stop();
});

afterEach(async () => {
  proxy.fault = undefined;
  for (const close of closing.reverse()) await close();
  closing = [];
});

function aWatcher(): LogWatcher {
  const rpc = new RpcClient({ urls: [proxy.url], chainId: DevChain.chainId, timeoutMs: 1_000 });
  const watcher = new LogWatcher({ rpc, log: silent, revertedAfter: 12, pollMs: 10 });
  closing.push(() => watcher.close());
  return watcher;
}

async function listening(watcher: LogWatcher): Promise<HeardLogs> {
  const heard = new HeardLogs();
  void heard.listen(watcher, { filter: { addresses: [chain.token], topics: [] } });
  closing.push(() => heard.stop());
  await until(() => heard.cursor !== undefined, 'the watch has begun');
  return heard;
}

describe('the end of a watch', () => {
  it('given a search under way, when a watch is ended, then nothing is delivered to it any more', async () => {
    const watcher = aWatcher();
    const [ended, goesOn] = [await listening(watcher), await listening(watcher)];
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
      const watcher = aWatcher();
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
    const watcher = aWatcher();
    await watcher.close();

    const watch = new HeardLogs().listen(watcher);

    expect(watcher.status.state).toBe('idle');
    await expect(watch).rejects.toMatchObject({ code: 'connection.refused', retry: 'later' });
  });
});
