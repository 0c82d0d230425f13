import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
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
import { PatchbayError } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { openTestStore } from '../../test/environment/postgres.js';
import type { Attachment, ConsumedStream, ConsumerStreams } from './consumer-session.js';
import { ConsumerSessions } from './consumer-sessions.js';
import type { StreamEvent, StreamTarget } from './stream.js';
import { StreamsSocket } from './streams.socket.js';
import { StreamsWebSocket } from './streams-websocket.js';

const log = createLog({ level: 'silent', format: 'json' });

interface Position {
  next: number;
  number: number;
  holder: object | undefined;
}

/** Streams in memory: batches of two, one holder per position, a refused batch comes again. */
class ScriptedStreams implements ConsumerStreams {
  readonly streams = new Map<string, ConsumedStream & { readonly events: StreamEvent[] }>();
  readonly failures: string[] = [];
  readonly #positions = new Map<string, Position>();
  readonly #ending = new Map<string, AbortController>();

  add(name: string, count: number, { mode = 'one', ackTimeoutMs = 30_000 }: Partial<ConsumedStream> = {}): void {
    const events = Array.from({ length: count }, (_, index) => anEvent(`${name}-${index + 1}`));
    this.streams.set(name, { name, mode, ackTimeoutMs, events });
  }

  position(stream: string, consumer = ''): Position {
    const key = `${stream}/${consumer}`;
    const known = this.#positions.get(key) ?? { next: 0, number: 1, holder: undefined };
    this.#positions.set(key, known);
    return known;
  }

  end(stream: string): void {
    this.#ending.get(stream)?.abort();
  }

  async get(name: string): Promise<ConsumedStream> {
    const found = this.streams.get(name);
    if (found === undefined) throw new PatchbayError('stream.notFound', { detail: `There is no stream ${name}` });
    return found;
  }

  async attach(stream: string, consumer: string | undefined, target: StreamTarget): Promise<Attachment> {
    const closing = new AbortController();
    const ending = new AbortController();
    this.#ending.set(stream, ending);
    const finished = this.#pump(
      stream,
      this.position(stream, consumer),
      target,
      AbortSignal.any([closing.signal, ending.signal]),
    );
    return {
      finished,
      close: async () => {
        closing.abort(new PatchbayError('hub.stopping'));
        await finished;
      },
    };
  }

  async #pump(stream: string, position: Position, target: StreamTarget, signal: AbortSignal): Promise<void> {
    const me = {};
    while (position.holder !== undefined && !signal.aborted) await delay(2);
    if (signal.aborted) return;
    position.holder = me;
    while (!signal.aborted) {
      const events = (this.streams.get(stream)?.events ?? []).slice(position.next, position.next + 2);
      if (events.length === 0) {
        await delay(2);
        continue;
      }
      const id = `${stream}:${events.map((event) => event.id).join('+')}`;
      try {
        await target.deliver({ id, number: position.number, stream, events }, signal);
        position.next += events.length;
        position.number += 1;
      } catch (error) {
        if (!signal.aborted) this.failures.push(PatchbayError.from(error).detail);
        await delay(2);
      }
    }
    position.holder = undefined;
  }
}

