import WebSocket from 'ws';
import type { Logger } from '#sdk';
import type { RpcAgents } from './rpc-transport.js';

export interface NewHeadsOptions {
  readonly url: string;
  readonly agents?: RpcAgents;
  readonly log: Logger;
  /** Called for every head that is announced: a reason to look, nothing to rely on. */
  readonly onHead: () => void;
}

const shortestPauseMs = 250;
const longestPauseMs = 30_000;
/** Half-open connections are silent for ever; a ping that is not answered reveals them. */
const pingEveryMs = 15_000;

/** A websocket subscription to new heads that reconnects until it is closed. Losing it costs latency only. */
export class NewHeads {
  readonly #options: NewHeadsOptions;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosed = false;
  #isLive = false;

  constructor(options: NewHeadsOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Whether heads are being announced at the moment. */
  get isLive(): boolean {
    return this.#isLive;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #connect(): void {
    const { url, agents, onHead } = this.#options;
    const agent = url.startsWith('wss:') ? agents?.https : agents?.http;
    const socket = new WebSocket(url, {
      handshakeTimeout: 10_000,
      maxPayload: 1024 * 1024,
      ...(agent ? { agent } : {}),
    });
    this.#socket = socket;
    let isAnswered = true;
    const ping = setInterval(() => {
      if (!isAnswered) {
        socket.terminate();
        return;
      }
      isAnswered = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, pingEveryMs);
    ping.unref();
    socket.on('pong', () => {
      isAnswered = true;
    });
    socket.on('open', () => {
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }));
    });
    socket.on('message', (data: Buffer) => {
      // The first message confirms the subscription or refuses it; every further one announces a head.
      if (data.includes('"error"')) {
        socket.terminate();
        return;
      }
      this.#isLive = true;
      this.#failures = 0;
      onHead();
    });
    socket.on('error', (error) => {
      this.#options.log.debug('The websocket of the network failed', { reason: error.message });
    });
    socket.on('close', () => {
      clearInterval(ping);
      this.#isLive = false;
      if (this.#isClosed) return;
      const ceiling = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(this.#failures, 10));
      this.#failures += 1;
      this.#timer = setTimeout(() => {
        this.#connect();
      }, Math.random() * ceiling);
      this.#timer.unref();
      onHead();
    });
  }
}
