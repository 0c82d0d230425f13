import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import type { Store } from '#platform';
import { eventually } from '../../test/builders/eventually.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { DevChain, devAccounts } from '../evm/testing/dev-chain.js';
import { ChangeFeed, aChange } from './testing/change-feed.js';
import { Receiver } from './testing/receiver.js';
import { otherToken, startStreamProcess, type StageOptions, type StreamProcess } from './testing/stream-stage.js';
import type { StreamEvent } from './stream.js';

let chain: DevChain;
let store: Store;
let receiver: Receiver;
let processes: StreamProcess[];

beforeAll(async () => {
  [chain, store] = await Promise.all([DevChain.start(), openTestStore()]);
  await chain.deploy('DemoToken');
}, 60_000);

afterAll(async () => {
  await chain.stop();
  await store.close();
});

beforeEach(async () => {
  processes = [];
  receiver = await Receiver.start();
});

afterEach(async () => {
  await Promise.all(processes.map((one) => one.stop()));
  await receiver.stop();
  await store.db.deleteFrom('stream').execute();
});

async function aProcess(options: Partial<StageOptions> = {}): Promise<StreamProcess> {
  const started = await startStreamProcess({ store, chain, ...options });
  processes.push(started);
  return started;
}

async function stopped(one: StreamProcess): Promise<void> {
  processes = processes.filter((other) => other !== one);
  await one.stop();
}

function aStream(changes: Readonly<Record<string, unknown>> = {}) {
  return {
    name: 'transfers',
    contracts: ['token'],
    events: [{ event: 'Transfer' }],
    batch: { size: 50, timeout: '20ms' },
    retry: { delay: '20ms', maxDelay: '100ms' },
    target: { type: 'webhook', url: receiver.url },
    ...changes,
  };
}

const valuesOf = (events: readonly StreamEvent[]) =>
  events.map(({ data }) => Number((data['args'] as { value: string }).value));

async function approve(token: string, amount: number): Promise<void> {
  const spender = devAccounts[1].address.slice(2).padStart(64, '0');
  await chain.send({ to: token, data: `0x095ea7b3${spender}${amount.toString(16).padStart(64, '0')}` });
}

async function transferOf(token: string, amount: number, to: string = devAccounts[1].address): Promise<void> {
  const data = `0xa9059cbb${to.slice(2).padStart(64, '0')}${amount.toString(16).padStart(64, '0')}`;
  await chain.send({ to: token, data });
}