function anEvent(id: string): StreamEvent {
  return { specversion: '1.0', id, source: '/networks/dev', type: 'evm.contractEvent', data: {} };
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

let store: Store;
let keys: ApiKeys;
let app: NestFastifyApplication;
let streams: ScriptedStreams;
let sessions: ConsumerSessions;
let url: string;
let key: string;
const clients: Client[] = [];

beforeAll(async () => {
  store = await openTestStore();
  keys = new ApiKeys(store.db);
  ({ key } = await keys.create({ name: 'consumer', scopes: ['streams:consume'] }));
});

afterAll(() => store.close());

beforeEach(async () => {
  streams = new ScriptedStreams();
  sessions = new ConsumerSessions({ streams, keys, log, times: { authMs: 300, aliveMs: 200 } });
  app = await createHttpApp(rootModule(), { publicUrl: 'http://localhost', log });
  await app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await closeHttpApp(app);
});

@Module({})
class StreamsModule {}

function rootModule(): DynamicModule {
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
    streams.add('orders', 5);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });

    for (const count of [1, 2, 3]) {
      const { batch } = await nthBatch(client, count);
      client.say('ack', { stream: 'orders', batch });
    }

    await eventually(() => streams.position('orders').next === 5);
    expect(batchesOf(client)).toEqual([1, 2, 3]);
    const ids = heardOf(client, 'batch').flatMap(({ events = [] }) => events.map(({ id }) => id));
    expect(ids).toEqual(['orders-1', 'orders-2', 'orders-3', 'orders-4', 'orders-5']);
    expect(heardOf(client, 'listening')).toMatchObject([{ stream: 'orders' }]);
  });

  it('given a batch in flight, when another number is acknowledged, then that is refused and nothing moves', async () => {
    streams.add('orders', 4);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    await nthBatch(client, 1);

    client.say('ack', { stream: 'orders', batch: 2 });
    client.say('ack', { stream: 'orders', batch: 0 });
    expect(await nthError(client, 2)).toMatchObject({ code: 'request.conflict' });
    expect(streams.position('orders').next).toBe(0);

    client.say('ack', { stream: 'orders', batch: 1 });
    client.say('ack', { stream: 'orders', batch: 1 });
    expect(await nthBatch(client, 2)).toMatchObject({ batch: 2 });
    await nthError(client, 3);
    expect(streams.position('orders').next).toBe(2);
  });

  it('given a batch, when the client answers with an error, then it comes again with the same number and id', async () => {
    streams.add('orders', 2);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    const first = await nthBatch(client, 1);

    client.say('error', { stream: 'orders', batch: 1, message: 'disk full' });

    const second = await nthBatch(client, 2);
    expect(second).toEqual(first);
    expect(streams.failures).toEqual(['The consumer refused batch 1: disk full']);
  });

  it('given a client that left before it answered, when it comes back, then the same batch comes again', async () => {
    streams.add('orders', 4);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    client.say('ack', { stream: 'orders', batch: (await nthBatch(client, 1)).batch });
    const unanswered = await nthBatch(client, 2);
    client.close();

    const again = await aClient();
    again.say('listen', { stream: 'orders' });

    expect(await nthBatch(again, 1)).toEqual(unanswered);
    expect(unanswered.batch).toBe(2);
    expect(streams.failures).toEqual([]);
  });

  it('given two clients, when the first leaves, then the second goes on with what was not acknowledged', async () => {
    streams.add('orders', 4);
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

  it('given mode broadcast, when two consumers listen, then each has a place of its own and keeps it', async () => {
    streams.add('orders', 4, { mode: 'broadcast' });
    const first = await aClient();
    first.say('listen', { stream: 'orders', consumer: 'ledger' });
    first.say('ack', { stream: 'orders', batch: (await nthBatch(first, 1)).batch });
    await nthBatch(first, 2);
    const second = await aClient();
    second.say('listen', { stream: 'orders', consumer: 'mailer' });

    expect(await nthBatch(second, 1)).toMatchObject({ batch: 1, events: [{ id: 'orders-1' }, { id: 'orders-2' }] });
    first.close();
    const again = await aClient();
    again.say('listen', { stream: 'orders', consumer: 'ledger' });
    expect(await nthBatch(again, 1)).toMatchObject({ batch: 2, events: [{ id: 'orders-3' }, { id: 'orders-4' }] });
  });

  it('given a client that keeps silent, when the time is over, then the batch comes again, and in the end it is let go', async () => {
    streams.add('orders', 2, { ackTimeoutMs: 60 });
    const client = await aClient();
    client.say('listen', { stream: 'orders' });

    await nthBatch(client, 3);

    await eventually(() => !client.isOpen(), { withinMs: 5_000, what: 'the end' });
    expect(new Set(batchesOf(client))).toEqual(new Set([1]));
    expect(streams.failures[0]).toBe('The consumer of orders did not answer within 60 ms');
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
      streams.add('shared', 1);
      streams.add('each', 1, { mode: 'broadcast' });
      const client = await aClient();

      client.say('listen', body);

      expect(await nthError(client, 1)).toMatchObject({ code });
      expect(client.isOpen()).toBe(true);
    },
  );

  it('given a stream that ends, when it does, then its client is told', async () => {
    streams.add('orders', 1);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    await nthBatch(client, 1);

    streams.end('orders');

    await eventually(() => heardOf(client, 'ended').length === 1, { withinMs: 5_000 });
    client.say('ack', { stream: 'orders', batch: 1 });
    expect(await nthError(client, 1)).toMatchObject({ code: 'request.conflict' });
  });

  it('given a client that floods, when more than 20 commands wait, then it is let go', async () => {
    streams.add('orders', 1);
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
    streams.add('orders', 2);
    const client = await aClient();
    client.say('listen', { stream: 'orders' });
    await nthBatch(client, 1);

    await sessions.stop();

    await eventually(() => !client.isOpen(), { withinMs: 5_000, what: 'the end' });
    expect(streams.position('orders')).toMatchObject({ next: 0, holder: undefined });
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
    streams.add('orders', 1);
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
    streams.add('orders', 2);
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

    await eventually(() => streams.position('orders').next === 2, { withinMs: 5_000 });
    expect(answer).toEqual({ ok: true });
    expect(numbers).toEqual([1, 1]);
    expect(streams.failures).toEqual(['The consumer refused batch 1: not now']);
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
