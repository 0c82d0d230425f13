import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { compileBesideOurs, pick, type Artefact } from '../../connectors/oracle/testing/chainlink-contracts.js';
import { deployContract, type Deployed } from '../../test/builders/deployed.js';
import { subscribersSource } from '../../test/builders/data-point-subscribers.js';
import { DevChain, artefact } from '../../src/evm/testing/dev-chain.js';

let chain: DevChain;
let publisher: string;
let stranger: string;
let subscribers: Readonly<Record<string, Artefact>>;
let points: Deployed;

beforeAll(async () => {
  subscribers = await compileBesideOurs({ 'Subscribers.sol': subscribersSource });
  chain = await DevChain.start();
  [, publisher = '', stranger = ''] = await chain.call<string[]>('eth_accounts');
});

afterAll(async () => {
  await chain.stop();
});

beforeEach(async () => {
  points = await deployContract(chain, artefact('DataPoints'), [8, 'ETH / USD', [publisher]]);
});

async function aSubscriber(name: string, gas = 100_000): Promise<Deployed> {
  const subscriber = await deployContract(chain, pick(subscribers, name), []);
  await points.send('subscribe', [subscriber.address, gas]);
  return subscriber;
}

async function now(): Promise<bigint> {
  const { timestamp } = await chain.call<{ timestamp: string }>('eth_getBlockByNumber', ['latest', false]);
  return BigInt(timestamp);
}

async function deliver(value: bigint, sequence: number, timestamp?: bigint): Promise<readonly string[]> {
  const args = [value, timestamp ?? (await now()), sequence];
  return await points.events(await points.send('deliver', args, { from: publisher }));
}

describe('data points', () => {
  it('given subscribers, when a point is delivered, then each has it, with time and sequence', async () => {
    const [one, other] = [await aSubscriber('Keeper'), await aSubscriber('Keeper')];
    const seen = await now();
    expect(await deliver(-42n, 7, seen)).toEqual([`PointDelivered(7, -42, ${String(seen)}, 2, 0)`]);
    for (const subscriber of [one, other]) {
      expect(await subscriber.read('last')).toEqual({ value: -42n, timestamp: seen, sequence: 7n });
    }
    expect(await points.read('latest')).toEqual({ value: -42n, timestamp: seen, sequence: 7n });
  });

  it('given subscribers that revert, burn their gas, answer megabytes or are gone, when a point is delivered, then the others have it', async () => {
    const bad = [await aSubscriber('Refuser'), await aSubscriber('Burner'), await aSubscriber('Bomber')];
    const gone = await aSubscriber('Keeper');
    await chain.call('anvil_setCode', [gone.address, '0x']);
    const good = await aSubscriber('Keeper');

    const events = await deliver(5n, 1);

    expect(events).toHaveLength(5);
    expect(events.filter((event) => event.startsWith('DeliveryFailed(1, '))).toHaveLength(4);
    expect(events.at(-1)).toMatch(/^PointDelivered\(1, 5, \d+, 1, 4\)$/);
    expect(events[0]!.toLowerCase()).toContain(bad[0]!.address);
    // Error("not today"), cut off.
    expect(events[0]).toContain('0x08c379a0');
    expect(await good.read('last')).toMatchObject({ value: 5n });
  });

  it('given too little gas for the last subscriber, when a point is delivered, then nobody has it', async () => {
    const first = await aSubscriber('Keeper');
    await aSubscriber('Burner', 900_000);
    const refusal = await points.refusal('deliver', [1, await now(), 1], { from: publisher, gas: 700_000n });
    expect(refusal).toMatch(/^NotEnoughGas/);
    expect(await first.read('last')).toMatchObject({ sequence: 0n });
  });

  it('given an estimate of the gas, when a point is delivered with it, then hungry subscribers have it too', async () => {
    const hungry = await aSubscriber('Hungry', 400_000);
    const data = points.encode('deliver', [9, await now(), 1]);
    const gas = await chain.call<string>('eth_estimateGas', [{ from: publisher, to: points.address, data }]);
    await chain.send({ from: publisher, to: points.address, data, gas });
    await chain.mine();
    expect(await hungry.read('last')).toMatchObject({ value: 9n, sequence: 1n });
  });

  it('given a sequence that is not newer, an older time, the future or a stranger, when it is delivered, then it is refused', async () => {
    const seen = await now();
    await deliver(5n, 3, seen);
    const refused = (args: readonly unknown[], from = publisher): Promise<string> =>
      points.refusal('deliver', args, { from });
    expect(await refused([6, seen, 3])).toBe('SequenceNotNewer(3, 3)');
    expect(await refused([6, seen, 2])).toBe('SequenceNotNewer(2, 3)');
    expect(await refused([6, seen - 1n, 4])).toMatch(/^OlderThanLatest/);
    expect(await refused([6, seen + 1_000n, 4])).toMatch(/^FuturePoint/);
    expect(await refused([6, seen, 4], stranger)).toMatch(/^NotPublisher/);
    expect(await refused([6, seen, 9])).toBe('not refused');
  });

  it('given a subscriber that leaves while it is called, when a point is delivered, then all others have it, now and later', async () => {
    const leaver = await aSubscriber('Leaver');
    const [one, other] = [await aSubscriber('Keeper'), await aSubscriber('Keeper')];
    await deliver(1n, 1);
    await deliver(2n, 2);
    expect(await leaver.read('last')).toMatchObject({ sequence: 1n });
    for (const stayed of [one, other]) expect(await stayed.read('last')).toMatchObject({ sequence: 2n });
    expect(await points.read('subscribers')).toHaveLength(2);
  });

  it('given a publisher that is a subscriber, when it delivers again while it is called, then the order of points stays', async () => {
    const loop = await aSubscriber('Looper', 900_000);
    const keeper = await aSubscriber('Keeper');
    await points.send('setPublisher', [loop.address, true]);
    const [failed] = await deliver(1n, 1);
    expect(failed).toMatch(/^DeliveryFailed\(1, .*, 0x[0-9a-f]{8}\)$/);
    expect(await keeper.read('last')).toMatchObject({ sequence: 1n });
    expect(await deliver(2n, 2)).toHaveLength(1);
  });

  it('given a stranger, when he does what the owner does, then he is refused', async () => {
    const keeper = await aSubscriber('Keeper');
    for (const [name, args] of [
      ['subscribe', [keeper.address, 1]],
      ['unsubscribe', [keeper.address]],
      ['setPublisher', [stranger, true]],
      ['transferOwnership', [stranger]],
      ['acceptOwnership', []],
    ] as const) {
      expect(await points.refusal(name, args, { from: stranger })).toMatch(/^NotOwner/);
    }
    expect(await points.refusal('subscribe', [stranger, 1])).toMatch(/^InvalidSubscriber/);
    expect(await points.refusal('subscribe', [keeper.address, 0])).toMatch(/^InvalidSubscriber/);
    await points.send('transferOwnership', [stranger]);
    await points.send('acceptOwnership', [], { from: stranger });
    await points.send('unsubscribe', [keeper.address], { from: stranger });
    expect(await points.read('subscribers')).toEqual([]);
  });
});