describe('what a stream delivers', () => {
  it('given two contracts and several events, when they happen, then one stream has them all in the order of the chain', async () => {
    const { service } = await aProcess();
    await service.create(
      aStream({
        contracts: ['token', otherToken],
        events: [{ event: 'Transfer' }, { event: 'Approval' }],
        details: { call: true, signer: true },
      }),
      'test',
    );

    await transferOf(chain.token, 1);
    await approve(otherToken, 2);
    await transferOf(otherToken, 3);
    await approve(chain.token, 4);
    await eventually(() => receiver.events.length === 4);

    const names = receiver.events.map(
      ({ data }) => `${String(data['name'])} ${(data['contract'] as { name: string }).name}`,
    );
    expect(names).toEqual(['Transfer token', 'Approval other', 'Transfer other', 'Approval token']);
    expect(valuesOf(receiver.events)).toEqual([1, 2, 3, 4]);
    expect(receiver.events[1]).toMatchObject({
      specversion: '1.0',
      source: '/networks/local',
      type: 'evm.contractEvent',
      subject: otherToken,
      data: {
        transaction: {
          from: devAccounts[0].address,
          call: { to: otherToken, function: 'approve(address,uint256)', args: { value: '2' } },
        },
      },
    });
  });

  it('given an indexed argument and a condition, when events happen, then only those that fit both are delivered', async () => {
    const { service } = await aProcess();
    await service.create(
      aStream({
        events: [{ event: 'Transfer', args: { to: [devAccounts[1].address] } }],
        where: { 'event.args.value': { gte: 100 } },
      }),
      'test',
    );

    await transferOf(chain.token, 150, '0x00000000000000000000000000000000000000aa');
    await transferOf(chain.token, 50);
    await transferOf(chain.token, 100);
    await transferOf(chain.token, 200);
    await eventually(() => receiver.events.length === 2);

    expect(valuesOf(receiver.events)).toEqual([100, 200]);
  });

  it('given an ABI with other arguments indexed, when events happen, then they are delivered as they are on the chain', async () => {
    const { service } = await aProcess();
    await service.create(
      aStream({ contracts: '*', events: [{ event: 'Transfer(address from, address indexed to, uint256 value)' }] }),
      'test',
    );

    await transferOf(chain.token, 5);
    const [event] = await eventually(() => (receiver.events.length > 0 ? receiver.events : undefined));

    expect(event?.data).toMatchObject({
      name: 'Transfer',
      args: {},
      decodeError: '2 arguments are indexed, the ABI has 1',
      raw: { topics: expect.arrayContaining([expect.stringMatching(/^0x/)]) },
    });
  });

  it('given a signing secret and headers, when a batch comes, then it is signed and the secrets are shown to nobody', async () => {
    const { service } = await aProcess();
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const target = { type: 'webhook', url: receiver.url, secret, headers: { 'x-token': 'very-secret' } };
    const view = await service.create(aStream({ target }), 'test');

    await transferOf(chain.token, 6);
    const [got] = await eventually(() => (receiver.accepted.length > 0 ? receiver.accepted : undefined));

    expect(() => new Webhook(secret).verify(got!.body, got!.headers as Record<string, string>)).not.toThrow();
    expect(got!.headers['x-token']).toBe('very-secret');
    expect(got!.headers['content-type']).toBe('application/cloudevents-batch+json');
    expect(JSON.stringify([view, await service.list()])).not.toMatch(/very-secret|whsec_/);
    const { rows } = await store.pool.query<{ text: string }>('select definition::text as text from stream');
    expect(rows[0]?.text).not.toMatch(/very-secret|whsec_/);
  });

  it('given the transactions of the hub as source, when they change, then the changes are delivered in their order', async () => {
    const feed = new ChangeFeed(
      Array.from({ length: 7 }, (_, index) =>
        aChange(index, { id: `change-${index}`, status: index % 2 === 0 ? 'mined' : 'broadcast' }),
      ),
    );
    const { service } = await aProcess({ feed });
    await service.create(
      {
        name: 'sent',
        source: 'transactions',
        from: 'earliest',
        where: { 'event.status': { in: ['mined', 'failed'] } },
        batch: { size: 2, timeout: '20ms' },
        target: { type: 'webhook', url: receiver.url },
      },
      'test',
    );

    await eventually(() => receiver.events.length === 4);

    expect(receiver.events.map(({ id }) => id)).toEqual(['change-0', 'change-2', 'change-4', 'change-6']);
    expect(receiver.accepted.map(({ events }) => events.length)).toEqual([2, 2]);
  });
});

describe('a place to the event', () => {
  it('given a block of 120 events, when the process ends after the first batch and another begins, then each comes once', async () => {
    const first = await aProcess();
    await first.service.create(aStream(), 'test');
    receiver.answer = (count) => (count === 1 ? 200 : undefined);
    await chain.transferMany(120);
    await eventually(() => receiver.received.length === 2);
    await stopped(first);

    receiver.answer = () => 200;
    const second = await aProcess();
    await eventually(() => receiver.events.length >= 120);
    await transferOf(chain.token, 7);
    await eventually(() => receiver.events.length >= 121);

    const ids = receiver.events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(121);
    expect(ids).toHaveLength(121);
    const [position] = (await second.service.get('transfers')).positions;
    expect(position).toMatchObject({ events: 121, failures: 0, lag: { blocks: 0 } });
    expect(position?.batchNumber).toBe(receiver.accepted.length);
  });

  it('given old blocks, when the process ends in the middle of one, then each event comes once and nothing else is kept', async () => {
    const from = (await chain.head()) + 1;
    await chain.transferMany(120);
    await chain.mine(40);
    receiver.answer = (count) => (count <= 2 ? 200 : undefined);
    const first = await aProcess();
    await first.service.create(aStream({ from }), 'test');
    await eventually(() => receiver.received.length === 3);
    await stopped(first);

    receiver.answer = () => 200;
    await aProcess();
    await eventually(() => receiver.events.length >= 120);

    expect(new Set(receiver.events.map(({ id }) => id)).size).toBe(120);
    expect(receiver.events).toHaveLength(120);
    const { rows } = await store.pool.query('select from stream_delivered');
    expect(rows).toHaveLength(0);
  });

  it('given two processes, when events happen and the one that serves the stream ends, then the other goes on and each comes once', async () => {
    const [one, other] = [await aProcess(), await aProcess()];
    await one.service.create(aStream({ batch: { size: 5, timeout: '5ms' } }), 'test');
    await chain.transferMany(60);
    await eventually(() => receiver.events.length >= 20);
    const serving = [one, other].filter(({ pumps }) => pumps.status().length > 0);
    expect(serving).toHaveLength(1);

    await stopped(serving[0]!);
    await chain.transferMany(60);
    await eventually(() => receiver.events.length >= 120);

    expect(new Set(receiver.events.map(({ id }) => id)).size).toBe(120);
    expect(receiver.events).toHaveLength(120);
  });
});

