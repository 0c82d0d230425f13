import { PatchbayError } from '#sdk';
import { RequestPace } from './request-pace.js';
import { mostCallsPerBatch, readBatchAnswer, takeBatch, type RpcBatch, type RpcResults } from './rpc-batch.js';
import type { RpcCall } from './rpc-client.js';
import { RpcError, isRefusal, isUnknownMethod, rpcErrorOf } from './rpc-error.js';
import { RpcTransport, type RpcAgents } from './rpc-transport.js';

export interface RpcEndpointOptions {
  readonly url: string;
  readonly chainId: number;
  readonly agents: RpcAgents;
  /** For one exchange. */
  readonly timeoutMs: number;
  /** Calls; without it the node's own limit is found out by its refusals. */
  readonly requestsPerSecond?: number | undefined;
  readonly onUnknownMethod?: () => void;
}

/** A node behind the same address may have been replaced by one of another chain. */
const chainCheckEveryMs = 5 * 60_000;
/** A proxy in front of a node may refuse once what the node takes ever after. */
const refusalStandsMs = 5 * 60_000;
const shortestPauseMs = 250;
const longestPauseMs = 30_000;
/** Calls at a time to a node that takes no batches. */
const callsAtOnce = 8;

/** One node, or one load balancer in front of several. */
export class RpcEndpoint {
  readonly #chainId: number;
  readonly #transport: RpcTransport;
  readonly #pace: RequestPace | undefined;
  readonly #onUnknownMethod: (() => void) | undefined;
  #nextId = 1;
  /** Since it refused a larger batch; undefined: it has not. */
  #refusal: { readonly limit: number; readonly at: number } | undefined;
  #chainCheckedAt = Number.NEGATIVE_INFINITY;
  #chainCheck: Promise<void> | undefined;
  #failures = 0;
  #pausedUntil = 0;
  /** As long as the node itself has asked to be left alone. */
  #shutUntil = 0;

  constructor(options: RpcEndpointOptions) {
    this.#chainId = options.chainId;
    this.#transport = new RpcTransport(options);
    this.#onUnknownMethod = options.onUnknownMethod;
    this.#pace =
      options.requestsPerSecond === undefined
        ? undefined
        : new RequestPace(options.requestsPerSecond, options.timeoutMs);
  }

  /** Host only: paths and queries of providers carry API keys. */
  get name(): string {
    return this.#transport.host;
  }

  /** How much longer it should be left alone, in milliseconds; 0 when it is well. */
  get pauseLeftMs(): number {
    return Math.max(0, this.#pausedUntil - performance.now());
  }

  /** Most calls that it takes in one request, as far as is known; 1: it refuses batches. A refusal counts for minutes. */
  get batchLimit(): number {
    const refusal = this.#refusal;
    const isStanding = refusal !== undefined && performance.now() - refusal.at < refusalStandsMs;
    return isStanding ? refusal.limit : mostCallsPerBatch;
  }

  /** Asks the node, once it has proved that it belongs to the right chain. */
  async request<T>(method: string, params: readonly unknown[], signal?: AbortSignal): Promise<T> {
    const result = await this.#guarded(1, signal, () => this.#exchange(method, params, signal));
    return result as T;
  }

  /**
   * Like many requests, in as few exchanges as the node takes. Never throws: once an exchange fails altogether, what was
   * not asked yet fails with it.
   */
  async requestMany(calls: readonly RpcCall[], signal?: AbortSignal): Promise<RpcResults> {
    const results: PromiseSettledResult<unknown>[] = [];
    while (results.length < calls.length) {
      try {
        const isAlone = this.batchLimit === 1 || calls.length - results.length === 1;
        results.push(
          ...(isAlone
            ? await this.#askSingly(calls.slice(results.length), signal)
            : await this.#askTogether(calls, results.length, signal)),
        );
      } catch (reason) {
        while (results.length < calls.length) results.push({ status: 'rejected', reason });
      }
    }
    return results;
  }

  async #askTogether(calls: readonly RpcCall[], from: number, signal?: AbortSignal): Promise<RpcResults> {
    const batch = takeBatch(calls, from, this.batchLimit, () => this.#nextId++);
    const results = await this.#guarded(batch.calls.length, signal, async () =>
      readBatchAnswer(batch, await this.#transport.post(batch.body, `${String(batch.calls.length)} calls`, signal)),
    );
    if (typeof results === 'string') return await this.#askSmaller(batch, results, signal);
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    const worst = reasons.find((reason) => !isRefusal(reason)) ?? reasons.find(isUnknownMethod);
    if (worst instanceof RpcError) this.#note(worst);
    return results;
  }

  /** Believed only when the node answers the first call alone: one that refuses everything says nothing about batches. */
  async #askSmaller(batch: RpcBatch, why: 'tooLarge' | 'refused', signal?: AbortSignal): Promise<RpcResults> {
    const results = await this.#askSingly(batch.calls.slice(0, 1), signal);
    const first = results[0];
    if (first?.status === 'rejected' && !isRefusal(first.reason)) throw PatchbayError.from(first.reason);
    const smaller = why === 'refused' ? 1 : Math.max(1, Math.floor(batch.calls.length / 2));
    this.#refusal = { limit: Math.min(this.batchLimit, smaller), at: performance.now() };
    return results;
  }

  async #askSingly(calls: readonly RpcCall[], signal?: AbortSignal): Promise<RpcResults> {
    const results: PromiseSettledResult<unknown>[] = [];
    const queue = calls.entries();
    let failure: PatchbayError | undefined;
    const work = async (): Promise<void> => {
      for (const [index, { method, params = [] }] of queue) {
        try {
          if (failure !== undefined) throw failure;
          results[index] = { status: 'fulfilled', value: await this.request(method, params, signal) };
        } catch (reason) {
          if (!isRefusal(reason)) failure ??= PatchbayError.from(reason);
          results[index] = { status: 'rejected', reason };
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(callsAtOnce, calls.length) }, work));
    return results;
  }

