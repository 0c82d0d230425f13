import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { RpcError } from './rpc-error.js';

export interface RpcAgents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export interface HttpAnswer {
  readonly status: number;
  /** Undefined when it is no JSON. */
  readonly json: unknown;
}

/** Longest answer that is read. 64 MiB hold more logs than any provider returns at once. */
const maxAnswerBytes = 64 * 1024 * 1024;
const longestRetryAfterMs = 60_000;

/** JSON over keep-alive HTTP to one address, which no error shows: paths and queries of providers carry API keys. */
export class RpcTransport {
  readonly #url: URL;
  readonly #agents: RpcAgents;
  readonly #timeoutMs: number;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: { readonly url: string; readonly agents: RpcAgents; readonly timeoutMs: number }) {
    this.#url = new URL(options.url);
    this.#agents = options.agents;
    this.#timeoutMs = options.timeoutMs;
    const { username, password } = this.#url;
    this.#headers = {
      'content-type': 'application/json',
      ...(username === '' && password === ''
        ? {}
        : {
            authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`,
          }),
    };
  }

  get host(): string {
    return this.#url.host;
  }

  /** @throws RpcError `transport` without an answer, `throttled` when the node wants to be left alone */
  async post(body: string, about: string, signal?: AbortSignal): Promise<HttpAnswer> {
    const { status, headers, text } = await this.#exchange(body, signal);
    if (status === 429 || status === 503) {
      const retryAfterMs = parseRetryAfter(headers['retry-after']);
      throw new RpcError('throttled', `The node ${this.host} answered ${String(status)} to ${about}`, {
        retryAfterMs: retryAfterMs ?? 1_000,
        isRetryAfterGiven: retryAfterMs !== undefined,
      });
    }
    return { status, json: parseJson(text) };
  }

  #exchange(
    body: string,
    signal: AbortSignal | undefined,
  ): Promise<{ status: number; headers: IncomingMessage['headers']; text: string }> {
    return new Promise((resolve, reject) => {
      const isHttps = this.#url.protocol === 'https:';
      const request = (isHttps ? httpsRequest : httpRequest)(this.#url, {
        method: 'POST',
        agent: isHttps ? this.#agents.https : this.#agents.http,
        headers: { ...this.#headers, 'content-length': Buffer.byteLength(body) },
      });
      const stop = (reason: string, cause?: unknown): void => {
        settle();
        request.destroy();
        reject(new RpcError('transport', `The node ${this.host} ${reason}`, { cause }));
      };
      const onAbort = (): void => {
        stop('was not waited for, because the hub is stopping or the caller gave up');
      };
      const deadline = setTimeout(() => {
        stop(`did not answer within ${String(this.#timeoutMs)} ms`);
      }, this.#timeoutMs);
      const settle = (): void => {
        clearTimeout(deadline);
        signal?.removeEventListener('abort', onAbort);
      };
      if (signal?.aborted) {
        onAbort();
        request.on('error', () => undefined);
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      request.on('error', (error) => {
        stop(`cannot be reached: ${error.message}`, error);
      });
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxAnswerBytes) stop('answered more than 64 MiB');
          else chunks.push(chunk);
        });
        response.on('error', (error) => {
          stop(`broke off its answer: ${error.message}`, error);
        });
        response.on('end', () => {
          settle();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks, size).toString('utf8'),
          });
        });
      });
      request.end(body);
    });
  }
}

/** Seconds, or the date that HTTP allows as well. */
function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - Date.now();
  return ms > 0 ? Math.min(ms, longestRetryAfterMs) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