describe('a consumer that does not accept', () => {
  it('given refusals, when it accepts at last, then every attempt had the same id and body, and nothing overtook', async () => {
    const { service } = await aProcess();
    receiver.answer = (count) => (count <= 3 ? 503 : 200);
    await service.create(aStream(), 'test');

    await transferOf(chain.token, 8);
    await eventually(() => receiver.received.length >= 2);
    await transferOf(chain.token, 9);
    await eventually(() => receiver.events.length === 2);

    const attempts = receiver.received.slice(0, 4);
    expect(new Set(attempts.map(({ id }) => id)).size).toBe(1);
    expect(new Set(attempts.map(({ body }) => body)).size).toBe(1);
    expect(valuesOf(receiver.events)).toEqual([8, 9]);
  });

  it('given a consumer that is down, when it comes back, then all that happened meanwhile arrives in order', async () => {
    const { service } = await aProcess();
    await service.create(aStream({ batch: { size: 10, timeout: '10ms' } }), 'test');
    const { port } = receiver;
    await receiver.stop();
    for (let amount = 1; amount <= 25; amount++) await transferOf(chain.token, amount);
    await eventually(async () => ((await service.get('transfers')).positions[0]?.failures ?? 0) >= 12);

    receiver = await Receiver.start(port);
    await eventually(() => receiver.events.length >= 25);

    expect(valuesOf(receiver.events)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    const [position] = (await service.get('transfers')).positions;
    expect(position).toMatchObject({ failures: 0, error: null });
  });

  it('given dead letters, when a batch was tried for long enough, then it is put aside, can be delivered by hand, and the stream goes on', async () => {
    const { service } = await aProcess();
    receiver.answer = () => 400;
    await service.create(
      aStream({ retry: { delay: '20ms', maxDelay: '40ms', for: '150ms', onFailure: 'dead-letter' } }),
      'test',
    );
    await transferOf(chain.token, 10);
    const [letter] = await eventually(async () => {
      const letters = await service.deadLetters('transfers', 10);
      return letters.length > 0 ? letters : undefined;
    });
    receiver.answer = () => 200;
    await transferOf(chain.token, 11);
    await eventually(() => receiver.events.length === 1);
    expect(valuesOf(receiver.events)).toEqual([11]);

    await service.retryDeadLetter('transfers', letter!.id);

    expect(valuesOf(receiver.events)).toEqual([11, 10]);
    expect(receiver.received.at(-1)?.id).toBe(receiver.received[0]?.id);
    expect(await service.deadLetters('transfers', 10)).toEqual([]);
  });

  it('given a batch that is blocked, when somebody looks, then the stream says why and keeps trying', async () => {
    const { service } = await aProcess();
    receiver.answer = () => 400;
    await service.create(aStream({ retry: { delay: '10ms', maxDelay: '40ms', for: '50ms' } }), 'test');
    await transferOf(chain.token, 12);

    const error = await eventually(async () => {
      const [position] = (await service.get('transfers')).positions;
      const found = position?.error as { isBlocked?: boolean; code?: string } | null;
      return found?.isBlocked === true ? found : undefined;
    });
    expect(error.code).toBe('stream.refused');
    receiver.answer = () => 200;

    await eventually(() => receiver.events.length === 1);
  });

  it('given the answer 410, when a batch comes, then the stream is suspended with the reason', async () => {
    const { service } = await aProcess();
    receiver.answer = () => 410;
    await service.create(aStream(), 'test');
    await transferOf(chain.token, 13);

    const view = await eventually(async () => {
      const found = await service.get('transfers');
      return found.state === 'suspended' ? found : undefined;
    });

    expect(view.reason).toContain('answered 410');
  });
});

describe('suspend, resume, reset', () => {
  it('given a suspended stream, when events happen and it is resumed, then they arrive; when it is reset, they arrive again', async () => {
    const { service, pumps } = await aProcess();
    await service.create(aStream(), 'test');
    await transferOf(chain.token, 14);
    await eventually(() => receiver.events.length === 1);
    const block = Number((receiver.events[0]?.data['block'] as { number: number }).number);

    await service.suspend('transfers', 'maintenance');
    await eventually(() => pumps.status().length === 0);
    await transferOf(chain.token, 15);
    expect(receiver.events).toHaveLength(1);
    await service.resume('transfers');
    await eventually(() => receiver.events.length === 2);

    await service.reset('transfers', block);
    await eventually(() => receiver.events.length >= 4);

    expect(valuesOf(receiver.events)).toEqual([14, 15, 14, 15]);
    const ids = receiver.events.map(({ id }) => id);
    expect(ids.slice(2)).toEqual(ids.slice(0, 2));
  });

  it('given a stream, when its events are changed without reset, then it is refused; its target may change, and it goes on', async () => {
    const { service } = await aProcess();
    await service.create(aStream(), 'test');
    await transferOf(chain.token, 16);
    await eventually(() => receiver.events.length === 1);

    await expect(service.change('transfers', { events: [{ event: 'Approval' }] })).rejects.toMatchObject({
      code: 'request.conflict',
    });
    await service.change('transfers', { target: { type: 'webhook', url: `${receiver.url}/moved` } });
    await transferOf(chain.token, 17);
    await eventually(() => receiver.events.length === 2);

    expect(valuesOf(receiver.events)).toEqual([16, 17]);
  });
});

describe('a reorganisation', () => {
  it('given ten blocks that are replaced, when some of their events are mined again, then these do not come twice and the others are taken back', async () => {
    const { service } = await aProcess();
    await service.create(aStream(), 'test');
    const first = (await chain.head()) + 1;
    for (let amount = 101; amount <= 110; amount++) await transferOf(chain.token, amount);
    await eventually(() => receiver.events.length === 10);
    const before = receiver.events.slice();

    const again = await Promise.all([first, first + 1, first + 2].map((number) => rawTransaction(number)));
    await chain.call('anvil_reorg', [10, again.map((raw, index) => [raw, index])]);
    await transferOf(chain.token, 111);
    await eventually(() => receiver.events.length >= 11);
    expect(valuesOf(receiver.events.slice(10))).toEqual([111]);
    await chain.mine(15);
    await eventually(() => receiver.events.length >= 18);

    const reverted = receiver.events.slice(11);
    expect(reverted.map(({ type }) => type)).toEqual(Array.from({ length: 7 }, () => 'evm.contractEvent.reverted'));
    expect(valuesOf(reverted)).toEqual([110, 109, 108, 107, 106, 105, 104]);
    expect(reverted.map(({ data }) => data['reverted'])).toEqual(
      before
        .slice(3)
        .map(({ id }) => id)
        .reverse(),
    );
    expect(new Set(receiver.events.map(({ id }) => id)).size).toBe(18);
    await chain.mine(15);
    await eventually(async () => (await store.pool.query('select from stream_delivered')).rowCount === 0);
    expect(receiver.events).toHaveLength(18);
  });

  it('given a reorganisation while the process is away in the middle of a block, when it is back, then nothing is lost or doubled', async () => {
    const first = await aProcess();
    await first.service.create(aStream(), 'test');
    receiver.answer = (count) => (count <= 1 ? 200 : undefined);
    await chain.transferMany(70, 5n);
    await eventually(() => receiver.received.length === 2);
    await stopped(first);

    await chain.call('anvil_reorg', [1, []]);
    receiver.answer = () => 200;
    await aProcess();
    await transferOf(chain.token, 201);
    await eventually(() => receiver.events.length >= 51);
    await chain.mine(16);
    await eventually(() => receiver.events.length >= 101);

    expect(valuesOf(receiver.events.slice(50, 51))).toEqual([201]);
    expect(receiver.events.filter(({ type }) => type.endsWith('.reverted'))).toHaveLength(50);
    expect(new Set(receiver.events.map(({ id }) => id)).size).toBe(101);
  });
});

async function rawTransaction(block: number): Promise<string> {
  const { transactions } = await chain.call<{ transactions: string[] }>('eth_getBlockByNumber', [
    `0x${block.toString(16)}`,
    false,
  ]);
  return chain.call('eth_getRawTransactionByHash', [transactions[0]]);
}
