import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { RpcError, rpcErrorOf } from './rpc-error.js';

export interface RpcAgents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export interface RpcEndpointOptions {
  readonly url: string;
  readonly chainId: number;
  readonly agents: RpcAgents;
  /** For one exchange. */
  readonly timeoutMs: number;
}

/** Longest answer that is read. 64 MiB hold more logs than any provider returns at once. */
const maxAnswerBytes = 64 * 1024 * 1024;
/** A node behind the same address may have been replaced by one of another chain. */
const chainCheckEveryMs = 5 * 60_000;
const shortestPauseMs = 250;
const longestPauseMs = 30_000;

/** One node, or one load balancer in front of several: raw JSON-RPC over keep-alive HTTP. */
export class RpcEndpoint {
  readonly #options: RpcEndpointOptions;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  #nextId = 1;
  #chainCheckedAt = Number.NEGATIVE_INFINITY;
  #chainCheck: Promise<void> | undefined;
  #failures = 0;
  #pausedUntil = 0;

  constructor(options: RpcEndpointOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
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

  /** Host only: paths and queries of providers carry API keys. */
  get name(): string {
    return this.#url.host;
  }

  /** How much longer it should be left alone, in milliseconds; 0 when it is well. */
  get pauseLeftMs(): number {
    return Math.max(0, this.#pausedUntil - performance.now());
  }

  /** Asks the node, once it has proved that it belongs to the right chain. */
  async request<T>(method: string, params: readonly unknown[], signal?: AbortSignal): Promise<T> {
    try {
      if (performance.now() - this.#chainCheckedAt > chainCheckEveryMs) await this.#checkChain();
      const result = await this.#exchange(method, params, signal);
      this.#failures = 0;
      this.#pausedUntil = 0;
      return result as T;
    } catch (error) {
      if (error instanceof RpcError && !signal?.aborted) this.#note(error);
      throw error;
    }
  }

  #note(error: RpcError): void {
    if (error.kind === 'rejected' || error.kind === 'rangeTooLarge') return;
    if (error.kind === 'transport') this.#chainCheckedAt = Number.NEGATIVE_INFINITY;
    const ceiling = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#pausedUntil = performance.now() + Math.max(error.retryAfterMs ?? 0, Math.random() * ceiling);
  }

  /** One check at a time: calls that arrive meanwhile wait for the same answer. */
  async #checkChain(): Promise<void> {
    this.#chainCheck ??= this.#readChain().finally(() => {
      this.#chainCheck = undefined;
    });
    await this.#chainCheck;
  }

  async #readChain(): Promise<void> {
    const answer = await this.#exchange('eth_chainId', []);
    const chainId = typeof answer === 'string' ? Number(answer) : Number.NaN;
    if (chainId !== this.#options.chainId) {
      throw new RpcError(
        'wrongChain',
        `The node ${this.name} is on chain ${String(chainId)}, expected ${String(this.#options.chainId)}`,
        { fix: 'Correct rpcUrl or chainId of the network.' },
      );
    }
    this.#chainCheckedAt = performance.now();
  }

  async #exchange(method: string, params: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    const id = this.#nextId++;
    const { status, headers, text } = await this.#post(JSON.stringify({ jsonrpc: '2.0', id, method, params }), signal);
    if (status === 429 || status === 503) {
      const seconds = Number(headers['retry-after'] ?? '');
      throw new RpcError('throttled', `The node ${this.name} answered ${String(status)} to ${method}`, {
        retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1_000, 60_000) : 1_000,
      });
    }
    const answer = parseAnswer(text);
    // Some providers report JSON-RPC errors with a 4xx status: the body counts when it is one.
    if (answer?.error) throw rpcErrorOf(method, answer.error);
    if (status !== 200) {
      throw new RpcError('transport', `The node ${this.name} answered ${String(status)} to ${method}`);
    }
    if (!answer || answer.id !== id || !('result' in answer)) {
      throw new RpcError('transport', `The node ${this.name} answered something unreadable to ${method}`);
    }
    return answer.result;
  }

  #post(
    body: string,
    signal: AbortSignal | undefined,
  ): Promise<{ status: number; headers: IncomingMessage['headers']; text: string }> {
    const { timeoutMs, agents } = this.#options;
    return new Promise((resolve, reject) => {
      const isHttps = this.#url.protocol === 'https:';
      const request = (isHttps ? httpsRequest : httpRequest)(this.#url, {
        method: 'POST',
        agent: isHttps ? agents.https : agents.http,
        headers: { ...this.#headers, 'content-length': Buffer.byteLength(body) },
      });
      const stop = (reason: string, cause?: unknown): void => {
        settle();
        request.destroy();
        reject(new RpcError('transport', `The node ${this.name} ${reason}`, { cause }));
      };
      const onAbort = (): void => {
        stop('was not waited for, because the hub is stopping or the caller gave up');
      };
      const deadline = setTimeout(() => {
        stop(`did not answer within ${String(timeoutMs)} ms`);
      }, timeoutMs);
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

interface Answer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown };
}

function parseAnswer(text: string): Answer | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
