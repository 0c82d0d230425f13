import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { getAddress } from 'ethers';
import { deployContract, type Deployed } from '../../test/builders/deployed.js';
import { DevChain, artefact } from '../../src/evm/testing/dev-chain.js';

let chain: DevChain;
let owner: string;
let reporters: readonly string[];
let stranger: string;
let feed: Deployed;

beforeAll(async () => {
  chain = await DevChain.start();
  const accounts = await chain.call<string[]>('eth_accounts');
  owner = accounts[0]!;
  reporters = accounts.slice(1, 4);
  stranger = accounts[4]!;
});

afterAll(async () => {
  await chain.stop();
});

beforeEach(async () => {
  feed = await aFeed();
});

const band = [-1_000n, 1_000_000n] as const;

function aFeed({ minReports = 2, maxReportAge = 300, who = reporters } = {}): Promise<Deployed> {
  return deployContract(chain, artefact('PriceFeed'), [8, 'ETH / USD', ...band, minReports, maxReportAge, who]);
}

async function now(): Promise<bigint> {
  const { timestamp } = await chain.call<{ timestamp: string }>('eth_getBlockByNumber', ['latest', false]);
  return BigInt(timestamp);
}

async function report(reporter: number, round: number, answer: bigint, observedAt?: bigint): Promise<string> {
  return await feed.send('report', [round, answer, observedAt ?? (await now())], { from: reporters[reporter]! });
}

async function refused(reporter: string, round: number, answer: bigint, observedAt?: bigint): Promise<string> {
  return await feed.refusal('report', [round, answer, observedAt ?? (await now())], { from: reporter });
}

