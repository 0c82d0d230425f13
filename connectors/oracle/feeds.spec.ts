import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { artefact } from '../../src/evm/testing/dev-chain.js';
import { subscribersSource } from '../../test/builders/data-point-subscribers.js';
import { deployContract } from '../../test/builders/deployed.js';
import { eventually } from '../../test/builders/eventually.js';
import { deliver } from './deliver.action.js';
import { readFeed } from './read-feed.action.js';
import { compileBesideOurs, compileFeeds, pick, type Artefact } from './testing/chainlink-contracts.js';
import { startFeedStage, type FeedStage } from '../../test/builders/feed-stage.js';
import { PriceFeeds, move } from '../../test/builders/price-feeds.js';

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
let feeds: PriceFeeds;
let others: Readonly<Record<string, Artefact>>;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const vendor = await compileFeeds();
  others = await compileBesideOurs({ 'Others.sol': setter, 'Subscribers.sol': subscribersSource });
  stage = await startFeedStage();
  feeds = new PriceFeeds(stage, vendor);
}, 240_000);

afterEach(async () => {
  await stage.chain.call('evm_setAutomine', [true]);
  for (const stop of stops.splice(0)) await stop();
});

afterAll(async () => {
  await stage.close();
});

async function pass(seconds: number): Promise<void> {
  await stage.chain.call('evm_increaseTime', [seconds]);
  await stage.chain.mine();
}

async function chainTime(): Promise<number> {
  const block = await stage.chain.call<{ timestamp: string }>('eth_getBlockByNumber', ['latest', false]);
  return Number(block.timestamp);
}

const read = (contract: string, more: object = {}) => stage.run(readFeed, { contract, ...more });

