import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { networkDirectory, parseCheckpoint, type LogWatcher, type Network, type WatchOptions } from '#evm';
import { PatchbayError, type ServiceToken, type UseService } from '#sdk';
import { artefact } from '../../src/evm/testing/dev-chain.js';
import { silent } from '../../src/evm/testing/heard-logs.js';
import { subscribersSource } from '../../test/builders/data-point-subscribers.js';
import { deployContract, type Deployed } from '../../test/builders/deployed.js';
import { eventually } from '../../test/builders/eventually.js';
import { FeedListener } from '../../test/builders/feed-listener.js';
import { overlaid } from '../../test/builders/overlaid.js';
import { deliver } from './deliver.action.js';
import { feedUpdated } from './feed-updated.trigger.js';
import { publishFeed } from './publish-feed.action.js';
import { readFeed } from './read-feed.action.js';
import { compileBesideOurs, compileFeeds, pick, type Artefact } from './testing/chainlink-contracts.js';
import { startFeedStage, type FeedStage } from '../../test/builders/feed-stage.js';

const setter = `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
contract Setter {
    int256 public price;
    uint256 public updatedAt;
    function setPrice(int256 value) external { price = value; updatedAt = block.timestamp; }
    function setBoth(int256 value, uint256 time) external { price = value; updatedAt = time; }
}
contract Lighthouse {
    uint128 value; uint32 time; uint32 nonce;
    function write(uint256 value_, uint256 nonce_) external { value = uint128(value_); nonce = uint32(nonce_); time = uint32(block.timestamp); }
    function peekData() external view returns (uint128, bool) { return (value, time > 0); }
    function peekUpdated() external view returns (uint32, bool) { return (time, time > 0); }
    function peekLastNonce() external view returns (uint32, bool) { return (nonce, time > 0); }
}
contract Uptime {
    int256 answer; uint256 startedAt;
    function set(int256 answer_, uint256 startedAt_) external { answer = answer_; startedAt = startedAt_; }
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) { return (1, answer, startedAt, block.timestamp, 1); }
}`;

let stage: FeedStage;
let vendor: { readonly mock: Artefact; readonly proxy: Artefact };
let others: Readonly<Record<string, Artefact>>;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  vendor = await compileFeeds();
  others = await compileBesideOurs({ 'Others.sol': setter, 'Subscribers.sol': subscribersSource });
  stage = await startFeedStage();
}, 240_000);

afterEach(async () => {
  await stage.chain.call('evm_setAutomine', [true]);
  for (const stop of stops.splice(0)) await stop();
});

afterAll(async () => {
  await stage.close();
});

function aPriceFeed({ reporters = [stage.signers.one], minReports = 1 } = {}): Promise<Deployed> {
  return deployContract(stage.chain, artefact('PriceFeed'), [
    8,
    'ETH / USD',
    -(10n ** 12n),
    10n ** 15n,
    minReports,
    // Specs mine blocks faster than time passes, and each is a second.
    1_000_000,
    reporters,
  ]);
}

const aMock = (decimals: number, answer: bigint): Promise<Deployed> =>
  deployContract(stage.chain, vendor.mock, [decimals, answer]);

const aProxy = (aggregator: string): Promise<Deployed> =>
  deployContract(stage.chain, vendor.proxy, [aggregator, `0x${'0'.repeat(40)}`]);

async function move(proxy: Deployed, aggregator: string): Promise<void> {
  await proxy.send('proposeAggregator', [aggregator]);
  await proxy.send('confirmAggregator', [aggregator]);
}

async function pass(seconds: number): Promise<void> {
  await stage.chain.call('evm_increaseTime', [seconds]);
  await stage.chain.mine();
}

async function chainTime(): Promise<number> {
  const block = await stage.chain.call<{ timestamp: string }>('eth_getBlockByNumber', ['latest', false]);
  return Number(block.timestamp);
}

const publish = (feed: Deployed, value: string, more: object = {}, step?: string) =>
  stage.run(publishFeed, { contract: feed.address, from: 'one', value, ...more }, step);
const read = (contract: string, more: object = {}) => stage.run(readFeed, { contract, ...more });

