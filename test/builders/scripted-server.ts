import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed; a spec reads it without narrowing it first. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
  /** The connection is closed in place of an answer. */
  readonly isCut?: boolean;
}

/** The other side of a call: says what a spec tells it to, and remembers what it was asked. */
export class ScriptedServer {
  readonly requests: ScriptedRequest[] = [];
  answer: (request: ScriptedRequest) => ScriptedAnswer | Promise<ScriptedAnswer> = () => ({});
  #server: Server | undefined;

  static async start(): Promise<ScriptedServer> {
    const scripted = new ScriptedServer();
    const server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const asked = {
          method,
          path: url,
          headers,
          text,
          body: text === '' ? undefined : (JSON.parse(text) as unknown),
        };
        scripted.requests.push(asked);
        void Promise.resolve(scripted.answer(asked)).then(({ status = 200, headers: more, body = {}, isCut }) => {
          if (isCut === true) return request.socket.destroy();
          response.writeHead(status, { 'content-type': 'application/json', ...more });
          return response.end(typeof body === 'string' ? body : JSON.stringify(body));
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    scripted.#server = server;
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server?.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}
