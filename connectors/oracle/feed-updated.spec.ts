import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { networkDirectory, parseCheckpoint, type LogWatcher, type Network, type WatchOptions } from '#evm';
import { PatchbayError, type ServiceToken, type UseService } from '#sdk';
import { FaultProxy, rpcResult } from '../../src/evm/testing/fault-proxy.js';
import { silent } from '../../src/evm/testing/heard-logs.js';
import { aHttpClient } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { FeedListener } from '../../test/builders/feed-listener.js';
import { startFeedStage, type FeedStage } from '../../test/builders/feed-stage.js';
import { localNetwork } from '../../test/builders/lent-network.js';
import { overlaid } from '../../test/builders/overlaid.js';
import { PriceFeeds, move } from '../../test/builders/price-feeds.js';
import { feedUpdated } from './feed-updated.trigger.js';
import { compileFeeds } from './testing/chainlink-contracts.js';

let stage: FeedStage;
let feeds: PriceFeeds;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const vendor = await compileFeeds();
  stage = await startFeedStage();
  feeds = new PriceFeeds(stage, vendor);
}, 240_000);

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

afterAll(() => stage.close());

/** Answers as ever, and hears of no block any more. */
async function standStill(node: FaultProxy): Promise<void> {
  const head = await stage.chain.call<{ number: string }>('eth_getBlockByNumber', ['latest', false]);
  node.fault = async (call, forward) => {
    if (call.method === 'eth_blockNumber') return rpcResult(call, head.number);
    const isHead = call.method === 'eth_getBlockByNumber' && call.params[0] === 'latest';
    return isHead ? rpcResult(call, head) : await forward();
  };
}

/** What the hub lends, but for the network that it has at the time. */
function useNetwork(present: () => Network): UseService {
  const networks = { get: () => Promise.resolve(present()), byChainId: () => Promise.resolve(present()) };
  return <T>(token: ServiceToken<T>) => (token.name === networkDirectory.name ? (networks as T) : stage.use(token));
}

