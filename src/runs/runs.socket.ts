import {
  WebSocketGateway,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
} from '@nestjs/websockets';
import type { Namespace, Socket } from 'socket.io';
import { ApiKeys, Signals, hasScope } from '#platform';
import { RunsLive } from './runs-live.js';

/**
 * Live progress on namespace `/runs`: `progress` messages, each a list. The key goes into the handshake's `auth.key`;
 * `auth.flow` narrows it to one flow.
 */
@WebSocketGateway({ namespace: '/runs' })
export class RunsSocket implements OnGatewayInit, OnGatewayConnection, OnGatewayDisconnect {
  #namespace: Namespace | undefined;
  #clients = 0;

  constructor(
    private readonly live: RunsLive,
    private readonly signals: Signals,
    private readonly keys: ApiKeys,
  ) {}

  afterInit(namespace: Namespace): void {
    this.#namespace = namespace;
    namespace.use((socket, next) => {
      this.#authorise(socket).then(() => next(), next);
    });
    this.live.onProgress((progress) => {
      this.#namespace?.to('all').emit('progress', progress);
      for (const flow of new Set(progress.map((item) => item.flow))) {
        this.#namespace?.to(`flow:${flow}`).emit(
          'progress',
          progress.filter((item) => item.flow === flow),
        );
      }
    });
  }

  async handleConnection(socket: Socket): Promise<void> {
    const { flow } = socket.handshake.auth as { flow?: unknown };
    await socket.join(typeof flow === 'string' ? `flow:${flow}` : 'all');
    this.#clients += 1;
    this.signals.setInterest('runs', true);
  }

  handleDisconnect(): void {
    this.#clients -= 1;
    if (this.#clients === 0) this.signals.setInterest('runs', false);
  }

  async #authorise(socket: Socket): Promise<void> {
    const { key } = socket.handshake.auth as { key?: unknown };
    const known = typeof key === 'string' ? await this.keys.authenticate(key) : undefined;
    if (known === undefined || !hasScope(known.scopes, 'runs:read')) throw new Error('auth.invalid');
  }
}
