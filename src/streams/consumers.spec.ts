import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../test/builders/eventually.js';
import { overSocketIo, overWebSocket, type ConsumerClient } from './testing/consumer-clients.js';
import { ConsumerStage, type ConsumerHub } from './testing/consumer-stage.js';

let stage: ConsumerStage;
let hub: ConsumerHub;
let clients: ConsumerClient[];

beforeAll(async () => {
  stage = await ConsumerStage.start();
});

afterAll(() => stage.close());

beforeEach(async () => {
  clients = [];
  hub = await stage.startHub();
});

afterEach(async () => {
  for (const client of clients) client.close();
  await stage.clear();
});

/** Which streams somebody is being served. */
async function heldLeases(): Promise<string[]> {
  const { rows } = await stage.store.pool.query<{ name: string }>(
    "select name from lease where name like 'stream %' and holder is not null",
  );
  return rows.map(({ name }) => name);
}

describe.each([
  ['WebSocket', overWebSocket],
  ['socket.io', overSocketIo],
])('consuming a stream over %s', (_transport, connect) => {
  async function aClient(): Promise<ConsumerClient> {
    const client = await connect(hub.url, stage.key);
    clients.push(client);
    return client;
  }

  const heardOf = (client: ConsumerClient, type: string) => client.heard.filter((message) => message.type === type);
  const batchesOf = (client: ConsumerClient) => heardOf(client, 'batch').map(({ batch }) => batch);
  const nthBatch = (client: ConsumerClient, count: number) =>
    eventually(() => heardOf(client, 'batch')[count - 1], { what: `batch ${count}` });
  const nthError = (client: ConsumerClient, count: number) =>
    eventually(() => heardOf(client, 'error')[count - 1], { what: `error ${count}` });

  it('given events, when each batch is acknowledged, then the next comes with the next number', async () => {
    await stage.createStream('orders', 5);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });

    for (const count of [1, 2, 3]) {
      const { batch } = await nthBatch(client, count);
      client.say('ack', { stream: 'orders', batch });
    }

    await eventually(async () => (await stage.placeOf('orders'))?.events === 5);
    expect(batchesOf(client)).toEqual([1, 2, 3]);
    const ids = heardOf(client, 'batch').flatMap(({ events = [] }) => events.map(({ id }) => id));
    expect(ids).toEqual(['change-1', 'change-2', 'change-3', 'change-4', 'change-5']);
    expect(heardOf(client, 'listening')).toMatchObject([{ stream: 'orders' }]);
  });

  it('given a batch in flight, when another number is acknowledged, then that is refused and nothing moves', async () => {
    await stage.createStream('orders', 4);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    await nthBatch(client, 1);

    client.say('ack', { stream: 'orders', batch: 2 });
    client.say('ack', { stream: 'orders', batch: 0 });
    expect(await nthError(client, 2)).toMatchObject({ code: 'request.conflict' });
    expect(await stage.placeOf('orders')).toMatchObject({ events: 0, batchNumber: 0 });

    client.say('ack', { stream: 'orders', batch: 1 });
    client.say('ack', { stream: 'orders', batch: 1 });
    expect(await nthBatch(client, 2)).toMatchObject({ batch: 2 });
    await nthError(client, 3);
    expect(await stage.placeOf('orders')).toMatchObject({ events: 2, batchNumber: 1 });
  });

  it('given a batch, when the client answers with an error, then it comes again with the same number and id', async () => {
    await stage.createStream('orders', 2);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    const first = await nthBatch(client, 1);

    client.say('error', { stream: 'orders', batch: 1, message: 'disk full' });

    const second = await nthBatch(client, 2);
    expect(second).toEqual(first);
    expect(await stage.placeOf('orders')).toMatchObject({
      failures: 1,
      error: { code: 'stream.refused', message: 'The consumer refused batch 1: disk full' },
    });
  });

  it('given a client that left before it answered, when it comes back, then the same batch comes again', async () => {
    await stage.createStream('orders', 4);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    client.say('ack', { stream: 'orders', batch: (await nthBatch(client, 1)).batch });
    const unanswered = await nthBatch(client, 2);
    client.close();

    const again = await aClient();
    again.say('listen', { stream: 'orders' });

    expect(await nthBatch(again, 1)).toEqual(unanswered);
    expect(unanswered.batch).toBe(2);
    expect(await stage.placeOf('orders')).toMatchObject({ failures: 0, error: null });
  });

  it('given two clients, when the first leaves, then the second goes on with what was not acknowledged', async () => {
    await stage.createStream('orders', 4);
    const first = await aClient();
    first.say('listen', { stream: 'orders' });
    const unanswered = await nthBatch(first, 1);
    const second = await aClient();
    second.say('listen', { stream: 'orders' });
    await eventually(() => heardOf(second, 'listening').length === 1);
    expect(batchesOf(second)).toEqual([]);

    first.close();

    expect(await nthBatch(second, 1)).toEqual(unanswered);
  });

  it('given a client at another process, when the first one ends, then the other goes on with the same batch', async () => {
    await stage.createStream('orders', 4);
    const first = await aClient();
    first.say('listen', { stream: 'orders' });
    const unanswered = await nthBatch(first, 1);
    const second = await connect((await stage.startHub()).url, stage.key);
    clients.push(second);
    second.say('listen', { stream: 'orders' });
    await eventually(() => heardOf(second, 'listening').length === 1);

    await hub.sessions.stop();

    expect(await nthBatch(second, 1)).toEqual(unanswered);
    second.say('ack', { stream: 'orders', batch: 1 });
    expect(await nthBatch(second, 2)).toMatchObject({ batch: 2 });
  });

  it('given two clients with the same name, when both listen, then only one of them is served at a time', async () => {
    await stage.createStream('orders', 4, { mode: 'broadcast' });
    const [first, second] = [await aClient(), await aClient()];
    first.say('listen', { stream: 'orders', consumer: 'ledger' });
    await nthBatch(first, 1);
    second.say('listen', { stream: 'orders', consumer: 'ledger' });
    await eventually(() => heardOf(second, 'listening').length === 1);
    first.say('ack', { stream: 'orders', batch: 1 });
    await nthBatch(first, 2);
    expect(batchesOf(second)).toEqual([]);

    first.close();

    expect(await nthBatch(second, 1)).toMatchObject({ batch: 2 });
  });

  it('given a stream that is suspended, when it is resumed, then its client goes on where it was', async () => {
    await stage.createStream('orders', 2_000);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    await nthBatch(client, 1);

    await hub.streams.service.suspend('orders');
    let answered = 0;
    await eventually(async () => {
      // One or the other may still come before word of it is round.
      for (const { batch } of heardOf(client, 'batch').slice(answered)) {
        client.say('ack', { stream: 'orders', batch });
        answered += 1;
      }
      return (await heldLeases()).length === 0;
    });
    expect(answered).toBeLessThan(1_000);
    expect(batchesOf(client)).toHaveLength(answered);
    await hub.streams.service.resume('orders');

    expect(await nthBatch(client, answered + 1)).toMatchObject({
      batch: answered + 1,
      events: [{ id: `change-${answered * 2 + 1}` }, { id: `change-${answered * 2 + 2}` }],
    });
  });

  it('given events of a contract, when they happen on the chain, then they arrive as CloudEvents', async () => {
    await hub.streams.service.create(
      {
        name: 'transfers',
        contracts: ['token'],
        events: [{ event: 'Transfer' }],
        batch: { size: 10, timeout: '20ms' },
        target: { type: 'websocket' },
      },
      'test',
    );
    const client = await aClient();
    client.say('listen', { stream: 'transfers' });
    await eventually(() => heardOf(client, 'listening').length === 1);
    await stage.chain.transfer(42n);

    expect(await nthBatch(client, 1)).toMatchObject({
      batch: 1,
      events: [{ specversion: '1.0', type: 'evm.contractEvent', data: { name: 'Transfer', args: { value: '42' } } }],
    });
  });

  it('given mode broadcast, when two consumers listen, then each has a place of its own and keeps it', async () => {
    await stage.createStream('orders', 4, { mode: 'broadcast' });
    const first = await aClient();
    first.say('listen', { stream: 'orders', consumer: 'ledger' });
    first.say('ack', { stream: 'orders', batch: (await nthBatch(first, 1)).batch });
    await nthBatch(first, 2);
    const second = await aClient();
    second.say('listen', { stream: 'orders', consumer: 'mailer' });

    expect(await nthBatch(second, 1)).toMatchObject({ batch: 1, events: [{ id: 'change-1' }, { id: 'change-2' }] });
    first.close();
    const again = await aClient();
    again.say('listen', { stream: 'orders', consumer: 'ledger' });
    expect(await nthBatch(again, 1)).toMatchObject({ batch: 2, events: [{ id: 'change-3' }, { id: 'change-4' }] });
  });

  it('given a client that keeps silent, when the time is over, then the batch comes again, and in the end it is let go', async () => {
    await stage.createStream('orders', 2, { ackTimeout: '60ms' });
    const client = await aClient();
    client.say('listen', { stream: 'orders' });

    await nthBatch(client, 3);

    await eventually(() => !client.isOpen(), { what: 'the end' });
    expect(new Set(batchesOf(client))).toEqual(new Set([1]));
    expect(await stage.placeOf('orders')).toMatchObject({
      events: 0,
      error: { message: 'The consumer of orders did not answer within 60 ms' },
    });
  });

  it.each([
    ['a stream that is not there', { stream: 'other' }, 'stream.notFound'],
    ['a consumer where all share one place', { stream: 'shared', consumer: 'me' }, 'request.invalid'],
    ['no consumer where each has its place', { stream: 'each' }, 'request.invalid'],
    ['a name that is none', { stream: 'each', consumer: 'Not a name' }, 'request.invalid'],
    ['no stream', {}, 'request.invalid'],
  ])(
    'given %s, when a client listens, then it is told what is wrong and stays connected',
    async (_what, body, code) => {
      await stage.createStream('shared', 1);
      await stage.createStream('each', 1, { mode: 'broadcast' });
      const client = await aClient();

      client.say('listen', body);

      expect(await nthError(client, 1)).toMatchObject({ code });
      expect(client.isOpen()).toBe(true);
    },
  );

  it('given a stream that is deleted, when it is gone, then its client is told', async () => {
    await stage.createStream('orders', 1);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    await nthBatch(client, 1);

    await hub.streams.service.delete('orders');
    client.say('ack', { stream: 'orders', batch: 1 });

    const ended = await eventually(() => heardOf(client, 'ended')[0]);
    expect(ended).toMatchObject({ stream: 'orders', code: 'stream.notFound' });
    client.say('ack', { stream: 'orders', batch: 1 });
    expect(await nthError(client, 1)).toMatchObject({ code: 'request.conflict' });
  });

  it('given a client that floods, when more than 20 commands wait, then it is let go', async () => {
    await stage.createStream('orders', 1);
    const client = await aClient();

    for (let count = 0; count < 200; count += 1) client.say('listen', { stream: 'orders' });

    await eventually(() => !client.isOpen(), { what: 'the end' });
  });

  it('given a key that is revoked, when it is looked at again, then its connections end', async () => {
    const { key: short, info } = await stage.keys.create({ name: 'short', scopes: ['streams:consume'] });
    const client = await connect((await stage.startHub({ aliveMs: 200 })).url, short);
    clients.push(client);

    await stage.keys.revoke(info.id);

    await eventually(() => !client.isOpen(), { what: 'the end' });
  });

  it('given a batch in flight, when the hub stops, then the client is sent away and the place is free', async () => {
    await stage.createStream('orders', 2);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    await nthBatch(client, 1);

    await hub.sessions.stop();

    await eventually(() => !client.isOpen(), { what: 'the end' });
    expect(await stage.placeOf('orders')).toMatchObject({ events: 0, failures: 0 });
    expect(await heldLeases()).toEqual([]);
  });
});
