import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { PatchbayError, type HttpClient } from '#sdk';

import { parseEgress } from './egress-policy.js';
import { createHttpClient } from './http-client.js';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let server: Server;
let origin: string;
let client: HttpClient;
let seen: Seen[];
let respond: (response: ServerResponse, request: IncomingMessage) => void;
let connections = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      respond(response, request);
    });
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
  const { port } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  client = createHttpClient({ egress: parseEgress([`127.0.0.1:${port}`]) });
});

afterAll(async () => {
  client.agents.http.destroy();
  client.agents.https.destroy();
  server.closeAllConnections();
  await new Promise((down) => server.close(down));
});

beforeEach(() => {
  seen = [];
  respond = (response) => response.setHeader('content-type', 'application/json').end('{"ok":true}');
});

async function failureOf(promise: Promise<unknown>): Promise<PatchbayError> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(PatchbayError);
  return thrown as PatchbayError;
}

describe('an exchange', () => {
  it('given data, when it is posted, then it arrives as JSON and the answer is parsed', async () => {
    const answer = await client.request({
      method: 'POST',
      url: `${origin}/a?b=c`,
      headers: { 'X-Key': '1' },
      body: { n: 'ü' },
    });

    expect(answer).toMatchObject({ status: 200, text: '{"ok":true}', body: { ok: true } });
    expect(seen).toMatchObject([{ method: 'POST', url: '/a?b=c', body: '{"n":"ü"}' }]);
    expect(seen[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '10',
      'x-key': '1',
    });
  });

  it('given an address that a stranger chose, when only public ones may be called, then the list of the operator does not count', async () => {
    await expect(client.request({ url: origin, onlyPublic: true })).rejects.toMatchObject({ code: 'target.forbidden' });
    expect(seen).toEqual([]);
  });

  it('given text or bytes, when they are sent, then they are not touched; without a body no type is invented', async () => {
    await client.request({
      method: 'POST',
      url: origin,
      body: '{"raw" : 1}',
      headers: { 'content-type': 'application/json' },
    });
    await client.request({ method: 'PUT', url: origin, body: Buffer.from([0x61, 0x62]) });
    await client.request({ method: 'POST', url: origin });

    expect(seen.map(({ body, headers }) => [body, headers['content-type']])).toEqual([
      ['{"raw" : 1}', 'application/json'],
      ['ab', 'application/octet-stream'],
      ['', undefined],
    ]);
  });

  it('given many requests in a row, when they are made, then they share a connection', async () => {
    await client.request({ url: origin });
    const before = connections;
    for (let i = 0; i < 5; i += 1) await client.request({ url: origin });

    expect(connections).toBe(before);
  });

  it('given an answer that is too long, when it is read, then the rest is cut off, compressed or not', async () => {
    const bomb = gzipSync(Buffer.alloc(5_000_000, 'a'));
    respond = (response) => response.end('x'.repeat(1_000_000));
    const plain = await client.request({ url: origin, maxBytes: 100 });
    respond = (response) => response.setHeader('content-encoding', 'gzip').end(bomb);
    const zipped = await client.request({ url: origin, maxBytes: 100 });

    expect([plain.text, zipped.text]).toEqual(['x'.repeat(100), 'a'.repeat(100)]);
  });

  it('given a compressed answer, when it is read, then it is unpacked; a broken one is unreadable', async () => {
    respond = (response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('{"a":1}'));
    expect((await client.request({ url: origin })).body).toEqual({ a: 1 });
    respond = (response) => response.setHeader('content-encoding', 'gzip').end('not gzip at all');
    expect((await failureOf(client.request({ url: origin }))).code).toBe('http.unreadable');
  });

  it('given a status that the caller accepts, when it is answered, then it is returned', async () => {
    respond = (response) => response.writeHead(404).end('gone');

    expect(await client.request({ url: origin, accept: (status) => status === 404 })).toMatchObject({
      status: 404,
      body: 'gone',
    });
  });

  it('given an idle connection that the other side closes, when it is used again, then a repeatable request succeeds', async () => {
    await client.request({ url: origin });
    let dropped = false;
    respond = (response, request) => {
      if (dropped) return response.end('second');
      dropped = true;
      request.socket.destroy();
      return response;
    };

    expect((await client.request({ url: origin })).text).toBe('second');
    dropped = false;
    expect((await failureOf(client.request({ url: origin, method: 'POST', body: {} }))).code).toBe(
      'connection.refused',
    );
  });
});

