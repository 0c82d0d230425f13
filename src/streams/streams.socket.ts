import {
  WebSocketGateway,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
} from '@nestjs/websockets';
import type { OnModuleDestroy } from '@nestjs/common';
import type { Namespace, Socket } from 'socket.io';
import { PatchbayError } from '#sdk';
import type { ConsumerMessage } from './consumer-messages.js';
import type { ConsumerLink, ConsumerSession } from './consumer-session.js';
import { ConsumerSessions } from './consumer-sessions.js';

/** What an answer to a command looks like, when the client asks for one. */
type CommandAnswer = { readonly ok: true } | { readonly error: CommandError };
interface CommandError {
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
}

const commands = ['listen', 'ack', 'error'] as const;

/**
 * Batches on namespace `/streams`. The key goes into the handshake's `auth.key`. The client emits `listen`, `ack` and
 * `error`; it receives `batch`, `listening`, `ended` and `error`. Calling the acknowledgement of a `batch` accepts it too,
 * and refuses it when called with `{ error: 'why' }`.
 */
@WebSocketGateway({ namespace: '/streams' })
export class StreamsSocket implements OnGatewayInit, OnGatewayConnection, OnGatewayDisconnect, OnModuleDestroy {
  readonly #clients = new WeakMap<Socket, { readonly link: ConsumerLink; readonly opened: Promise<ConsumerSession> }>();

  constructor(private readonly sessions: ConsumerSessions) {}

  afterInit(namespace: Namespace): void {
    namespace.use((socket, next) => {
      const { key } = socket.handshake.auth as { key?: unknown };
      this.sessions.authorise(key).then(
        () => next(),
        (error: unknown) => next(new Error(PatchbayError.from(error).code)),
      );
    });
  }

  handleConnection(socket: Socket): void {
    const { key } = socket.handshake.auth as { key?: unknown };
    const link = new SocketLink(socket, (answer) => receive(answer));
    const opened = this.sessions.open(key, link);
    this.#clients.set(socket, { link, opened });
    opened.catch((error: unknown) => link.close(PatchbayError.from(error)));
    const receive = async (command: unknown): Promise<void> => {
      const session: ConsumerSession = await opened;
      await session.receive(command);
    };
    // Bound at once: what a client says first must not be missed.
    for (const type of commands) {
      socket.on(type, (body: unknown, done?: unknown) => {
        // The library reports its own troubles as events of the name `error`.
        if (body instanceof Error) return;
        const command = typeof body === 'object' && body !== null ? { ...body, type } : body;
        receive(command).then(
          () => answer(socket, done, { ok: true }),
          (error: unknown) => answer(socket, done, { error: describe(error) }),
        );
      });
    }
  }

  handleDisconnect(socket: Socket): void {
    const client = this.#clients.get(socket);
    // An authentication under way ends first, so that its session is not left behind.
    void client?.opened.catch(() => undefined).finally(() => this.sessions.close(client.link));
  }

  async onModuleDestroy(): Promise<void> {
    await this.sessions.stop();
  }
}

class SocketLink implements ConsumerLink {
  constructor(
    private readonly socket: Socket,
    private readonly receive: (command: unknown) => Promise<void>,
  ) {}

  send(message: ConsumerMessage): void {
    const { type, ...body } = message;
    if (message.type !== 'batch') {
      this.socket.emit(type, body);
      return;
    }
    const { stream, batch, id, answerWithinMs } = message;
    this.socket.timeout(answerWithinMs).emit('batch', body, (silence: unknown, answered?: unknown) => {
      if (silence !== null && silence !== undefined) return;
      const refusal = refusalIn(answered);
      const command = refusal === undefined ? { type: 'ack' } : { type: 'error', message: refusal };
      this.receive({ ...command, stream, batch, id }).catch((error: unknown) =>
        this.socket.emit('error', describe(error)),
      );
    });
  }

  close(reason: PatchbayError): void {
    this.socket.emit('error', describe(reason));
    this.socket.disconnect(true);
  }
}

/** The `error` of `{ error: 'why' }`; anything else accepts. */
function refusalIn(answered: unknown): string | undefined {
  if (typeof answered !== 'object' || answered === null || !('error' in answered)) return undefined;
  // Whatever else it is may not even be turned into text.
  return typeof answered.error === 'string' ? answered.error.slice(0, 1_000) : 'the reason is no text';
}

function answer(socket: Socket, done: unknown, result: CommandAnswer): void {
  if (typeof done === 'function') (done as (result: CommandAnswer) => void)(result);
  else if ('error' in result) socket.emit('error', result.error);
}

function describe(thrown: unknown): CommandError {
  const { code, detail, fix } = PatchbayError.from(thrown);
  return { code, message: detail, ...(fix !== undefined && { fix }) };
}
