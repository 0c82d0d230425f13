import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort } from '../../../bench/setup/free-port.js';
import type { StreamEvent } from '../stream.js';

export interface Received {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly events: readonly StreamEvent[];
  /** What it was answered. */
  readonly status: number;
}

/** A consumer over HTTP: keeps what came, and answers as it is told. */
export class Receiver {
  readonly received: Received[] = [];
  /** Status of the answer; undefined: none at all. */
  answer: (count: number, response: ServerResponse) => number | undefined = () => 200;
  #count = 0;

  private constructor(readonly server: Server) {}

  /** On a port that it may come back to. */
  static async start(port?: number): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const status = receiver.answer((receiver.#count += 1), response);
        receiver.received.push({
          id: String(request.headers['webhook-id']),
          headers: request.headers,
          body,
          events: JSON.parse(body) as StreamEvent[],
          status: status ?? 0,
        });
        if (status !== undefined && !response.writableEnded) response.writeHead(status).end();
      });
    });
    server.listen(port ?? (await freePort()), '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/events`;
  }

  /** Batches that were accepted. */
  get accepted(): Received[] {
    return this.received.filter(({ status }) => status >= 200 && status < 300);
  }

  get events(): StreamEvent[] {
    return this.accepted.flatMap(({ events }) => events);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
