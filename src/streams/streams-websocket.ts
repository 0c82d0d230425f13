import type { IncomingMessage, Server } from 'node:http';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { WebSocket, type RawData } from 'ws';
import { bearerOf } from '#platform';
import { PatchbayError } from '#sdk';
import type { ConsumerMessage } from './consumer-messages.js';
import type { ConsumerLink, ConsumerSession } from './consumer-session.js';
import { ConsumerSessions } from './consumer-sessions.js';
import { jsonWithEvents } from './stream-format.js';
import { WebSocketDoor } from './websocket-door.js';

const path = '/api/streams/ws';
/** A client that does not even read why its commands fail is not worth the memory. */
const mostUnreadBytes = 1_048_576;

/**
 * The protocol of streams over plain WebSocket, for clients without socket.io: one JSON object per message. The key comes as
 * `Authorization: Bearer`, or, from browsers, in a first message `{ type: 'auth', key }`. No browser sends a key by itself,
 * so the origin of a page decides nothing.
 */
@Injectable()
export class StreamsWebSocket implements OnApplicationBootstrap, OnModuleDestroy {
  #door: WebSocketDoor | undefined;

  constructor(
    private readonly adapter: HttpAdapterHost,
    private readonly sessions: ConsumerSessions,
  ) {}

  onApplicationBootstrap(): void {
    this.#door = new WebSocketDoor(this.adapter.httpAdapter.getHttpServer() as Server, {
      path,
      aliveMs: this.sessions.times.aliveMs,
      welcome: (socket, request) => this.#welcome(socket, request),
    });
  }

  async onModuleDestroy(): Promise<void> {
    this.#door?.shut();
    await this.sessions.stop();
    await this.#door?.close();
  }

  #welcome(socket: WebSocket, request: IncomingMessage): void {
    const client = new Client(socket, this.sessions);
    const key = bearerOf(request.headers.authorization);
    if (key !== undefined) client.authenticate(key);
  }
}

class Client implements ConsumerLink {
  readonly #deadline: NodeJS.Timeout;
  #opened: Promise<ConsumerSession> | undefined;

  constructor(
    private readonly socket: WebSocket,
    private readonly sessions: ConsumerSessions,
  ) {
    this.#deadline = setTimeout(() => this.close(new PatchbayError('auth.missing')), sessions.times.authMs);
    socket.on('message', (data, isBinary) => void this.#hear(data, isBinary));
    socket.on('close', () => {
      clearTimeout(this.#deadline);
      // An authentication under way ends first, so that its session is not left behind.
      void this.#opened?.catch(() => undefined).finally(() => sessions.close(this));
    });
    // What is wrong with the connection ends it; `close` follows.
    socket.on('error', () => socket.terminate());
  }

  authenticate(key: unknown): void {
    clearTimeout(this.#deadline);
    // What it says in the meantime waits in the socket.
    this.socket.pause();
    this.#opened = this.sessions.open(key, this).finally(() => this.socket.resume());
    this.#opened.catch((error: unknown) => this.close(PatchbayError.from(error)));
  }

  send(message: ConsumerMessage): void {
    if (message.type !== 'batch') return this.#write(message);
    const { events, ...fields } = message;
    this.#writeText(jsonWithEvents(fields, events));
  }

  close(reason: PatchbayError): void {
    this.#write(describe(reason));
    this.socket.close(reason.code === 'hub.stopping' ? 1001 : 1008, reason.code);
    this.sessions.close(this);
  }

  async #hear(data: RawData, isBinary: boolean): Promise<void> {
    let command: unknown;
    try {
      command = parse(data, isBinary);
      const opened = this.#opened;
      if (opened === undefined) return this.authenticate(keyIn(command));
      // Why there is no session was told already.
      const session = await opened.catch(() => undefined);
      await session?.receive(command);
    } catch (error) {
      if (this.socket.bufferedAmount > mostUnreadBytes) this.socket.terminate();
      else this.#write(describe(error, streamIn(command)));
    }
  }

  #write(message: unknown): void {
    this.#writeText(JSON.stringify(message));
  }

  #writeText(text: string): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
  }
}

function parse(data: RawData, isBinary: boolean): unknown {
  try {
    if (!isBinary && Buffer.isBuffer(data)) return JSON.parse(data.toString('utf8')) as unknown;
  } catch {
    // Told below, as for bytes.
  }
  throw new PatchbayError('request.invalid', {
    detail: 'The message is not JSON',
    fix: 'Send one object per message.',
  });
}

function keyIn(command: unknown): unknown {
  const { type, key } = (typeof command === 'object' && command !== null ? command : {}) as Record<string, unknown>;
  return type === 'auth' ? key : undefined;
}

function streamIn(command: unknown): string | undefined {
  const { stream } = (typeof command === 'object' && command !== null ? command : {}) as Record<string, unknown>;
  return typeof stream === 'string' ? stream.slice(0, 200) : undefined;
}

function describe(thrown: unknown, stream?: string) {
  const { code, detail, fix } = PatchbayError.from(thrown);
  return { type: 'error', ...(stream !== undefined && { stream }), code, message: detail, ...(fix && { fix }) };
}
