import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HubAnswer {
  readonly status?: number;
  readonly body?: unknown;
}

export interface HubCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

export interface ScriptedHub {
  readonly url: string;
  readonly calls: readonly HubCall[];
  stop(): Promise<void>;
}

/** `GET /api/runs` (without a query) to what is answered; a list is answered one after another, the last one for ever. */
export type HubScript = Readonly<Record<string, HubAnswer | readonly HubAnswer[]>>;

/** Speaks HTTP like a hub and answers as told; what is not told of is 404. */
export async function aScriptedHub(script: HubScript): Promise<ScriptedHub> {
  const calls: HubCall[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = 'GET', url: path = '/', headers } = request;
      const text = Buffer.concat(chunks).toString('utf8');
      calls.push({ method, path, headers, body: text === '' ? undefined : (JSON.parse(text) as unknown) });
      const route = `${method} ${path.split('?')[0] ?? ''}`;
      const { status = 200, body } = answerOf(script[route], counts, route);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? '' : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerOf(scripted: HubScript[string] | undefined, counts: Map<string, number>, route: string): HubAnswer {
  if (scripted === undefined) {
    return {
      status: 404,
      body: { code: 'request.notFound', detail: `Nothing under ${route}`, requestId: 'request-1' },
    };
  }
  const answers = [scripted].flat();
  const count = counts.get(route) ?? 0;
  counts.set(route, count + 1);
  return answers[Math.min(count, answers.length - 1)] ?? {};
}