describe('a failure', () => {
  it.each([
    [301, {}, 'http.rejected', undefined],
    [400, {}, 'http.rejected', undefined],
    [401, {}, 'connection.unauthorised', undefined],
    [403, {}, 'connection.unauthorised', undefined],
    [404, {}, 'http.rejected', undefined],
    [408, {}, 'http.failed', undefined],
    [425, {}, 'http.failed', undefined],
    [429, {}, 'http.throttled', undefined],
    [429, { 'retry-after': '7' }, 'http.throttled', 7000],
    [429, { 'retry-after': '99999999' }, 'http.throttled', 86_400_000],
    [429, { 'retry-after': 'soon' }, 'http.throttled', undefined],
    [429, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 'http.throttled', 0],
    [500, {}, 'http.failed', undefined],
    [503, {}, 'http.failed', undefined],
    [503, { 'retry-after': '1' }, 'http.throttled', 1000],
  ] as const)(
    'given status %i with %j, when it is answered, then the code is %s',
    async (status, headers, code, retryAfterMs) => {
      respond = (response) => response.writeHead(status, headers).end('because');
      const failure = await failureOf(client.request({ method: 'POST', url: `${origin}/path?key=hidden`, body: {} }));

      expect(failure.code).toBe(code);
      expect(failure.retryAfterMs).toBe(retryAfterMs);
      expect(failure.detail).toBe(`POST ${new URL(origin).host}/path answered ${status}: because`);
    },
  );

  it('given a key in the path and in the answer, when it fails, then the key appears nowhere', async () => {
    respond = (response) => response.writeHead(400).end(`no such key s3cr/t, \u001b[31mreally${'.'.repeat(500)}`);
    const failure = await failureOf(client.request({ url: `${origin}/use/s3cr%2Ft`, redact: ['s3cr/t'] }));

    expect(failure.detail).toContain('/use/***');
    expect(failure.detail).toContain('no such key ***, [31mreally');
    expect(failure.detail.length).toBeLessThan(400);
  });

  it('given nobody listening, an unknown name or a connection that breaks off, when it is called, then it is refused', async () => {
    const idle = createServer();
    await new Promise<void>((up) => idle.listen(0, '127.0.0.1', up));
    const { port } = idle.address() as AddressInfo;
    await new Promise((down) => idle.close(down));
    const lookup = (_name: string, _options: unknown, done: (error: Error, addresses: []) => void) =>
      done(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []);
    const other = createHttpClient({ egress: parseEgress([`127.0.0.1:${port}`], { lookup }) });
    respond = (response, request) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      setImmediate(() => request.socket.destroy());
    };

    expect((await failureOf(other.request({ url: `http://127.0.0.1:${port}/` }))).code).toBe('connection.refused');
    expect((await failureOf(other.request({ url: 'http://nowhere.example/' }))).code).toBe('connection.refused');
    expect((await failureOf(client.request({ url: origin }))).code).toBe('connection.refused');
  });

  it('given an answer that never comes or never ends, when the time is over, then it is a time-out', async () => {
    respond = () => undefined;
    expect((await failureOf(client.request({ url: origin, timeoutMs: 30 }))).code).toBe('connection.timeout');
    respond = (response) => response.writeHead(200).write('slow');
    expect((await failureOf(client.request({ url: origin, timeoutMs: 30 }))).code).toBe('connection.timeout');
  });

  it('given a caller that gives up, when it says why, then that is the error; otherwise the step is cancelled', async () => {
    respond = () => undefined;
    const reason = new PatchbayError('step.timeout');
    const controller = new AbortController();
    const pending = failureOf(client.request({ url: origin, signal: controller.signal }));
    controller.abort(reason);

    expect(await pending).toBe(reason);
    expect(await failureOf(client.request({ url: origin, signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect((await failureOf(client.request({ url: origin, signal: AbortSignal.abort() }))).code).toBe('step.cancelled');
    expect((await failureOf(client.request({ url: origin, signal: AbortSignal.timeout(5) }))).code).toBe(
      'connection.timeout',
    );
  });

  it('given a header that would smuggle a line, when it is sent, then the request is rejected', async () => {
    const failure = await failureOf(client.request({ url: origin, headers: { 'x-a': 'b\r\nhost: evil' } }));

    expect(failure.code).toBe('http.rejected');
    expect(seen).toEqual([]);
  });
});