describe('oracle.readFeed', () => {
  it("given the vendor's mock, when it is read, then the answer has its decimals exactly", async () => {
    const feed = await aMock(18, -123_456_789_012_345_678_901n);
    expect(await read(feed.address)).toMatchObject({
      answer: '-123.456789012345678901',
      raw: '-123456789012345678901',
      decimals: 18,
      description: 'v0.8/tests/MockV3Aggregator.sol',
      roundId: '1',
      phase: 0,
      aggregatorRound: '1',
      network: 'local',
    });
  });

  it('given a proxy that moved on, when rounds of both phases are read, then phase and round are told', async () => {
    const [first, second] = [await aMock(8, 100n), await aMock(8, 200n)];
    const proxy = await aProxy(first.address);
    const before = await read(proxy.address);
    await move(proxy, second.address);
    expect(await read(proxy.address)).toMatchObject({ raw: '200', phase: 2, aggregatorRound: '1' });
    expect(before).toMatchObject({ phase: 1, roundId: '18446744073709551617' });
    expect(await read(proxy.address, { round: before.roundId })).toMatchObject({ raw: '100', phase: 1 });
    await expect(read(proxy.address, { round: '18446744073709551699' })).rejects.toMatchObject({
      code: 'oracle.stale',
    });
  });

  it('given an old answer, or one out of bounds, when it is read, then it is refused', async () => {
    const feed = await aMock(8, 351_287_000_000n);
    await pass(120);
    await expect(read(feed.address, { maxAge: '1m' })).rejects.toMatchObject({
      code: 'oracle.stale',
      detail: expect.stringContaining('may be 60 s old'),
    });
    expect(await read(feed.address, { maxAge: '1h', min: 1000, max: '3512.87' })).toMatchObject({ answer: '3512.87' });
    await expect(read(feed.address, { min: '3512.88' })).rejects.toMatchObject({ code: 'oracle.stale' });
    await expect(read(feed.address, { max: '3512.86' })).rejects.toMatchObject({ code: 'oracle.stale' });
  });

  it('given a feed without an answer, no feed, or nothing, when it is read, then the reason is told', async () => {
    const feed = await aPriceFeed();
    await expect(read(feed.address)).rejects.toMatchObject({ code: 'oracle.stale', detail: /no answer yet/ });
    const other = await deployContract(stage.chain, pick(others, 'Setter'), []);
    await expect(read(other.address)).rejects.toMatchObject({ code: 'evm.unknownFunction' });
    await expect(read(`0x${'12'.repeat(20)}`)).rejects.toMatchObject({ code: 'evm.unknownFunction' });
    await expect(read('eth-eur')).rejects.toMatchObject({ code: 'evm.unknownContract' });
  });

  it('given the uptime feed of a sequencer, when it is down or came back just now, then the answer is refused', async () => {
    const feed = await aMock(8, 1n);
    const uptime = await deployContract(stage.chain, pick(others, 'Uptime'), []);
    const sequencer = { contract: uptime.address, grace: '1h' };
    const time = await chainTime();
    await uptime.send('set', [1, time]);
    await expect(read(feed.address, { sequencer })).rejects.toMatchObject({ detail: /is down since/ });
    await uptime.send('set', [0, time - 60]);
    await expect(read(feed.address, { sequencer })).rejects.toMatchObject({ detail: /up again only since/ });
    await uptime.send('set', [0, 0]);
    await expect(read(feed.address, { sequencer })).rejects.toMatchObject({ code: 'oracle.stale' });
    await uptime.send('set', [0, time - 7_200]);
    expect(await read(feed.address, { sequencer })).toMatchObject({ raw: '1' });
  });
});

