import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpAdapterHost } from '@nestjs/core';
import { AuditLog, createLog, createVault, type Caller } from '#platform';
import { PatchbayError } from '#sdk';
import { ConsumerSessions } from '#streams';
import { OldClient } from '../../test/builders/old-client.js';
import { eventually } from '../../test/builders/eventually.js';
import { overlaid } from '../../test/builders/overlaid.js';
import { ConsumerStage, type ConsumerHub } from '../streams/testing/consumer-stage.js';
import { OldStreams } from './event-streams.js';
import { OldStreamsStore } from './event-streams.store.js';
import { EventsSocket } from './events.socket.js';
import { OldSubscriptions } from './subscriptions.js';

const operator: Caller = { id: 'operator', name: 'operator', scopes: ['admin'] };
const transfer = {
  name: 'Transfer',
  inputs: [
    { name: 'from', type: 'address', indexed: true },
    { name: 'to', type: 'address', indexed: true },
    { name: 'value', type: 'uint256' },
  ],
};

let stage: ConsumerStage;
let hub: ConsumerHub;
let door: EventsSocket;
let client: OldClient;
/** What happens when a key is looked up, before the answer comes. */
let lookUp: () => Promise<void>;
/** The same when it is looked who has the topic of a client. */
let look: () => Promise<void>;
/** How many batches were handed to those who listen. */
/** How often a client and its key are looked at; who does not answer in that time is cut off. */
const usualAliveMs = 30_000;
let aliveMs = usualAliveMs;
let started: number;

beforeAll(async () => {
  stage = await ConsumerStage.start();
});

afterAll(() => stage.close());

beforeEach(async () => {
  hub = await stage.startHub();
  lookUp = look = () => Promise.resolve();
  const keys = overlaid(stage.keys, { authenticate: (key) => lookUp().then(() => stage.keys.authenticate(key)) });
  started = 0;
  const pumps = overlaid(hub.streams.pumps, {
    attach: (name, consumer, target) =>
      hub.streams.pumps.attach(name, consumer, {
        deliver: (...batch) => {
          started += 1;
          return target.deliver(...batch);
        },
      }),
  });
  const log = createLog({ level: 'silent', format: 'json' });
  const sessions = new ConsumerSessions({ streams: pumps, keys, log, times: { authMs: 30_000, aliveMs } });
  const owners = oldStreams();
  const streams = overlaid(owners, { withTopic: (topic) => look().then(() => owners.withTopic(topic)) });
  door = new EventsSocket(hub.app.get(HttpAdapterHost), sessions, streams, pumps);
  door.onApplicationBootstrap();
  client = new OldClient(hub.url, stage.key);
});

afterEach(async () => {
  await door.onModuleDestroy();
  await stage.clear();
  await stage.store.db.deleteFrom('ethconnect_stream').execute();
});

describe('the key of an old client', () => {
  beforeAll(() => void (aliveMs = 2_500));
  afterAll(() => void (aliveMs = usualAliveMs));

  it('given the database is away, when the key is looked at again, then the client stays and its answers are heard', async () => {
    await listenedTo('orders', 2);
    const [socket, heard] = await client.listen();
    socket.send(JSON.stringify({ type: 'listen', topic: 'orders' }));
    await eventually(() => heard.length === 1);
    let refused = 0;
    lookUp = async () => {
      refused += 1;
      throw new PatchbayError('store.unavailable');
    };
    await eventually(() => refused > 1);

    socket.send(JSON.stringify({ type: 'ack', topic: 'orders' }));

    await eventually(() => heard.length === 2);
    expect(heard[1]).toMatchObject([{ signature: 'Transfer(address,address,uint256)', data: { value: '2' } }]);
    socket.close();
  });

  it('given the database is away, when a client comes, then it is told and may come again', async () => {
    lookUp = () => Promise.reject(new PatchbayError('store.unavailable'));
    const [socket, heard] = await client.listen();

    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];

    expect([code, String(reason)]).toEqual([1013, 'store.unavailable']);
    expect(heard).toMatchObject([{ type: 'error', code: 'store.unavailable' }]);
  });
});