describe('oracle.feedUpdated', () => {
  let listener: FeedListener;

  beforeEach(() => {
    listener = new FeedListener(stage);
    stops.push(() => listener.close());
  });

  /** The network, whose chain is watched with other options. */
  function useWatched(change: (options: WatchOptions) => WatchOptions, members: Partial<Network> = {}): UseService {
    const watcher = overlaid<LogWatcher>(stage.network.watcher, {
      watch: (options) => stage.network.watcher.watch(change(options)),
    });
    const network = overlaid<Network>(stage.network, { watcher, ...members });
    return useNetwork(() => network);
  }

  it('given a proxy, when its aggregator answers and is replaced, then all that the feed said is heard once', async () => {
    const [first, second] = [await feeds.deploy(), await feeds.deploy()];
    const proxy = await feeds.proxy(first.address);
    const end = await listener.begin(proxy.address);
    await feeds.publish(first, '-1');
    await feeds.publish(second, '99');
    await feeds.publish(first, '2');
    await eventually(() => listener.heard.length === 2);
    await move(proxy, second.address);
    await feeds.publish(first, '3');
    await feeds.publish(second, '4');
    await eventually(() => listener.heard.length === 3);
    await end();
    await feeds.publish(second, '5');
    await listener.begin(proxy.address);
    await eventually(() => listener.heard.length === 4);

    expect(listener.raws).toEqual(['-100000000', '200000000', '400000000', '500000000']);
    expect(listener.heard.map(({ event }) => event.phase)).toEqual([1, 1, 2, 2]);
    expect(listener.heard[3]!.event).toMatchObject({
      answer: '5',
      aggregator: second.address,
      roundId: String((2n << 64n) + 3n),
    });
    expect(new Set(listener.heard.map(({ id }) => id)).size).toBe(4);
  });

  it('given an aggregator that was replaced unnoticed, when the hub is restarted, then nothing is missed', async () => {
    const [first, second] = [await feeds.deploy(), await feeds.deploy()];
    const proxy = await feeds.proxy(first.address);
    let readUpTo = 0;
    const unnoticing = useWatched(
      ({ deliver, ...options }) => ({
        ...options,
        deliver: async (batch) => {
          await deliver(batch);
          readUpTo = parseCheckpoint(batch.cursor).next - 1;
        },
      }),
      // Where it is looked for a new aggregator only once in a minute.
      { isDevelopment: false },
    );
    let isRestarted = false;
    const use: UseService = (token) => (isRestarted ? stage.use : unnoticing)(token);
    const patient = new FeedListener(overlaid(stage, { use }));
    const end = await patient.begin(proxy.address);
    await move(proxy, second.address);
    await feeds.publish(second, '5');
    const head = await stage.chain.head();
    await eventually(async () => {
      await stage.chain.mine();
      return readUpTo >= head;
    });
    await end();

    isRestarted = true;
    stops.push(await patient.begin(proxy.address));
    await feeds.publish(second, '6');

    await eventually(() => patient.raws.includes('600000000'));
    expect(patient.raws).toEqual(['500000000', '600000000']);
  });

  it('given a store that is away while the aggregator is replaced, when it fails to keep an answer, then the listener ends', async () => {
    const [first, second] = [await feeds.deploy(), await feeds.deploy()];
    const proxy = await feeds.proxy(first.address);
    let isWatchOver: Promise<unknown> | undefined;
    const stop = new AbortController();
    const ended = feedUpdated.listen!({
      input: feedUpdated.input.parse({ contract: proxy.address, confirmations: 5 }),
      client: undefined,
      cursor: undefined,
      signal: stop.signal,
      log: silent,
      use: useWatched((options) => {
        isWatchOver = once(options.signal, 'abort');
        return options;
      }),
      emit: async (events) => {
        if ([events].flat().length === 0) return;
        // Until it is noticed, or would have been.
        await Promise.race([isWatchOver, delay(2_000)]);
        throw new PatchbayError('store.unavailable');
      },
      retract: () => Promise.resolve(),
      recall: () => Promise.resolve(new Map()),
      report: () => Promise.resolve(),
    });
    stops.push(async () => {
      stop.abort();
      await ended.catch(() => undefined);
    });
    await eventually(() => isWatchOver !== undefined);
    await stage.chain.mine(6);
    await feeds.publish(first, '1');
    await move(proxy, second.address);
    await stage.chain.mine(10);

    await expect(Promise.race([ended, delay(30_000, 'it goes on', { ref: false })])).rejects.toMatchObject({
      code: 'store.unavailable',
    });
  });

  it('given a reorganisation, when the answer is mined again, then it has the same identity', async () => {
    const feed = await feeds.deploy();
    await listener.begin(feed.address);
    // The new block comes a second after its parent: it must be another one.
    await stage.chain.call('evm_increaseTime', [60]);
    const { transactionHash } = await feeds.publish(feed, '7');
    await eventually(() => listener.heard.length === 1);
    const raw = await stage.chain.call<string>('eth_getRawTransactionByHash', [transactionHash]);
    await stage.chain.call('anvil_reorg', [1, [[raw, 0]]]).catch(() => stage.chain.call('anvil_reorg', [1, []]));
    await eventually(async () => {
      await stage.chain.mine();
      return listener.retracted > 0 && listener.heard.length > 1;
    });
    expect(listener.heard[1]!.id).toBe(listener.heard[0]!.id);
  });

  it('given a deviation, when answers change, then only those far enough from the last one heard are', async () => {
    const feed = await feeds.deploy();
    await listener.begin(feed.address, { deviation: { percent: 10 } });
    for (const value of ['100', '105', '109', '110', '101', '99']) await feeds.publish(feed, value);
    await eventually(() => listener.heard.length === 3);
    expect(listener.heard.map(({ event }) => event.answer)).toEqual(['100', '110', '99']);
  });

  it('given a feed without events, when it is polled, then new answers are heard once', async () => {
    const mock = await feeds.mock(8, 1n);
    const end = await listener.begin(mock.address, { poll: '20ms' });
    expect(listener.heard).toEqual([]);
    await mock.send('updateAnswer', [2]);
    await eventually(() => listener.heard.length === 1);
    await end();
    await mock.send('updateAnswer', [3]);
    await listener.begin(mock.address, { poll: '20ms' });
    await eventually(() => listener.heard.length === 2);
    expect(listener.raws).toEqual(['2', '3']);
  });

  it.each([{}, { poll: '20ms' }])(
    'given %p, when its network is changed to another node, then answers are heard by that one',
    async (how) => {
      const feed = await feeds.deploy();
      await feeds.publish(feed, '1');
      const oldNode = await FaultProxy.start(stage.chain.url);
      const before = localNetwork(oldNode.url, { http: aHttpClient(), log: silent, use: stage.use });
      let network = before;
      const moving = new FeedListener(overlaid(stage, { use: useNetwork(() => network) }));
      stops.push(
        () => moving.close(),
        () => oldNode.stop(),
      );
      await moving.begin(feed.address, how);
      await feeds.publish(feed, '2');
      await eventually(() => moving.heard.at(-1)?.event.answer === '2');

      await standStill(oldNode);
      network = stage.network;
      await before.close();
      await feeds.publish(feed, '3');

      await eventually(() => moving.heard.at(-1)?.event.answer === '3', { what: 'The answer by the new node' });
    },
  );
});
