import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answered } from './adapter-hub.js';

interface Patched {
  readonly path: string;
  readonly body: Answered;
}

/** What a node does with answers that come later. */
export class ResumingNode {
  readonly patched: Patched[] = [];
  /** Statuses of the next answers; 200 when there is none left. */
  readonly statuses: number[] = [];
  #server: Server | undefined;

  static async start(): Promise<ResumingNode> {
    const node = new ResumingNode();
    const server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        node.patched.push({ path: `${request.method} ${request.url}`, body: JSON.parse(text) });
        response.writeHead(node.statuses.shift() ?? 200).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    node.#server = server;
    return node;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server?.address() as AddressInfo).port}`;
  }

  resumeUrl(task: string): string {
    return `http://${this.host}/v2/resume/${task}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}