describe('an old client that leaves', () => {
  let release: () => void;
  let held: Promise<void>;

  beforeEach(() => {
    held = new Promise((resolve) => (release = resolve));
  });

  /** One that wants to listen, and when the hub has seen it go. */
  async function aHastyClient() {
    const upgraded = once(hub.app.getHttpServer(), 'upgrade') as Promise<[unknown, Socket]>;
    const [socket, heard] = await client.listen();
    const gone = once((await upgraded)[1], 'close');
    socket.send(JSON.stringify({ type: 'listen', topic: 'orders' }));
    return { socket, heard, gone };
  }

  async function expectBatchForTheNext(): Promise<void> {
    const [socket, heard] = await client.listen();
    socket.send(JSON.stringify({ type: 'listen', topic: 'orders' }));
    await eventually(() => heard.length === 1);
    expect(heard[0]).toMatchObject([{ data: { value: '1' } }]);
    socket.close();
  }

  it('given its key is still being looked up, when it wanted to listen, then it keeps nothing from those who stay', async () => {
    await listenedTo('orders', 1);
    lookUp = () => held;
    const { socket, gone } = await aHastyClient();
    socket.close();
    await gone;
    release();

    await expectBatchForTheNext();
  });

  it('given a batch it has not answered, when it goes while its topic is looked up, then the batch is not put aside', async () => {
    await listenedTo('orders', 1);
    const { socket, heard, gone } = await aHastyClient();
    await eventually(() => heard.length === 1);
    let isLooking = false;
    look = () => {
      isLooking = true;
      return held;
    };
    await eventually(() => isLooking);
    look = () => Promise.resolve();
    socket.close();
    await gone;
    release();

    await expectBatchForTheNext();
  });
});

describe('an old client of a broadcast', () => {
  it('given it has said goodbye, when an event comes before it has gone, then that is kept for the next', async () => {
    await listenedTo('news', 1, { distributionMode: 'broadcast' });
    const upgraded = once(hub.app.getHttpServer(), 'upgrade') as Promise<[unknown, Socket]>;
    const [leaving, heard] = await client.listen();
    const saidGoodbye = once((await upgraded)[1], 'finish');
    leaving.send(JSON.stringify({ type: 'listen', topic: 'news' }));
    await eventually(() => heard.length === 1);
    leaving.close();
    leaving.pause();
    await saidGoodbye;
    await stage.chain.receipt(await stage.chain.transfer(2n));
    await eventually(() => started === 2);
    leaving.terminate();

    const [next, heardNext] = await client.listen();
    next.send(JSON.stringify({ type: 'listen', topic: 'news' }));
    await eventually(() => heardNext.length === 1);
    expect(heardNext[0]).toMatchObject([{ data: { value: '2' } }]);
    next.close();
  });
});

function oldStreams(): OldStreams {
  const { db } = stage.store;
  const store = new OldStreamsStore(db, createVault(Buffer.alloc(32, 7)));
  return new OldStreams({ store, streams: hub.streams.service, audit: new AuditLog(db) });
}

/** A topic, and so many events for those who listen to it, one a batch. */
async function listenedTo(topic: string, count: number, websocket: object = {}): Promise<void> {
  const { chain, store } = stage;
  const owners = oldStreams();
  const subscriptions = new OldSubscriptions({ owners, streams: hub.streams.service, audit: new AuditLog(store.db) });
  const { id } = await owners.create(
    { type: 'websocket', batchTimeoutMS: 20, websocket: { topic, ...websocket } },
    operator,
  );
  const fromBlock = (await chain.head()) + 1;
  for (let value = 1; value <= count; value += 1) await chain.receipt(await chain.transfer(BigInt(value)));
  await subscriptions.create({ stream: id, address: chain.token, event: transfer, fromBlock }, operator);
}
