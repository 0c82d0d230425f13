import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

import type { AxiosRequestConfig, AxiosResponse, InternalAxiosRequestConfig } from 'axios';

import { PatchbayError, type HttpClient } from '#sdk';

/**
 * What goes over the wire. A class, because axios copies plain objects key by key on every request; for the same reason
 * headers travel here and not in axios's own field.
 */
export class Exchange {
  readonly target: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;

  constructor(fields: Exchange) {
    this.target = fields.target;
    this.method = fields.method;
    this.headers = fields.headers;
    this.body = fields.body;
    this.timeoutMs = fields.timeoutMs;
    this.maxBytes = fields.maxBytes;
    this.signal = fields.signal;
  }
}

export interface ExchangeConfig extends AxiosRequestConfig {
  readonly exchange: Exchange;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

const repeatable = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

/**
 * Makes the exchanges of an axios instance over node:http with nothing but what the hub needs: no redirects, no proxies, one
 * time-out for the whole exchange, a bounded answer. axios's own adapter costs several times as much per request.
 */
export function createSocketAdapter(agents: HttpClient['agents']) {
  return async function adapter(config: InternalAxiosRequestConfig): Promise<AxiosResponse<Answer>> {
    // Only our own client uses this adapter, and it always sets the exchange.
    const { exchange } = config as unknown as ExchangeConfig;
    const data = await answerOf(exchange, agents);
    return { data, status: data.status, statusText: '', headers: {}, config };
  };
}

async function answerOf(exchange: Exchange, agents: HttpClient['agents']): Promise<Answer> {
  try {
    return await send(exchange, agents);
  } catch (error) {
    // The other side closed an idle socket in the moment it was used again; nothing was answered.
    if (!(error instanceof StaleSocketError)) throw error;
    if (!repeatable.has(exchange.method)) throw error.cause;
    return send(exchange, agents);
  }
}

class StaleSocketError extends Error {}

function send(exchange: Exchange, agents: HttpClient['agents']): Promise<Answer> {
  const { target, signal, timeoutMs, body } = exchange;
  return new Promise((resolve, reject) => {
    const isSecure = target.protocol === 'https:';
    const options: RequestOptions = {
      host: target.hostname.startsWith('[') ? target.hostname.slice(1, -1) : target.hostname,
      port: target.port || (isSecure ? 443 : 80),
      path: target.pathname + target.search,
      method: exchange.method,
      headers:
        body === undefined ? exchange.headers : { ...exchange.headers, 'content-length': Buffer.byteLength(body) },
      agent: isSecure ? agents.https : agents.http,
    };
    const request = isSecure ? httpsRequest(options) : httpRequest(options);
    let hasAnswer = false;

    const timer = setTimeout(() => {
      fail(new PatchbayError('connection.timeout', { detail: `no complete answer within ${timeoutMs} ms` }));
    }, timeoutMs);
    const onAbort = () => fail(signal?.reason);
    signal?.addEventListener('abort', onAbort);

    function release(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }

    function fail(reason: unknown): void {
      release();
      request.destroy();
      reject(reason);
    }

    request.on('error', (error: NodeJS.ErrnoException) => {
      const isStale = request.reusedSocket && !hasAnswer && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      fail(isStale ? new StaleSocketError('stale socket', { cause: error }) : error);
    });
    request.on('response', (answer) => {
      hasAnswer = true;
      readBounded(answer, exchange.maxBytes, (error, text) => {
        if (error) return fail(error);
        release();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
      });
    });
    request.end(body);
  });
}

/** Reads at most `maxBytes` of the decoded answer; what goes beyond is cut off together with the connection. */
function readBounded(
  answer: IncomingMessage,
  maxBytes: number,
  done: (error: Error | null, text: string) => void,
): void {
  const body = decoded(answer);
  const chunks: Buffer[] = [];
  let size = 0;
  let isDone = false;

  function finish(error: Error | null): void {
    if (isDone) return;
    isDone = true;
    done(error, error ? '' : textOf(chunks, maxBytes));
  }

  body.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= maxBytes) return;
    finish(null);
    answer.destroy();
  });
  body.on('end', () => finish(null));
  body.on('error', finish);
  if (body === answer) return;
  answer.on('error', finish);
  answer.on('close', () => {
    if (!answer.complete) finish(Object.assign(new Error('the answer broke off'), { code: 'ECONNRESET' }));
  });
}

function textOf(chunks: readonly Buffer[], maxBytes: number): string {
  const [only] = chunks;
  const whole = only && chunks.length === 1 ? only : Buffer.concat(chunks);
  return whole.toString('utf8', 0, maxBytes);
}

function decoded(answer: IncomingMessage): Readable {
  switch (answer.headers['content-encoding']?.toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return answer.pipe(createGunzip());
    case 'deflate':
      return answer.pipe(createInflate());
    case 'br':
      return answer.pipe(createBrotliDecompress());
    default:
      return answer;
  }
}