describe('the price feed', () => {
  it('given a new feed, when it is read, then it tells what it is and that it has no answer', async () => {
    expect(await feed.read('decimals')).toBe(8n);
    expect(await feed.read('description')).toBe('ETH / USD');
    expect(await feed.read('version')).toBe(1n);
    expect(await feed.read('openRoundId')).toBe(1n);
    expect(await feed.refusal('latestRoundData')).toBe('NoAnswer(0)');
    expect(await feed.refusal('getRoundData', [1])).toBe('NoAnswer(1)');
  });

  it('given two of three reports, when the second comes, then the answer is there, with the events of an aggregator', async () => {
    const first = await report(0, 1, 100n);
    const startedAt = await now();
    expect(await feed.events(first)).toEqual([
      `NewRound(1, ${getAddress(reporters[0]!)}, ${String(startedAt)})`,
      expect.stringMatching(/^Reported\(1, /),
    ]);
    expect(await feed.refusal('latestRoundData')).toBe('NoAnswer(0)');

    const second = await report(1, 1, 103n);
    const updatedAt = await now();
    expect(await feed.events(second)).toContainEqual(`AnswerUpdated(101, 1, ${String(updatedAt)})`);
    expect(await feed.read('latestRoundData')).toEqual({
      roundId: 1n,
      answer: 101n,
      startedAt,
      updatedAt,
      answeredInRound: 1n,
    });
  });

  it('given three reports and one liar, when all are needed, then the median is the answer', async () => {
    feed = await aFeed({ minReports: 3 });
    await report(2, 1, 999_999n);
    await report(0, 1, -7n);
    await report(1, 1, 12n);
    expect(await feed.read('latestRoundData')).toMatchObject({ answer: 12n, roundId: 1n });
  });

  it.each([
    [[-5n, -8n], -6n],
    [[-1n, 2n], 0n],
    [[-3n, 0n], -1n],
    [[7n, 8n], 7n],
  ])('given an even number of reports %j, when they agree, then the answer is %s', async ([one, other], answer) => {
    await report(0, 1, one!);
    await report(1, 1, other!);
    expect(await feed.read('latestRoundData')).toMatchObject({ answer });
  });

  it('given the greatest and least numbers, when their mean is taken, then nothing overflows', async () => {
    const most = 2n ** 255n - 1n;
    await feed.send('setRules', [-most - 1n, most, 2, 300]);
    await report(0, 1, most);
    await report(1, 1, most - 2n);
    expect(await feed.read('latestRoundData')).toMatchObject({ answer: most - 1n });
    await report(0, 2, -most - 1n);
    await report(1, 2, -most - 1n);
    expect(await feed.read('latestRoundData')).toMatchObject({ answer: -most - 1n });
    await report(0, 3, -most - 1n);
    await report(1, 3, most);
    expect(await feed.read('latestRoundData')).toMatchObject({ answer: 0n });
  });

  it('given a round with an answer, when a report comes late or too early, then it is refused', async () => {
    await report(0, 1, 100n);
    await report(1, 1, 100n);
    expect(await refused(reporters[2]!, 1, 100n)).toBe('RoundClosed(1, 2)');
    expect(await refused(reporters[2]!, 3, 100n)).toBe('RoundNotOpen(3, 2)');
    await report(2, 2, 100n);
    expect(await feed.read('latestRoundId')).toBe(1n);
  });

  it('given a report that is old by now, when the next comes, then it no longer counts and may be given anew', async () => {
    await report(0, 1, 100n);
    await chain.call('evm_increaseTime', [301]);
    await chain.mine();
    expect(await feed.read('openRound')).toMatchObject({ roundId: 1n, freshReports: 0n });
    await report(1, 1, 200n);
    expect(await feed.read('openRound')).toMatchObject({ roundId: 1n, freshReports: 1n });
    expect(await feed.read('latestRoundId')).toBe(0n);
    await report(0, 1, 300n);
    expect(await feed.read('latestRoundData')).toMatchObject({ roundId: 1n, answer: 250n });
  });

  it('given what was seen too long ago, in the future, or before what was said already, then it is refused', async () => {
    const seen = await now();
    expect(await refused(reporters[0]!, 1, 1n, seen - 400n)).toMatch(/^StaleReport/);
    expect(await refused(reporters[0]!, 1, 1n, seen + 1_000n)).toMatch(/^FutureReport/);
    await report(0, 1, 5n, seen);
    expect(await refused(reporters[0]!, 1, 6n, seen)).toBe(`OlderThanOwnReport(${String(seen)}, ${String(seen)})`);
    await report(0, 1, 7n, seen + 1n);
    await report(1, 1, 9n);
    expect(await feed.read('latestRoundData')).toMatchObject({ answer: 8n });
  });

  it('given an answer out of the band, or who is no reporter, when it is reported, then it is refused', async () => {
    expect(await refused(reporters[0]!, 1, 1_000_001n)).toBe('AnswerOutOfBand(1000001, -1000, 1000000)');
    expect(await refused(reporters[0]!, 1, -1_001n)).toMatch(/^AnswerOutOfBand/);
    expect(await refused(stranger, 1, 5n)).toMatch(/^NotReporter/);
  });

  it('given reporters that come and go, when they report, then only those of now count', async () => {
    await report(0, 1, 100n);
    await feed.send('removeReporter', [reporters[0]]);
    await report(1, 1, 200n);
    expect(await feed.read('latestRoundId')).toBe(0n);
    await feed.send('addReporter', [stranger]);
    await feed.send('report', [1, 300n, await now()], { from: stranger });
    expect(await feed.read('latestRoundData')).toMatchObject({ answer: 250n });
    expect(await feed.refusal('removeReporter', [reporters[0]])).toMatch(/^InvalidReporter/);
    expect(await feed.refusal('addReporter', [stranger])).toMatch(/^InvalidReporter/);
    await feed.send('removeReporter', [stranger]);
    expect(await feed.refusal('removeReporter', [reporters[1]])).toBe('InvalidRules()');
  });

  it('given a stranger, when he does what the owner does, then he is refused; the owner may hand over in two steps', async () => {
    for (const [name, args] of [
      ['addReporter', [stranger]],
      ['removeReporter', [reporters[0]]],
      ['setRules', [0, 1, 1, 1]],
      ['transferOwnership', [stranger]],
      ['acceptOwnership', []],
    ] as const) {
      expect(await feed.refusal(name, args, { from: stranger })).toMatch(/^NotOwner/);
    }
    expect(await feed.refusal('setRules', [2, 1, 1, 1])).toBe('InvalidRules()');
    expect(await feed.refusal('setRules', [0, 1, 4, 1])).toBe('InvalidRules()');
    expect(await feed.refusal('setRules', [0, 1, 0, 1])).toBe('InvalidRules()');

    await feed.send('transferOwnership', [stranger]);
    expect(await feed.read('owner')).toBe(getAddress(owner));
    await feed.send('acceptOwnership', [], { from: stranger });
    expect(await feed.read('owner')).toBe(getAddress(stranger));
    expect(await feed.refusal('addReporter', [owner])).toMatch(/^NotOwner/);
  });
});
