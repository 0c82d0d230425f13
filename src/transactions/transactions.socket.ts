import {
  WebSocketGateway,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
} from '@nestjs/websockets';
import type { Namespace, Socket } from 'socket.io';
import type { TransactionChange } from '#evm';
import { ApiKeys, hasScope } from '#platform';
import type { TransactionChangeMessage } from './transaction-change.schema.js';
import { TransactionsLive } from './transactions-live.js';

/**
 * Changes of transactions on namespace `/transactions`: `status` messages, each a list. The key goes into the handshake's
 * `auth.key`; `auth.signer` (name or address) or `auth.transaction` (id) narrows it. It shows what happens while one looks;
 * who must not miss anything takes an event stream whose source is `transactions`.
 */
@WebSocketGateway({ namespace: '/transactions' })
export class TransactionsSocket implements OnGatewayInit, OnGatewayConnection, OnGatewayDisconnect {
  #namespace: Namespace | undefined;
  #clients = 0;

  constructor(
    private readonly live: TransactionsLive,
    private readonly keys: ApiKeys,
  ) {}

  afterInit(namespace: Namespace): void {
    this.#namespace = namespace;
    namespace.use((socket, next) => {
      this.#authorise(socket).then(() => next(), next);
    });
    this.live.onChanges((changes) => this.#tell(changes));
  }

  async handleConnection(socket: Socket): Promise<void> {
    this.#clients += 1;
    await socket.join(roomOf(socket.handshake.auth));
    await this.live.start();
    socket.emit('ready');
  }

  handleDisconnect(): void {
    this.#clients -= 1;
    if (this.#clients === 0) this.live.stop();
  }

  #tell(changes: readonly TransactionChange[]): void {
    const rooms = new Map<string, TransactionChangeMessage[]>();
    for (const change of changes) {
      const { id, signer, from } = change.transaction;
      for (const room of new Set(['all', `transaction:${id}`, `signer:${signer}`, `signer:${from}`])) {
        const list = rooms.get(room);
        if (list) list.push(change);
        else rooms.set(room, [change]);
      }
    }
    for (const [room, list] of rooms) this.#namespace?.to(room).emit('status', list);
  }

  async #authorise(socket: Socket): Promise<void> {
    const { key } = socket.handshake.auth as { key?: unknown };
    const known = typeof key === 'string' ? await this.keys.authenticate(key) : undefined;
    if (known === undefined || !hasScope(known.scopes, 'chain:read')) throw new Error('auth.invalid');
  }
}

function roomOf(auth: Readonly<Record<string, unknown>>): string {
  const { transaction, signer } = auth;
  if (typeof transaction === 'string') return `transaction:${transaction}`;
  if (typeof signer !== 'string') return 'all';
  return `signer:${signer.startsWith('0x') ? signer.toLowerCase() : signer}`;
}
