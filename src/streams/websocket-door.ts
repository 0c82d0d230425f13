import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

export interface WebSocketDoorOptions {
  readonly path: string;
  /** How often a client must give a sign of life. */
  readonly aliveMs: number;
  welcome(socket: WebSocket, request: IncomingMessage): void;
}

const maxCommandBytes = 65_536;
const patienceMs = 1_000;

/** One path of an HTTP server where plain WebSockets come in; those that give no sign of life are dropped. */
export class WebSocketDoor {
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: maxCommandBytes });
  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    this.#upgrade(request, socket, head);
  /** Those that gave a sign of life since the last ping. */
  readonly #alive = new WeakSet<WebSocket>();
  readonly #keepAlive: NodeJS.Timeout;

  constructor(
    private readonly server: Server,
    private readonly options: WebSocketDoorOptions,
  ) {
    server.on('upgrade', this.#onUpgrade);
    this.#keepAlive = setInterval(() => this.#checkAlive(), options.aliveMs);
    this.#keepAlive.unref();
  }

  /** Nobody new comes in. */
  shut(): void {
    clearInterval(this.#keepAlive);
    this.server.off('upgrade', this.#onUpgrade);
  }

  async close(): Promise<void> {
    this.shut();
    await Promise.all([...this.#sockets.clients].map(goodbye));
  }

  /** Other paths are socket.io's, or another door's. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.url?.split('?', 1)[0] !== this.options.path) return;
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      this.#alive.add(client);
      client.on('pong', () => this.#alive.add(client));
      this.options.welcome(client, request);
    });
  }

  #checkAlive(): void {
    for (const socket of this.#sockets.clients) {
      if (!this.#alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }
}

/** A client that does not say goodbye in return is cut off. */
async function goodbye(socket: WebSocket): Promise<void> {
  socket.close(1001);
  const timer = setTimeout(() => socket.terminate(), patienceMs);
  // Its errors are heard by who welcomed it, and end it as well.
  if (socket.readyState !== WebSocket.CLOSED) await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(timer);
}
