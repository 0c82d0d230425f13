import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Delivery {
  readonly path: string;
  readonly key: string;
  readonly body: unknown;
  readonly at: number;
}

/** A server that flows call: keeps what came, recognises repeats by their idempotency key, and answers as it is told. */
export class Target {
  readonly deliveries: Delivery[] = [];
  /** Status of the answer; 200 unless told otherwise. A promise keeps the caller waiting. */
  answer: (delivery: Delivery) => number | Promise<number> = () => 200;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const delivery: Delivery = {
          path: request.url ?? '/',
          key: String(request.headers['idempotency-key'] ?? ''),
          body: text === '' ? undefined : JSON.parse(text),
          at: Date.now(),
        };
        this.deliveries.push(delivery);
        void Promise.resolve(this.answer(delivery)).then((status) => response.writeHead(status).end('{}'));
      });
    });
  }

  static async start(): Promise<Target> {
    const target = new Target();
    await new Promise<void>((resolve) => target.#server.listen(0, '127.0.0.1', resolve));
    return target;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
