import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import {
  ApiKeys,
  PlatformModule,
  Readiness,
  closeHttpApp,
  createHttpApp,
  createLog,
  createMetrics,
  type Store,
} from '#platform';
import type { TransactionChange } from '#evm';
import type { Feed, FeedEntry } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { DevChain } from '../evm/testing/dev-chain.js';
import { ConsumerSessions } from './consumer-sessions.js';
import type { StreamEvent } from './stream.js';
import { startStreamProcess, type StreamProcess } from './testing/stream-stage.js';
import { StreamsSocket } from './streams.socket.js';
import { StreamsWebSocket } from './streams-websocket.js';

const log = createLog({ level: 'silent', format: 'json' });

/** What the streams of these specs carry: as many changes of transactions as a spec wants. */
class Changes implements Feed<TransactionChange> {
  #count = 0;

  be(count: number): void {
    this.#count = count;
  }

  async read(after: string | undefined, limit: number): Promise<FeedEntry<TransactionChange>[]> {
    const all = Array.from({ length: this.#count }, (_, index) => ({ item: aChange(index), cursor: cursorOf(index) }));
    return all.filter(({ cursor }) => after === undefined || cursor > after).slice(0, limit);
  }

  async tail(): Promise<string> {
    return cursorOf(this.#count - 1);
  }

  onMore(): () => void {
    return () => undefined;
  }
}

const cursorOf = (index: number) => String(index + 1).padStart(6, '0');

function aChange(index: number): TransactionChange {
  return {
    id: `change-${index + 1}`,
    transaction: {
      id: `transaction-${index + 1}`,
      idempotencyKey: `key-${index + 1}`,
      chainId: DevChain.chainId,
      signer: 'treasury',
      from: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
      to: '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc',
      nonce: index,
      value: '0',
      contractAddress: null,
      about: null,
      origin: null,
    },
    status: 'confirmed',
    hash: null,
    place: null,
    failure: null,
    reason: null,
    time: '2026-01-05T10:00:00.000Z',
  };
}

/** Which streams somebody is being served. */
async function heldLeases(): Promise<string[]> {
  const { rows } = await store.pool.query<{ name: string }>(
    "select name from lease where name like 'stream %' and holder is not null",
  );
  return rows.map(({ name }) => name);
}

interface Heard {
  readonly type: string;
  readonly stream?: string;
  readonly batch?: number;
  readonly id?: string;
  readonly code?: string;
  readonly message?: string;
  readonly events?: readonly StreamEvent[];
}

interface Client {
  readonly heard: Heard[];
  say(type: string, body: Record<string, unknown>): void;
  isOpen(): boolean;
  close(): void;
}

type Connect = (url: string, key: string) => Promise<Client>;

const overWebSocket: Connect = async (url, key) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/streams/ws`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const heard: Heard[] = [];
  socket.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as Heard));
  await once(socket, 'open');
  return {
    heard,
    say: (type, body) => socket.send(JSON.stringify({ type, ...body })),
    isOpen: () => socket.readyState === WebSocket.OPEN,
    close: () => socket.terminate(),
  };
};

const overSocketIo: Connect = async (url, key) => {
  const socket = io(`${url}/streams`, {
    auth: { key },
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
  });
  const heard: Heard[] = [];
  socket.onAny((type: string, body: object) => heard.push({ ...body, type }));
  await new Promise<void>((resolve, reject) => socket.on('connect', resolve).on('connect_error', reject));
  return {
    heard,
    say: (type, body) => socket.emit(type, body),
    isOpen: () => socket.connected,
    close: () => socket.disconnect(),
  };
};

/** A process of the hub: streams, and the server that consumers connect to. */
interface Hub {
  readonly streams: StreamProcess;
  readonly sessions: ConsumerSessions;
  readonly app: NestFastifyApplication;
  readonly url: string;
}

let store: Store;
let chain: DevChain;
let keys: ApiKeys;
let key: string;
let changes: Changes;
let hubs: Hub[];
let hub: Hub;
let url: string;
let clients: Client[];

beforeAll(async () => {
  [chain, store] = await Promise.all([DevChain.start(), openTestStore()]);
  await chain.deploy('DemoToken');
  keys = new ApiKeys(store.db);
  ({ key } = await keys.create({ name: 'consumer', scopes: ['streams:consume'] }));
}, 60_000);

afterAll(async () => {
  await chain.stop();
  await store.close();
});

beforeEach(async () => {
  changes = new Changes();
  [hubs, clients] = [[], []];
  hub = await aHub();
  ({ url } = hub);
});

afterEach(async () => {
  for (const client of clients) client.close();
  for (const { app, streams } of hubs) {
    await closeHttpApp(app);
    await streams.stop();
  }
  await store.db.deleteFrom('stream').execute();
});

async function aHub(): Promise<Hub> {
  const streams = await startStreamProcess({ store, chain, feed: changes });
  const sessions = new ConsumerSessions({ streams: streams.pumps, keys, log, times: { authMs: 300, aliveMs: 200 } });
  const app = await createHttpApp(rootModule(sessions), { publicUrl: 'http://localhost', log });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const started = { streams, sessions, app, url: `http://127.0.0.1:${port}` };
  hubs.push(started);
  return started;
}

/** A stream of so many events, in batches of two. */
async function aStream(name: string, count: number, target: Readonly<Record<string, unknown>> = {}): Promise<void> {
  changes.be(count);
  await hub.streams.service.create(
    {
      name,
      source: 'transactions',
      from: 'earliest',
      batch: { size: 2, timeout: '20ms' },
      retry: { delay: '10ms', maxDelay: '50ms' },
      target: { type: 'websocket', ...target },
    },
    'test',
  );
}

/** How far a consumer of it has come. */
async function placeOf(name: string, consumer = '') {
  const { positions } = await hub.streams.service.get(name);
  return positions.find((position) => position.consumer === consumer);
}

@Module({})
class StreamsModule {}

function rootModule(sessions: ConsumerSessions): DynamicModule {
  return {
    module: StreamsModule,
    imports: [
      PlatformModule.with({ db: store.db, keys, metrics: createMetrics(), readiness: new Readiness(store.db) }),
    ],
    providers: [{ provide: ConsumerSessions, useValue: sessions }, StreamsSocket, StreamsWebSocket],
  };
}

describe.each([
  ['WebSocket', overWebSocket],
  ['socket.io', overSocketIo],
])('consuming a stream over %s', (_transport, connect) => {
  async function aClient(): Promise<Client> {
    const client = await connect(url, key);
    clients.push(client);
    return client;
  }

  const heardOf = (client: Client, type: string) => client.heard.filter((message) => message.type === type);
  const batchesOf = (client: Client) => heardOf(client, 'batch').map(({ batch }) => batch);
  const nthBatch = (client: Client, count: number) =>
    eventually(() => heardOf(client, 'batch')[count - 1], { what: `batch ${count}`, withinMs: 5_000 });
  const nthError = (client: Client, count: number) =>
    eventually(() => heardOf(client, 'error')[count - 1], { what: `error ${count}`, withinMs: 5_000 });

  it('given events, when each batch is acknowledged, then the next comes with the next number', async () => {
    await aStream('orders', 5);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });

    for (const count of [1, 2, 3]) {
      const { batch } = await nthBatch(client, count);
      client.say('ack', { stream: 'orders', batch });
    }

    await eventually(async () => (await placeOf('orders'))?.events === 5);
    expect(batchesOf(client)).toEqual([1, 2, 3]);
    const ids = heardOf(client, 'batch').flatMap(({ events = [] }) => events.map(({ id }) => id));
    expect(ids).toEqual(['change-1', 'change-2', 'change-3', 'change-4', 'change-5']);
    expect(heardOf(client, 'listening')).toMatchObject([{ stream: 'orders' }]);
  });

  it('given a batch in flight, when another number is acknowledged, then that is refused and nothing moves', async () => {
    await aStream('orders', 4);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    await nthBatch(client, 1);

    client.say('ack', { stream: 'orders', batch: 2 });
    client.say('ack', { stream: 'orders', batch: 0 });
    expect(await nthError(client, 2)).toMatchObject({ code: 'request.conflict' });
    expect(await placeOf('orders')).toMatchObject({ events: 0, batchNumber: 0 });

    client.say('ack', { stream: 'orders', batch: 1 });
    client.say('ack', { stream: 'orders', batch: 1 });
    expect(await nthBatch(client, 2)).toMatchObject({ batch: 2 });
    await nthError(client, 3);
    expect(await placeOf('orders')).toMatchObject({ events: 2, batchNumber: 1 });
  });

  it('given a batch, when the client answers with an error, then it comes again with the same number and id', async () => {
    await aStream('orders', 2);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    const first = await nthBatch(client, 1);

    client.say('error', { stream: 'orders', batch: 1, message: 'disk full' });

    const second = await nthBatch(client, 2);
    expect(second).toEqual(first);
    expect(await placeOf('orders')).toMatchObject({
      failures: 1,
      error: { code: 'stream.refused', message: 'The consumer refused batch 1: disk full' },
    });
  });

  it('given a client that left before it answered, when it comes back, then the same batch comes again', async () => {
    await aStream('orders', 4);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    client.say('ack', { stream: 'orders', batch: (await nthBatch(client, 1)).batch });
    const unanswered = await nthBatch(client, 2);
    client.close();

    const again = await aClient();
    again.say('listen', { stream: 'orders' });

    expect(await nthBatch(again, 1)).toEqual(unanswered);
    expect(unanswered.batch).toBe(2);
    expect(await placeOf('orders')).toMatchObject({ failures: 0, error: null });
  });

  it('given two clients, when the first leaves, then the second goes on with what was not acknowledged', async () => {
    await aStream('orders', 4);
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
    await aStream('orders', 4);
    const first = await aClient();
    first.say('listen', { stream: 'orders' });
    const unanswered = await nthBatch(first, 1);
    const second = await connect((await aHub()).url, key);
    clients.push(second);
    second.say('listen', { stream: 'orders' });
    await eventually(() => heardOf(second, 'listening').length === 1);

    await hub.sessions.stop();

    expect(await nthBatch(second, 1)).toEqual(unanswered);
    second.say('ack', { stream: 'orders', batch: 1 });
    expect(await nthBatch(second, 2)).toMatchObject({ batch: 2 });
  });

  it('given two clients with the same name, when both listen, then only one of them is served at a time', async () => {
    await aStream('orders', 4, { mode: 'broadcast' });
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
    await aStream('orders', 2_000);
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
    await chain.transfer(42n);

    expect(await nthBatch(client, 1)).toMatchObject({
      batch: 1,
      events: [{ specversion: '1.0', type: 'evm.contractEvent', data: { name: 'Transfer', args: { value: '42' } } }],
    });
  });

  it('given mode broadcast, when two consumers listen, then each has a place of its own and keeps it', async () => {
    await aStream('orders', 4, { mode: 'broadcast' });
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
    await aStream('orders', 2, { ackTimeout: '60ms' });
    const client = await aClient();
    client.say('listen', { stream: 'orders' });

    await nthBatch(client, 3);

    await eventually(() => !client.isOpen(), { withinMs: 5_000, what: 'the end' });
    expect(new Set(batchesOf(client))).toEqual(new Set([1]));
    expect(await placeOf('orders')).toMatchObject({
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
      await aStream('shared', 1);
      await aStream('each', 1, { mode: 'broadcast' });
      const client = await aClient();

      client.say('listen', body);

      expect(await nthError(client, 1)).toMatchObject({ code });
      expect(client.isOpen()).toBe(true);
    },
  );

  it('given a stream that is deleted, when it is gone, then its client is told', async () => {
    await aStream('orders', 1);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    await nthBatch(client, 1);

    await hub.streams.service.delete('orders');
    client.say('ack', { stream: 'orders', batch: 1 });

    const ended = await eventually(() => heardOf(client, 'ended')[0], { withinMs: 5_000 });
    expect(ended).toMatchObject({ stream: 'orders', code: 'stream.notFound' });
    client.say('ack', { stream: 'orders', batch: 1 });
    expect(await nthError(client, 1)).toMatchObject({ code: 'request.conflict' });
  });

  it('given a client that floods, when more than 20 commands wait, then it is let go', async () => {
    await aStream('orders', 1);
    const client = await aClient();

    for (let count = 0; count < 200; count += 1) client.say('listen', { stream: 'orders' });

    await eventually(() => !client.isOpen(), { withinMs: 5_000, what: 'the end' });
  });

  it('given a key that is revoked, when it is looked at again, then its connections end', async () => {
    const { key: short, info } = await keys.create({ name: 'short', scopes: ['streams:consume'] });
    const client = await connect(url, short);
    clients.push(client);

    await keys.revoke(info.id);

    await eventually(() => !client.isOpen(), { withinMs: 5_000, what: 'the end' });
  });

  it('given a batch in flight, when the hub stops, then the client is sent away and the place is free', async () => {
    await aStream('orders', 2);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    await nthBatch(client, 1);

    await hub.sessions.stop();

    await eventually(() => !client.isOpen(), { withinMs: 5_000, what: 'the end' });
    expect(await placeOf('orders')).toMatchObject({ events: 0, failures: 0 });
    expect(await heldLeases()).toEqual([]);
  });
});

describe('the key of a consumer', () => {
  async function openSocket(headers: Record<string, string> = {}) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/streams/ws`, { headers });
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    const heard: Heard[] = [];
    socket.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as Heard));
    await once(socket, 'open');
    return { socket, heard, reason: async () => String((await closed)[1]) };
  }

  it('given a browser, when the key comes as the first message, then it may listen', async () => {
    await aStream('orders', 1);
    const { socket, heard } = await openSocket({ origin: 'https://elsewhere.example' });
    socket.send(JSON.stringify({ type: 'auth', key }));
    socket.send(JSON.stringify({ type: 'listen', stream: 'orders' }));

    await eventually(() => heard.some(({ type }) => type === 'batch'), { withinMs: 5_000 });
    socket.terminate();
  });

  it('given an unknown key, one without the scope, or none, when a socket opens, then it is closed with the reason', async () => {
    const { key: reader } = await keys.create({ name: 'reader', scopes: ['streams:read'] });

    expect(await (await openSocket({ authorization: 'Bearer pbk_none' })).reason()).toBe('auth.invalid');
    expect(await (await openSocket({ authorization: `Bearer ${reader}` })).reason()).toBe('auth.forbidden');
    expect(await (await openSocket()).reason()).toBe('auth.missing');
    const early = await openSocket();
    early.socket.send(JSON.stringify({ type: 'listen', stream: 'orders' }));
    expect(await early.reason()).toBe('auth.missing');
  });

  it('given socket.io without the scope, when it connects, then it is refused', async () => {
    const { key: reader } = await keys.create({ name: 'reader', scopes: ['streams:read'] });

    await expect(overSocketIo(url, reader)).rejects.toThrow('auth.forbidden');
  });

  it('given a client that answers no ping, when it is looked at again, then its connection is cut', async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/streams/ws`, {
      headers: { authorization: `Bearer ${key}` },
      autoPong: false,
    });

    const [code] = (await once(socket, 'close')) as [number];

    expect(code).toBe(1006);
  });