describe('oracle.readFeed', () => {
  it("given the vendor's mock, when it is read, then the answer has its decimals exactly", async () => {
    const feed = await feeds.mock(18, -123_456_789_012_345_678_901n);
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
    const [first, second] = [await feeds.mock(8, 100n), await feeds.mock(8, 200n)];
    const proxy = await feeds.proxy(first.address);
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
    const feed = await feeds.mock(8, 351_287_000_000n);
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
    const feed = await feeds.deploy();
    await expect(read(feed.address)).rejects.toMatchObject({ code: 'oracle.stale', detail: /no answer yet/ });
    const other = await deployContract(stage.chain, pick(others, 'Setter'), []);
    await expect(read(other.address)).rejects.toMatchObject({ code: 'evm.unknownFunction' });
    await expect(read(`0x${'12'.repeat(20)}`)).rejects.toMatchObject({ code: 'evm.unknownFunction' });
    await expect(read('eth-eur')).rejects.toMatchObject({ code: 'evm.unknownContract' });
  });

  it('given the uptime feed of a sequencer, when it is down or came back just now, then the answer is refused', async () => {
    const feed = await feeds.mock(8, 1n);
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
    const feed = await feeds.deploy();
    const policy = { deviation: { percent: '0.5' }, heartbeat: '1h', minInterval: '10s' };
    expect(await feeds.publish(feed, '1000', policy)).toMatchObject({
      published: true,
      reason: 'first',
      raw: '100000000000',
      roundId: '1',
      transactionHash: expect.stringMatching(/^0x/),
    });
    expect(await feeds.publish(feed, '2000', policy)).toMatchObject({ published: false, reason: 'tooSoon' });
    await pass(20);
    expect(await feeds.publish(feed, '1004.999', policy)).toMatchObject({
      published: false,
      reason: 'unchanged',
      previous: { value: '1000' },
    });
    expect(await feeds.publish(feed, '1005', policy)).toMatchObject({ published: true, reason: 'deviation' });
    await pass(3_700);
    expect(await feeds.publish(feed, '1005', policy)).toMatchObject({ published: true, reason: 'heartbeat' });
    expect(await read(feed.address)).toMatchObject({ answer: '1005', roundId: '3' });
  });

  it('given a step, when it is done again, then it is the same transaction', async () => {
    const feed = await feeds.deploy();
    const first = await feeds.publish(feed, '-1.123456789', {}, 'the-step');
    const again = await feeds.publish(feed, '-1.123456789', {}, 'the-step');
    expect(again).toMatchObject({ published: true, reason: 'sent', transactionHash: first.transactionHash });
    expect(await read(feed.address)).toMatchObject({ answer: '-1.12345678', roundId: '1' });
  });

  it('given two reporters, when one has reported, then it waits, the other joins, and who is late does no harm', async () => {
    const feed = await feeds.deploy({ reporters: [stage.signers.one, stage.signers.two], minReports: 2 });
    const policy = { deviation: { percent: 1 }, heartbeat: '1h' };
    expect(await feeds.publish(feed, '100', policy)).toMatchObject({ published: true, reason: 'first' });
    expect(await feeds.publish(feed, '100', policy)).toMatchObject({ published: false, reason: 'waiting' });
    expect(await feeds.publish(feed, '100.5', { ...policy, from: 'two' })).toMatchObject({
      published: true,
      reason: 'joins',
    });
    expect(await read(feed.address)).toMatchObject({ answer: '100.25', roundId: '1' });
    expect(await feeds.publish(feed, '100.5', policy)).toMatchObject({
      published: false,
      reason: 'unchanged',
      roundId: '2',
    });
  });

  it('given two reporters of which one suffices, when both report at once, then one has published and the other was late', async () => {
    const feed = await feeds.deploy({ reporters: [stage.signers.one, stage.signers.two] });
    let isSettled = false;
    await stage.chain.call('evm_setAutomine', [false]);
    const both = ['one', 'two'].map((from) => feeds.publish(feed, '100', { from }));
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
    const feed = await feeds.deploy({ reporters: [stage.signers.two] });
    await expect(feeds.publish(feed, '5', { min: '5.01' })).rejects.toMatchObject({ code: 'oracle.answer' });
    await expect(feeds.publish(feed, '5', { max: 4 })).rejects.toMatchObject({ code: 'oracle.answer' });
    for (const value of ['NaN', '', 'null', '<html>']) {
      await expect(feeds.publish(feed, value)).rejects.toMatchObject({ code: 'oracle.answer' });
    }
    await expect(feeds.publish(feed, '5')).rejects.toMatchObject({ code: 'evm.reverted', detail: /NotReporter/ });
    await expect(feeds.publish(feed, '1e9', { from: 'two' })).rejects.toMatchObject({ detail: /AnswerOutOfBand/ });
  });

  it('given a setter or a lighthouse, when it is published to, then the same policy holds', async () => {
    const plain = await deployContract(stage.chain, pick(others, 'Setter'), []);
    const how = { preset: 'setter', function: 'setPrice(int256)', read: 'price()', decimals: 2 };
    const policy = { deviation: { absolute: '0.25' } };
    expect(await feeds.publish(plain, '21.5', { ...how, ...policy })).toMatchObject({
      published: true,
      reason: 'deviation',
    });
    expect(await feeds.publish(plain, '21.75', { ...how, ...policy })).toMatchObject({ published: false });
    expect(await feeds.publish(plain, '21.76', { ...how, ...policy })).toMatchObject({ published: true });
    const timed = { ...how, function: 'setBoth(int256,uint256)', readUpdatedAt: 'updatedAt()', heartbeat: '1h' };
    expect(await feeds.publish(plain, '21.76', timed)).toMatchObject({ published: false, reason: 'unchanged' });
    expect(await plain.read('price')).toBe(2_176n);

    const light = await deployContract(stage.chain, pick(others, 'Lighthouse'), []);
    const preset = { preset: 'lighthouse', decimals: 18, heartbeat: '1h' };
    expect(await feeds.publish(light, '1.5', preset)).toMatchObject({ reason: 'first', raw: '1500000000000000000' });
    expect(await feeds.publish(light, '9', preset)).toMatchObject({ published: false, reason: 'unchanged' });
    await expect(feeds.publish(light, '-1', { ...preset, heartbeat: undefined })).rejects.toMatchObject({
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