  /** What goes around every exchange: the own limit, the chain, and how well the node is. */
  async #guarded<T>(calls: number, signal: AbortSignal | undefined, exchange: () => Promise<T>): Promise<T> {
    const shutMs = this.#shutUntil - performance.now();
    if (shutMs > 0) {
      throw new RpcError('throttled', `The node ${this.name} wants to be left alone`, { retryAfterMs: shutMs });
    }
    await this.#pace?.take(calls);
    try {
      if (performance.now() - this.#chainCheckedAt > chainCheckEveryMs) await this.#checkChain();
      const result = await exchange();
      this.#failures = 0;
      this.#pausedUntil = 0;
      return result;
    } catch (error) {
      if (error instanceof RpcError && !signal?.aborted) this.#note(error);
      throw error;
    }
  }

  #note(error: RpcError): void {
    if (isUnknownMethod(error)) this.#onUnknownMethod?.();
    if (isRefusal(error)) return;
    if (error.kind === 'transport') this.#chainCheckedAt = Number.NEGATIVE_INFINITY;
    const ceiling = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    const now = performance.now();
    this.#pausedUntil = now + Math.max(error.retryAfterMs ?? 0, Math.random() * ceiling);
    if (error.isRetryAfterGiven) this.#shutUntil = now + (error.retryAfterMs ?? 0);
  }

  /** One check at a time: calls that arrive meanwhile wait for the same answer. */
  async #checkChain(): Promise<void> {
    this.#chainCheck ??= this.#readChain().finally(() => {
      this.#chainCheck = undefined;
    });
    await this.#chainCheck;
  }

  async #readChain(): Promise<void> {
    const answer = await this.#exchange('eth_chainId', []).catch(async (error: unknown) => {
      // Nodes from before EIP-695 know only the id of their network, which is the same number wherever both exist.
      if (isUnknownMethod(error)) return await this.#exchange('net_version', []);
      throw error;
    });
    const chainId = typeof answer === 'string' ? Number(answer) : Number.NaN;
    if (chainId !== this.#chainId) {
      throw new RpcError(
        'wrongChain',
        `The node ${this.name} is on chain ${String(chainId)}, expected ${String(this.#chainId)}`,
        { fix: 'Correct rpcUrl or chainId of the network.' },
      );
    }
    this.#chainCheckedAt = performance.now();
  }

  async #exchange(method: string, params: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    const id = this.#nextId++;
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
    const { status, json } = await this.#transport.post(body, method, signal);
    const answer: Answer | undefined =
      typeof json === 'object' && json !== null && !Array.isArray(json) ? json : undefined;
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
}

interface Answer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown };
}