describe('oracle.publishFeed', () => {
  it('given a policy, when values come, then each is published or not for a reason', async () => {
    const feed = await aPriceFeed();
    const policy = { deviation: { percent: '0.5' }, heartbeat: '1h', minInterval: '10s' };
    expect(await publish(feed, '1000', policy)).toMatchObject({
      published: true,
      reason: 'first',
      raw: '100000000000',
      roundId: '1',
      transactionHash: expect.stringMatching(/^0x/),
    });
    expect(await publish(feed, '2000', policy)).toMatchObject({ published: false, reason: 'tooSoon' });
    await pass(20);
    expect(await publish(feed, '1004.999', policy)).toMatchObject({
      published: false,
      reason: 'unchanged',
      previous: { value: '1000' },
    });
    expect(await publish(feed, '1005', policy)).toMatchObject({ published: true, reason: 'deviation' });
    await pass(3_700);
    expect(await publish(feed, '1005', policy)).toMatchObject({ published: true, reason: 'heartbeat' });
    expect(await read(feed.address)).toMatchObject({ answer: '1005', roundId: '3' });
  });

  it('given a step, when it is done again, then it is the same transaction', async () => {
    const feed = await aPriceFeed();
    const first = await publish(feed, '-1.123456789', {}, 'the-step');
    const again = await publish(feed, '-1.123456789', {}, 'the-step');
    expect(again).toMatchObject({ published: true, reason: 'sent', transactionHash: first.transactionHash });
    expect(await read(feed.address)).toMatchObject({ answer: '-1.12345678', roundId: '1' });
  });

  it('given two reporters, when one has reported, then it waits, the other joins, and who is late does no harm', async () => {
    const feed = await aPriceFeed({ reporters: [stage.signers.one, stage.signers.two], minReports: 2 });
    const policy = { deviation: { percent: 1 }, heartbeat: '1h' };
    expect(await publish(feed, '100', policy)).toMatchObject({ published: true, reason: 'first' });
    expect(await publish(feed, '100', policy)).toMatchObject({ published: false, reason: 'waiting' });
    expect(await publish(feed, '100.5', { ...policy, from: 'two' })).toMatchObject({
      published: true,
      reason: 'joins',
    });
    expect(await read(feed.address)).toMatchObject({ answer: '100.25', roundId: '1' });
    expect(await publish(feed, '100.5', policy)).toMatchObject({ published: false, reason: 'unchanged', roundId: '2' });
  });

  it('given two reporters of which one suffices, when both report at once, then one has published and the other was late', async () => {
    const feed = await aPriceFeed({ reporters: [stage.signers.one, stage.signers.two] });
    let isSettled = false;
    await stage.chain.call('evm_setAutomine', [false]);
    const both = ['one', 'two'].map((from) => publish(feed, '100', { from }));
    const settled = Promise.all(both).finally(() => (isSettled = true));
    await eventually(async () => {
      await stage.chain.mine();
      return isSettled;
    });
    await stage.chain.call('evm_setAutomine', [true]);
    const outcomes = (await settled).map(({ published, reason }) => `${String(published)} ${reason}`);
    expect(outcomes.sort()).toEqual(['false late', 'true first']);
    expect(await read(feed.address)).toMatchObject({ answer: '100', roundId: '1' });
  });

  it('given a value out of the band, no number, or a stranger, when it is published, then it is refused', async () => {
    const feed = await aPriceFeed({ reporters: [stage.signers.two] });
    await expect(publish(feed, '5', { min: '5.01' })).rejects.toMatchObject({ code: 'oracle.answer' });
    await expect(publish(feed, '5', { max: 4 })).rejects.toMatchObject({ code: 'oracle.answer' });
    for (const value of ['NaN', '', 'null', '<html>']) {
      await expect(publish(feed, value)).rejects.toMatchObject({ code: 'oracle.answer' });
    }
    await expect(publish(feed, '5')).rejects.toMatchObject({ code: 'evm.reverted', detail: /NotReporter/ });
    await expect(publish(feed, '1e9', { from: 'two' })).rejects.toMatchObject({ detail: /AnswerOutOfBand/ });
  });

  it('given a setter or a lighthouse, when it is published to, then the same policy holds', async () => {
    const plain = await deployContract(stage.chain, pick(others, 'Setter'), []);
    const how = { preset: 'setter', function: 'setPrice(int256)', read: 'price()', decimals: 2 };
    const policy = { deviation: { absolute: '0.25' } };
    expect(await publish(plain, '21.5', { ...how, ...policy })).toMatchObject({ published: true, reason: 'deviation' });
    expect(await publish(plain, '21.75', { ...how, ...policy })).toMatchObject({ published: false });
    expect(await publish(plain, '21.76', { ...how, ...policy })).toMatchObject({ published: true });
    const timed = { ...how, function: 'setBoth(int256,uint256)', readUpdatedAt: 'updatedAt()', heartbeat: '1h' };
    expect(await publish(plain, '21.76', timed)).toMatchObject({ published: false, reason: 'unchanged' });
    expect(await plain.read('price')).toBe(2_176n);

    const light = await deployContract(stage.chain, pick(others, 'Lighthouse'), []);
    const preset = { preset: 'lighthouse', decimals: 18, heartbeat: '1h' };
    expect(await publish(light, '1.5', preset)).toMatchObject({ reason: 'first', raw: '1500000000000000000' });
    expect(await publish(light, '9', preset)).toMatchObject({ published: false, reason: 'unchanged' });
    await expect(publish(light, '-1', { ...preset, heartbeat: undefined })).rejects.toMatchObject({
      code: 'oracle.answer',
    });
  });
});

