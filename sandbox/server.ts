import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Faults } from './faults.js';
import type { ReceivedLog } from './received.js';
import type { Exchange, Reply, StandIn } from './stand-in.js';

/** Takes a request that is no business of a stand-in; false when it is not for this route. */
export type Route = (request: IncomingMessage, response: ServerResponse, path: string) => boolean;

export interface SandboxServerOptions {
  readonly standIns: readonly StandIn[];
  readonly routes: readonly Route[];
  readonly faults: Faults;
  readonly received: ReceivedLog;
}

const longestBody = 16 * 1_024 * 1_024;

/** One HTTP server for all stand-ins: `/<name>/…` goes to the stand-in, through the faults it was told to show. */
export function createSandboxServer({ standIns, routes, faults, received }: SandboxServerOptions): Server {
  const byName = new Map(standIns.map((standIn) => [standIn.name, standIn]));

  async function serve(
    standIn: StandIn,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const rawBody = await readBody(request);
    const exchange = exchangeOf(request, path, rawBody);
    const fault = faults.next(standIn.name);
    if (fault?.delayMs !== undefined) await delay(fault.delayMs, undefined, { ref: false });
    const isKept = fault?.status !== undefined;
    const reply: Reply = isKept ? { status: fault.status ?? 500, ...pick(fault) } : await standIn.reply(exchange);
    const isReset = fault?.resetAfterProcessing === true || reply.isReset === true;
    received.add({
      at: new Date().toISOString(),
      standIn: standIn.name,
      method: exchange.method,
      url: request.url ?? '/',
      headers: exchange.headers,
      body: rawBody.toString('utf8'),
      status: isReset ? 0 : reply.status,
      processed: !isKept,
    });
    if (isReset) request.socket.resetAndDestroy();
    else send(response, reply);
  }

  return createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const [, name = ''] = path.split('/', 2);
    const standIn = byName.get(name);
    if (standIn !== undefined) {
      serve(standIn, path.slice(name.length + 1) || '/', request, response).catch((error: unknown) => {
        if (!response.headersSent) send(response, { status: 500, body: String(error) });
        else response.destroy();
      });
      return;
    }
    if (!routes.some((route) => route(request, response, path))) {
      send(response, { status: 404, body: `The sandbox has nothing under ${path}` });
    }
  });
}

/** Listens on the port, or on the next free one above it; 0 lets the system choose. */
export async function listen(server: Server, port: number): Promise<number> {
  for (let candidate = port; candidate < port + 100; candidate += 1) {
    const isListening = await new Promise<boolean>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void =>
        error.code === 'EADDRINUSE' ? resolve(false) : reject(error);
      server.once('error', onError);
      server.listen(candidate, '127.0.0.1', () => {
        server.off('error', onError);
        resolve(true);
      });
    });
    if (isListening) return (server.address() as AddressInfo).port;
  }
  throw new Error(`None of the ports ${port} to ${port + 99} is free`);
}

/** @throws what `tooLong` makes, when the body is longer */
export async function readBody(
  request: IncomingMessage,
  longest = longestBody,
  tooLong = () => new Error(`The body has more than ${longest} bytes`),
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longest) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function parseBody(rawBody: Buffer): unknown {
  const text = rawBody.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function send(response: ServerResponse, { status, headers = {}, body }: Reply): void {
  const isText = typeof body === 'string';
  const text = body === undefined ? '' : isText ? body : JSON.stringify(body);
  const type = isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';
  response.writeHead(status, { ...(text !== '' && { 'content-type': type }), ...headers });
  response.end(text);
}

function exchangeOf(request: IncomingMessage, path: string, rawBody: Buffer): Exchange {
  const { searchParams } = new URL(request.url ?? '/', 'http://sandbox');
  return {
    method: request.method ?? 'GET',
    path,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    rawBody,
    body: parseBody(rawBody),
  };
}

function pick({ headers, body }: { headers?: Reply['headers'] | undefined; body?: unknown }): Omit<Reply, 'status'> {
  return { ...(headers !== undefined && { headers }), ...(body !== undefined && { body }) };
}
