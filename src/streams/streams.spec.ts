import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { eventually } from '../../test/builders/eventually.js';
import { devAccounts } from '../evm/testing/dev-chain.js';
import { ChangeFeed, aChange } from './testing/change-feed.js';
import { DeliveryStage, valuesOf } from './testing/delivery-stage.js';
import { Receiver } from './testing/receiver.js';
import { otherToken } from './testing/stream-stage.js';

let stage: DeliveryStage;

beforeAll(async () => {
  stage = await DeliveryStage.start();
});

afterEach(() => stage.clear());

afterAll(() => stage.close());

describe('what a stream delivers', () => {
  it('given two contracts and several events, when they happen, then one stream has them all in the order of the chain', async () => {
    const { service } = await stage.aProcess();
    await service.create(
      stage.aStream({
        contracts: ['token', otherToken],
        events: [{ event: 'Transfer' }, { event: 'Approval' }],
        details: { call: true, signer: true },
      }),
      'test',
    );

    await stage.transferOf(stage.chain.token, 1);
    await stage.approve(otherToken, 2);
    await stage.transferOf(otherToken, 3);
    await stage.approve(stage.chain.token, 4);
    await eventually(() => stage.receiver.events.length === 4);

    const names = stage.receiver.events.map(
      ({ data }) => `${String(data['name'])} ${(data['contract'] as { name: string }).name}`,
    );
    expect(names).toEqual(['Transfer token', 'Approval other', 'Transfer other', 'Approval token']);
    expect(valuesOf(stage.receiver.events)).toEqual([1, 2, 3, 4]);
    expect(stage.receiver.events[1]).toMatchObject({
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
    const { service } = await stage.aProcess();
    await service.create(
      stage.aStream({
        events: [{ event: 'Transfer', args: { to: [devAccounts[1].address] } }],
        where: { 'event.args.value': { gte: 100 } },
      }),
      'test',
    );

    await stage.transferOf(stage.chain.token, 150, '0x00000000000000000000000000000000000000aa');
    await stage.transferOf(stage.chain.token, 50);
    await stage.transferOf(stage.chain.token, 100);
    await stage.transferOf(stage.chain.token, 200);
    await eventually(() => stage.receiver.events.length === 2);

    expect(valuesOf(stage.receiver.events)).toEqual([100, 200]);
  });

  it('given an ABI with other arguments indexed, when events happen, then they are delivered as they are on the chain', async () => {
    const { service } = await stage.aProcess();
    await service.create(
      stage.aStream({
        contracts: '*',
        events: [{ event: 'Transfer(address from, address indexed to, uint256 value)' }],
      }),
      'test',
    );

    await stage.transferOf(stage.chain.token, 5);
    const [event] = await eventually(() => (stage.receiver.events.length > 0 ? stage.receiver.events : undefined));

    expect(event?.data).toMatchObject({
      name: 'Transfer',
      args: {},
      decodeError: '2 arguments are indexed, the ABI has 1',
      raw: { topics: expect.arrayContaining([expect.stringMatching(/^0x/)]) },
    });
  });

  it('given a signing secret and headers, when a batch comes, then it is signed and the secrets are shown to nobody', async () => {
    const { service } = await stage.aProcess();
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const target = { type: 'webhook', url: stage.receiver.url, secret, headers: { 'x-token': 'very-secret' } };
    const view = await service.create(stage.aStream({ target }), 'test');

    await stage.transferOf(stage.chain.token, 6);
    const [got] = await eventually(() => (stage.receiver.accepted.length > 0 ? stage.receiver.accepted : undefined));

    expect(() => new Webhook(secret).verify(got!.body, got!.headers as Record<string, string>)).not.toThrow();
    expect(got!.headers['x-token']).toBe('very-secret');
    expect(got!.headers['content-type']).toBe('application/cloudevents-batch+json');
    expect(JSON.stringify([view, await service.list()])).not.toMatch(/very-secret|whsec_/);
    const { rows } = await stage.store.pool.query<{ text: string }>('select definition::text as text from stream');
    expect(rows[0]?.text).not.toMatch(/very-secret|whsec_/);
  });

  it('given the transactions of the hub as source, when they change, then the changes are delivered in their order', async () => {
    const feed = new ChangeFeed(
      Array.from({ length: 7 }, (_, index) =>
        aChange(index, { id: `change-${index}`, status: index % 2 === 0 ? 'mined' : 'broadcast' }),
      ),
    );
    const { service } = await stage.aProcess({ feed });
    const wanted = {
      name: 'sent',
      source: 'transactions',
      from: 'earliest',
      where: { 'event.status': { in: ['mined', 'failed'] } },
      batch: { size: 2, timeout: '20ms' },
      target: { type: 'webhook', url: stage.receiver.url },
    };
    await expect(service.create({ ...wanted, where: { 'event.statu': 'mined' } }, 'test')).rejects.toMatchObject({
      faults: [{ pointer: '#/where/event.statu', fix: 'Did you mean status?' }],
    });
    await service.create(wanted, 'test');

    await eventually(() => stage.receiver.events.length === 4);
    expect(stage.receiver.events[0]).toMatchObject({ data: { network: 'local' } });

    expect(stage.receiver.events.map(({ id }) => id)).toEqual(['change-0', 'change-2', 'change-4', 'change-6']);
    expect(stage.receiver.accepted.map(({ events }) => events.length)).toEqual([2, 2]);
  });
});

describe('a place to the event', () => {
  it('given a block of 120 events, when the process ends after the first batch and another begins, then each comes once', async () => {
    const first = await stage.aProcess();
    await first.service.create(stage.aStream(), 'test');
    stage.receiver.answer = (count) => (count === 1 ? 200 : undefined);
    await stage.chain.transferMany(120);
    await eventually(() => stage.receiver.received.length === 2);
    await stage.stop(first);

    stage.receiver.answer = () => 200;
    const second = await stage.aProcess();
    await eventually(() => stage.receiver.events.length >= 120);
    await stage.transferOf(stage.chain.token, 7);
    await eventually(() => stage.receiver.events.length >= 121);

    const ids = stage.receiver.events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(121);
    expect(ids).toHaveLength(121);
    // The place is kept after the receiver has answered.
    const position = await eventually(async () => {
      const [found] = (await second.service.get('transfers')).positions;
      return found?.events === 121 && found.lag?.blocks === 0 && found;
    });
    expect(position.failures).toBe(0);
    expect(position.batchNumber).toBe(stage.receiver.accepted.length);
  });

  it('given old blocks, when the process ends in the middle of one, then each event comes once and nothing else is kept', async () => {
    const from = (await stage.chain.head()) + 1;
    await stage.chain.transferMany(120);
    await stage.chain.mine(40);
    stage.receiver.answer = (count) => (count <= 2 ? 200 : undefined);
    const first = await stage.aProcess();
    await first.service.create(stage.aStream({ from }), 'test');
    await eventually(() => stage.receiver.received.length === 3);
    await stage.stop(first);

    stage.receiver.answer = () => 200;
    await stage.aProcess();
    await eventually(() => stage.receiver.events.length >= 120);

    expect(new Set(stage.receiver.events.map(({ id }) => id)).size).toBe(120);
    expect(stage.receiver.events).toHaveLength(120);
    const { rows } = await stage.store.pool.query('select from stream_delivered');
    expect(rows).toHaveLength(0);
  });

  it('given two processes, when events happen and the one that serves the stream ends, then the other goes on and at most one batch comes twice', async () => {
    const [one, other] = [await stage.aProcess(), await stage.aProcess()];
    await one.service.create(stage.aStream({ batch: { size: 5, timeout: '5ms' } }), 'test');
    await stage.chain.transferMany(60);
    await eventually(() => stage.receiver.events.length >= 20);
    const serving = [one, other].filter(({ pumps }) => pumps.status().length > 0);
    expect(serving).toHaveLength(1);

    await stage.stop(serving[0]!);
    await stage.chain.transferMany(60);
    await eventually(() => new Set(stage.receiver.events.map(({ id }) => id)).size === 120);

    // One batch may have come without its answer being heard.
    expect(stage.receiver.events.length).toBeLessThanOrEqual(125);
  });
});

describe('a consumer that does not accept', () => {
  it('given refusals, when it accepts at last, then every attempt had the same id and body, and nothing overtook', async () => {
    const { service } = await stage.aProcess();
    stage.receiver.answer = (count) => (count <= 3 ? 503 : 200);
    await service.create(stage.aStream(), 'test');

    await stage.transferOf(stage.chain.token, 8);
    await eventually(() => stage.receiver.received.length >= 2);
    await stage.transferOf(stage.chain.token, 9);
    await eventually(() => stage.receiver.events.length === 2);

    const attempts = stage.receiver.received.slice(0, 4);
    expect(new Set(attempts.map(({ id }) => id)).size).toBe(1);
    expect(new Set(attempts.map(({ body }) => body)).size).toBe(1);
    expect(valuesOf(stage.receiver.events)).toEqual([8, 9]);
  });

  it('given a consumer that is down, when it comes back, then all that happened meanwhile arrives in order', async () => {
    const { service } = await stage.aProcess();
    await service.create(stage.aStream({ batch: { size: 10, timeout: '10ms' } }), 'test');
    const { port } = stage.receiver;
    await stage.receiver.stop();
    for (let amount = 1; amount <= 25; amount++) await stage.transferOf(stage.chain.token, amount);
    await eventually(async () => ((await service.get('transfers')).positions[0]?.failures ?? 0) >= 12);

    stage.receiver = await Receiver.start(port);
    await eventually(() => stage.receiver.events.length >= 25);

    expect(valuesOf(stage.receiver.events)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    const [position] = (await service.get('transfers')).positions;
    expect(position).toMatchObject({ failures: 0, error: null });
  });

  it('given dead letters, when a batch was tried for long enough, then it is put aside, can be delivered by hand, and the stream goes on', async () => {
    const { service } = await stage.aProcess();
    stage.receiver.answer = () => 400;
    await service.create(
      stage.aStream({ retry: { delay: '20ms', maxDelay: '40ms', for: '150ms', onFailure: 'dead-letter' } }),
      'test',
    );
    await stage.transferOf(stage.chain.token, 10);
    const [letter] = await eventually(async () => {
      const letters = await service.deadLetters('transfers', 10);
      return letters.length > 0 ? letters : undefined;
    });
    stage.receiver.answer = () => 200;
    await stage.transferOf(stage.chain.token, 11);
    await eventually(() => stage.receiver.events.length === 1);
    expect(valuesOf(stage.receiver.events)).toEqual([11]);

    await service.retryDeadLetter('transfers', letter!.id);

    expect(valuesOf(stage.receiver.events)).toEqual([11, 10]);
    expect(stage.receiver.received.at(-1)?.id).toBe(stage.receiver.received[0]?.id);
    expect(await service.deadLetters('transfers', 10)).toEqual([]);
  });

  it('given a batch that is blocked, when somebody looks, then the stream says why and keeps trying', async () => {
    const { service } = await stage.aProcess();
    stage.receiver.answer = () => 400;
    await service.create(stage.aStream({ retry: { delay: '10ms', maxDelay: '40ms', for: '50ms' } }), 'test');
    await stage.transferOf(stage.chain.token, 12);

    const error = await eventually(async () => {
      const [position] = (await service.get('transfers')).positions;
      const found = position?.error as { isBlocked?: boolean; code?: string } | null;
      return found?.isBlocked === true ? found : undefined;
    });
    expect(error.code).toBe('stream.refused');
    stage.receiver.answer = () => 200;

    await eventually(() => stage.receiver.events.length === 1);
  });

  it('given the answer 410, when a batch comes, then the stream is suspended with the reason', async () => {
    const { service } = await stage.aProcess();
    stage.receiver.answer = () => 410;
    await service.create(stage.aStream(), 'test');
    await stage.transferOf(stage.chain.token, 13);

    const view = await eventually(async () => {
      const found = await service.get('transfers');
      return found.state === 'suspended' ? found : undefined;
    });

    expect(view.reason).toContain('answered 410');
  });
});

describe('suspend, resume, reset', () => {
  it('given a suspended stream, when events happen and it is resumed, then they arrive; when it is reset, they arrive again', async () => {
    const { service, pumps } = await stage.aProcess();
    await service.create(stage.aStream(), 'test');
    await stage.transferOf(stage.chain.token, 14);
    await eventually(() => stage.receiver.events.length === 1);
    const block = Number((stage.receiver.events[0]?.data['block'] as { number: number }).number);

    await service.suspend('transfers', 'maintenance');
    await eventually(() => pumps.status().length === 0);
    await stage.transferOf(stage.chain.token, 15);
    expect(stage.receiver.events).toHaveLength(1);
    await service.resume('transfers');
    await eventually(() => stage.receiver.events.length === 2);

    await service.reset('transfers', block);
    await eventually(() => stage.receiver.events.length >= 4);

    expect(valuesOf(stage.receiver.events)).toEqual([14, 15, 14, 15]);
    const ids = stage.receiver.events.map(({ id }) => id);
    expect(ids.slice(2)).toEqual(ids.slice(0, 2));
  });

  it('given a stream, when its events are changed without reset, then it is refused; its target may change, and it goes on', async () => {
    const { service } = await stage.aProcess();
    await service.create(stage.aStream(), 'test');
    await stage.transferOf(stage.chain.token, 16);
    await eventually(() => stage.receiver.events.length === 1);

    await expect(service.change('transfers', { events: [{ event: 'Approval' }] })).rejects.toMatchObject({
      code: 'request.conflict',
    });
    await service.change('transfers', { target: { type: 'webhook', url: `${stage.receiver.url}/moved` } });
    await stage.transferOf(stage.chain.token, 17);
    await eventually(() => stage.receiver.events.length === 2);

    expect(valuesOf(stage.receiver.events)).toEqual([16, 17]);
  });

  it('given a stream, when a part of it is changed, then the rest of that part stays, and null takes a field away', async () => {
    const { service } = await stage.aProcess();
    const target = { type: 'webhook', url: stage.receiver.url, headers: { 'x-one': 'one', 'x-two': 'two' } };
    await service.create(stage.aStream({ batch: { size: 7, timeout: '30ms' }, labels: { a: '1' }, target }), 'test');

    const { definition } = await service.change('transfers', {
      batch: { size: 5 },
      labels: { a: null, b: '2' },
      target: { headers: { 'x-one': null } },
    });
    const elsewhere = await service.change('transfers', { target: { type: 'websocket' } });

    expect(definition).toMatchObject({ batch: { size: 5, timeout: '30ms' }, labels: { b: '2' } });
    expect(definition['labels']).toEqual({ b: '2' });
    expect(definition['target']).toEqual({ ...target, headers: { 'x-two': '***' } });
    expect(elsewhere.definition['target']).toEqual({ type: 'websocket' });
  });

  it.each([
    ['an argument that no event has', { 'event.args.valeu': { gte: 1 } }, 'event.args.valeu', 'Did you mean value?'],
    ['a field below a single value', { 'event.args.value.wei': 1 }, 'event.args.value.wei', /single value/],
    ['something else than the event', { 'args.value': 1 }, 'args.value', /event.args.value/],
  ])('given a condition on %s, when the stream is created, then it is refused', async (_, where, path, fix) => {
    const { service } = await stage.aProcess();

    await expect(service.create(stage.aStream({ where }), 'test')).rejects.toMatchObject({
      code: 'stream.invalid',
      faults: [{ pointer: `#/where/${path}`, fix: fix instanceof RegExp ? expect.stringMatching(fix) : fix }],
    });
  });
});
