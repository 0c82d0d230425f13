import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { PatchbayError } from '#sdk';
import { probeNode, type NodeTraits } from './node-traits.js';
import type { RpcResults } from './rpc-batch.js';
import { RpcEndpoint } from './rpc-endpoint.js';
import { RpcError, isRefusal } from './rpc-error.js';
import type { RpcAgents } from './rpc-transport.js';

export interface RpcClientOptions {
  readonly urls: readonly string[];
  readonly chainId: number;
  /** Agents that guard where may be connected to; plain keep-alive agents otherwise. */
  readonly agents?: RpcAgents;
  /** For one exchange, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** Calls to each node; without it the node's refusals say when it is too much. */
  readonly requestsPerSecond?: number | undefined;
}

const traitsFreshMs = 10 * 60_000;
const traitsDoubtMs = 60_000;

export interface RpcCall {
  readonly method: string;
  readonly params?: readonly unknown[];
}

/** Something that answers JSON-RPC calls: the whole network, or one of its nodes. */
export interface Rpc {
  /** Most calls that go together, as far as is known; 1: batches are refused, and each call is one request. */
  readonly batchLimit: number;
  request<T>(method: string, params?: readonly unknown[], signal?: AbortSignal): Promise<T>;
  /** Any number of calls in as few requests as the node takes; what became of each, in their order. Never throws. */
  requestMany(calls: readonly RpcCall[], signal?: AbortSignal): Promise<RpcResults>;
}

/** One network behind one or several nodes: a node that fails is left alone for a while and the next one is asked. */
export class RpcClient implements Rpc {
  readonly chainId: number;
  readonly #endpoints: readonly RpcEndpoint[];
  #traits: { readonly known: Promise<NodeTraits>; readonly askedAt: number } | undefined;

  constructor(options: RpcClientOptions) {
    const { chainId, timeoutMs = 10_000, requestsPerSecond } = options;
    this.chainId = chainId;
    const agents = options.agents ?? {
      http: new HttpAgent({ keepAlive: true }),
      https: new HttpsAgent({ keepAlive: true }),
    };
    const onUnknownMethod = (): void => {
      this.#doubtTraits();
    };
    this.#endpoints = options.urls.map(
      (url) => new RpcEndpoint({ url, chainId, agents, timeoutMs, requestsPerSecond, onUnknownMethod }),
    );
  }

  get size(): number {
    return this.#endpoints.length;
  }

  get batchLimit(): number {
    return this.#inOrder[0]?.batchLimit ?? 1;
  }

  /** @throws evm.rpc, evm.rpcThrottled, evm.wrongChain */
  async request<T>(method: string, params: readonly unknown[] = [], signal?: AbortSignal): Promise<T> {
    return await this.pass((rpc) => rpc.request<T>(method, params, signal));
  }

  /** Calls that have nothing to do with each other; those that a node did not answer are asked of the next one. */
  async requestMany(calls: readonly RpcCall[], signal?: AbortSignal): Promise<RpcResults> {
    const results: PromiseSettledResult<unknown>[] = [];
    let open = calls.map((call, index) => ({ call, index }));
    for (const endpoint of this.#inOrder) {
      if (open.length === 0) break;
      const answers = await endpoint.requestMany(
        open.map(({ call }) => call),
        signal,
      );
      const unanswered: typeof open = [];
      for (const [position, answer] of answers.entries()) {
        const asked = open[position];
        if (!asked) continue;
        results[asked.index] = answer;
        if (answer.status === 'rejected' && !isRefusal(answer.reason)) unanswered.push(asked);
      }
      open = unanswered;
    }
    return results;
  }

  /**
   * Several questions whose answers must fit together go to one node; when that node fails, the whole pass is done again
   * with the next one. Refusals (a revert, a range that is too large) are answers and are not asked elsewhere.
   */
  async pass<T>(ask: (rpc: Rpc) => Promise<T>): Promise<T> {
    let failure: RpcError | undefined;
    for (const endpoint of this.#inOrder) {
      try {
        return await ask({
          get batchLimit() {
            return endpoint.batchLimit;
          },
          request: (method, params = [], signal) => endpoint.request(method, params, signal),
          requestMany: (calls, signal) => endpoint.requestMany(calls, signal),
        });
      } catch (error) {
        if (!(error instanceof RpcError) || isRefusal(error)) throw error;
        failure = error;
      }
    }
    throw failure ?? new PatchbayError('connection.invalid', { detail: 'The network has no node' });
  }

  /** What the node can do: asked for once, and again after ten minutes or when it begins to lack a method. @throws evm.rpc */
  async traits({ freshMs = traitsFreshMs }: { readonly freshMs?: number } = {}): Promise<NodeTraits> {
    const askedAt = performance.now();
    if (this.#traits && askedAt - this.#traits.askedAt < freshMs) return await this.#traits.known;
    const known = this.pass(probeNode);
    this.#traits = { known, askedAt };
    known.catch(() => {
      this.#traits = undefined;
    });
    return await known;
  }

  /** The same question to every node that answers; for what must not be believed of a single one. */
  async requestAll<T>(method: string, params: readonly unknown[] = []): Promise<readonly T[]> {
    const answers = await Promise.allSettled(this.#endpoints.map((endpoint) => endpoint.request<T>(method, params)));
    const given = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const refused = answers.find((answer) => answer.status === 'rejected');
    if (given.length === 0 && refused) throw PatchbayError.from(refused.reason);
    return given;
  }

  /** Not at once: the probe itself asks for methods that may be missing, and so may others for ever. */
  #doubtTraits(): void {
    if (this.#traits && performance.now() - this.#traits.askedAt > traitsDoubtMs) this.#traits = undefined;
  }

  /** The one that has been well the longest first. */
  get #inOrder(): readonly RpcEndpoint[] {
    return [...this.#endpoints].sort((one, other) => one.pauseLeftMs - other.pauseLeftMs);
  }
}
