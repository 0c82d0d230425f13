import type { IncomingMessage, Server } from 'node:http';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { RawData, WebSocket } from 'ws';
import { bearerOrBasicOf, type Caller } from '#platform';
import { PatchbayError, z } from '#sdk';
import { ConsumerSessions, StreamPumps, WebSocketDoor } from '#streams';
import { root } from './compat-settings.js';
import { OldStreams } from './event-streams.js';
import { TopicListening } from './topic-listening.js';

const command = z.looseObject({
  type: z.enum(['listen', 'ack', 'error', 'listenreplies']),
  topic: z.string().max(200).optional(),
  stream: z.string().max(200).optional(),
  batchNumber: z.number().int().optional(),
  message: z.string().max(1_000).optional(),
});

const mostTopics = 100;

/** The words of old clients on a WebSocket of their own; batches come from the same streams as everywhere. */
@Injectable()
export class EventsSocket implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #clients = new Set<Client>();
  #door: WebSocketDoor | undefined;

  constructor(
    private readonly adapter: HttpAdapterHost,
    private readonly sessions: ConsumerSessions,
    private readonly streams: OldStreams,
    private readonly pumps: StreamPumps,
  ) {}

  onApplicationBootstrap(): void {
    this.#door = new WebSocketDoor(this.adapter.httpAdapter.getHttpServer() as Server, {
      path: `${root}/ws`,
      aliveMs: this.sessions.times.aliveMs,
      welcome: (socket, request) => this.#welcome(socket, request),
    });
  }

  async onModuleDestroy(): Promise<void> {
    this.#door?.shut();
    await Promise.all([...this.#clients].map((client) => client.close()));
    await this.#door?.close();
  }

  #welcome(socket: WebSocket, request: IncomingMessage): void {
    const { sessions, streams, pumps } = this;
    const key = bearerOrBasicOf(request.headers.authorization);
    const client = new Client(socket, { streams, pumps, authorise: () => sessions.authorise(key) });
    this.#clients.add(client);
    const again = setInterval(() => client.authorise(), sessions.times.aliveMs);
    again.unref();
    socket.on('close', () => {
      clearInterval(again);
      void client.close().finally(() => this.#clients.delete(client));
    });
    socket.on('error', () => socket.terminate());
  }
}

class Client {
  readonly #topics = new Map<string, TopicListening>();
  /** Of nobody when it may not, or no longer, be here. */
  #caller: Promise<Caller | undefined> | undefined;
  #isClosed = false;

  constructor(
    private readonly socket: WebSocket,
    private readonly parts: {
      readonly streams: OldStreams;
      readonly pumps: StreamPumps;
      authorise(): Promise<Caller>;
    },
  ) {
    this.authorise();
    socket.on('message', (data) => void this.#hear(data));
  }

  /** Looks at its key, for the first time or again. */
  authorise(): void {
    const before = this.#caller;
    this.#caller = this.parts.authorise().catch((thrown: unknown) => {
      const { code, detail } = PatchbayError.from(thrown);
      const isRefused = code.startsWith('auth.');
      // While the database is away nobody is thrown out; who comes just then may come again.
      if (!isRefused && before !== undefined) return before;
      this.#tell({ type: 'error', code, message: detail });
      this.socket.close(isRefused ? 1008 : 1013, code);
      return undefined;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const topics = [...this.#topics.values()];
    this.#topics.clear();
    await Promise.all(topics.map((topic) => topic.close()));
  }

  async #hear(data: RawData): Promise<void> {
    try {
      const caller = await this.#caller;
      // Whoever left meanwhile wants nothing any more.
      if (caller !== undefined && !this.#isClosed) this.#obey(data, caller);
    } catch (thrown) {
      const { code, detail } = PatchbayError.from(thrown);
      this.#tell({ type: 'error', code, message: detail });
    }
  }

  #obey(data: RawData, caller: Caller): void {
    const { type, topic, stream, batchNumber, message } = readCommand(data);
    if (type === 'listenreplies') {
      throw new PatchbayError('request.invalid', {
        detail: 'Replies do not come over this connection',
        fix: 'Ask GET /replies, or listen to /transactions with socket.io, or stream them: source: transactions.',
      });
    }
    const name = stream ?? topic ?? '';
    if (type === 'listen') return this.#listen(name, caller);
    const [only] = this.#topics.size === 1 ? this.#topics.values() : [];
    const listening = this.#topics.get(name) ?? (name === '' ? only : undefined);
    if (listening === undefined) {
      throw new PatchbayError('request.conflict', { detail: `This connection does not listen to ${name}` });
    }
    listening.answer(type === 'ack' ? undefined : (message ?? 'no reason given'), batchNumber);
  }

  #listen(topic: string, caller: Caller): void {
    if (topic === '') throw new PatchbayError('request.invalid', { detail: 'It is not said which topic is meant' });
    if (this.#topics.has(topic)) return;
    if (this.#topics.size >= mostTopics) {
      throw new PatchbayError('request.conflict', { detail: `A connection listens to ${mostTopics} topics at most` });
    }
    const { streams, pumps } = this.parts;
    const send = (batch: unknown): Promise<void> => this.#write(batch);
    this.#topics.set(topic, new TopicListening({ topic, consumer: `key-${caller.id}`, streams, pumps, send }));
  }

  #tell(message: object): void {
    void this.#write(message);
  }

  /** Resolves once it is written, which never happens when the connection goes: `close` ends what waits for it. */
  #write(message: unknown): Promise<void> {
    const text = JSON.stringify(message);
    return new Promise((resolve) => {
      if (this.socket.readyState !== this.socket.OPEN) return;
      this.socket.send(text, (error) => {
        if (!error) resolve();
      });
    });
  }
}

function readCommand(data: RawData): z.output<typeof command> {
  try {
    return command.parse(JSON.parse((data as Buffer).toString('utf8')));
  } catch (cause) {
    throw new PatchbayError('request.invalid', { detail: 'The message is no command that is known here', cause });
  }
}