describe('oracle.deliver', () => {
  it('given subscribers of which one fails, when a point is delivered, then the failure is told', async () => {
    const points = await deployContract(stage.chain, artefact('DataPoints'), [8, 'ETH / USD', [stage.signers.one]]);
    const good = await deployContract(stage.chain, pick(others, 'Keeper'), []);
    const bad = await deployContract(stage.chain, pick(others, 'Refuser'), []);
    for (const { address } of [good, bad]) await points.send('subscribe', [address, 100_000]);
    const given = { contract: points.address, from: 'one', value: '-3.5' };

    const output = await stage.run(deliver, given, 'deliver');

    const failed = [{ subscriber: bad.address, reason: 'not today' }];
    expect(output).toMatchObject({ published: true, sequence: '1', raw: '-350000000', delivered: 1, failed });
    expect(await good.read('last')).toMatchObject({ value: -350_000_000n, sequence: 1n });
    expect(await stage.run(deliver, given, 'deliver')).toEqual(output);
    expect(await stage.run(deliver, { ...given, sequence: 1 })).toMatchObject({ published: false });
    expect(await stage.run(deliver, { ...given, sequence: 7 })).toMatchObject({ published: true, sequence: '7' });
  });
});

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
    const networks = { get: () => Promise.resolve(network), byChainId: () => Promise.resolve(network) };
    return <T>(token: ServiceToken<T>) => (token.name === networkDirectory.name ? (networks as T) : stage.use(token));
  }

  it('given a proxy, when its aggregator answers and is replaced, then all that the feed said is heard once', async () => {
    const [first, second] = [await aPriceFeed(), await aPriceFeed()];
    const proxy = await aProxy(first.address);
    const end = await listener.begin(proxy.address);
    await publish(first, '-1');
    await publish(second, '99');
    await publish(first, '2');
    await eventually(() => listener.heard.length === 2);
    await move(proxy, second.address);
    await publish(first, '3');
    await publish(second, '4');
    await eventually(() => listener.heard.length === 3);
    await end();
    await publish(second, '5');
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
    const [first, second] = [await aPriceFeed(), await aPriceFeed()];
    const proxy = await aProxy(first.address);
    let readUpTo = 0;
    const use = useWatched(
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
    const patient = new FeedListener(overlaid(stage, { use }));
    const end = await patient.begin(proxy.address);
    await move(proxy, second.address);
    await publish(second, '5');
    const head = await stage.chain.head();
    await eventually(async () => {
      await stage.chain.mine();
      return readUpTo >= head;
    });
    await end();

    stops.push(await patient.begin(proxy.address));
    await publish(second, '6');

    await eventually(() => patient.raws.includes('600000000'));
    expect(patient.raws).toEqual(['500000000', '600000000']);
  });

  it('given a store that is away while the aggregator is replaced, when it fails to keep an answer, then the listener ends', async () => {
    const [first, second] = [await aPriceFeed(), await aPriceFeed()];
    const proxy = await aProxy(first.address);
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
    await publish(first, '1');
    await move(proxy, second.address);
    await stage.chain.mine(10);

    await expect(Promise.race([ended, delay(30_000, 'it goes on', { ref: false })])).rejects.toMatchObject({
      code: 'store.unavailable',
    });
  });

  it('given a reorganisation, when the answer is mined again, then it has the same identity', async () => {
    const feed = await aPriceFeed();
    await listener.begin(feed.address);
    // The new block comes a second after its parent: it must be another one.
    await stage.chain.call('evm_increaseTime', [60]);
    const { transactionHash } = await publish(feed, '7');
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
    const feed = await aPriceFeed();
    await listener.begin(feed.address, { deviation: { percent: 10 } });
    for (const value of ['100', '105', '109', '110', '101', '99']) await publish(feed, value);
    await eventually(() => listener.heard.length === 3);
    expect(listener.heard.map(({ event }) => event.answer)).toEqual(['100', '110', '99']);
  });

  it('given a feed without events, when it is polled, then new answers are heard once', async () => {
    const mock = await aMock(8, 1n);
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
});