  it('given messages that are not commands, when they come, then each is answered or ends the connection', async () => {
    const { socket, heard, reason } = await openSocket({ authorization: `Bearer ${key}` });
    socket.send('{');
    socket.send(Buffer.from([1, 2]));
    socket.send('[]');
    await eventually(() => heard.length === 3, { withinMs: 5_000 });
    expect(heard.map(({ type, code }) => [type, code])).toEqual(Array(3).fill(['error', 'request.invalid']));

    socket.send('x'.repeat(70_000));
    await reason();
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });
});

describe('acknowledgements of socket.io', () => {
  it('given a batch, when its acknowledgement is called, then it is accepted, and refused when called with an error', async () => {
    await aStream('orders', 2);
    const socket = io(`${url}/streams`, {
      auth: { key },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    const numbers: number[] = [];
    socket.on('batch', ({ batch }: { batch: number }, done: (answer?: unknown) => void) => {
      numbers.push(batch);
      if (numbers.length === 1) done({ error: 'not now' });
      else done();
    });
    const answer: unknown = await socket.emitWithAck('listen', { stream: 'orders' });

    await eventually(async () => (await placeOf('orders'))?.events === 2, { withinMs: 5_000 });
    expect(answer).toEqual({ ok: true });
    expect(numbers).toEqual([1, 1]);
    expect(await socket.emitWithAck('ack', { stream: 'orders', batch: 9 })).toMatchObject({
      error: { code: 'request.conflict' },
    });
    socket.disconnect();
  });
});

describe('other sockets of the hub', () => {
  it('given the path of streams, when socket.io is used beside it, then both work and other paths are not taken', async () => {
    const socket = io(`${url}/streams`, { auth: { key }, transports: ['polling', 'websocket'], forceNew: true });
    await new Promise<void>((resolve) => socket.on('connect', resolve));
    const stranger = new WebSocket(`${url.replace('http', 'ws')}/api/other`);
    await new Promise((resolve) => stranger.on('error', resolve));

    expect(stranger.readyState).not.toBe(WebSocket.OPEN);
    expect(socket.connected).toBe(true);
    socket.disconnect();
  });
});
