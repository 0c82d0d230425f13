import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { PatchbayError } from '#sdk';
import { RpcEndpoint, type RpcAgents } from './rpc-endpoint.js';
import { RpcError } from './rpc-error.js';

export interface RpcClientOptions {
  readonly urls: readonly string[];
  readonly chainId: number;
  /** Agents that guard where may be connected to; plain keep-alive agents otherwise. */
  readonly agents?: RpcAgents;
  /** For one exchange, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

/** Something that answers JSON-RPC calls: the whole network, or one of its nodes. */
export interface Rpc {
  request<T>(method: string, params?: readonly unknown[], signal?: AbortSignal): Promise<T>;
}

/** One network behind one or several nodes: a node that fails is left alone for a while and the next one is asked. */
export class RpcClient implements Rpc {
  readonly chainId: number;
  readonly #endpoints: readonly RpcEndpoint[];

  constructor(options: RpcClientOptions) {
    this.chainId = options.chainId;
    const agents = options.agents ?? {
      http: new HttpAgent({ keepAlive: true }),
      https: new HttpsAgent({ keepAlive: true }),
    };
    this.#endpoints = options.urls.map(
      (url) => new RpcEndpoint({ url, chainId: options.chainId, agents, timeoutMs: options.timeoutMs ?? 10_000 }),
    );
  }

  get size(): number {
    return this.#endpoints.length;
  }

  /** @throws evm.rpc, evm.rpcThrottled, evm.wrongChain */
  async request<T>(method: string, params: readonly unknown[] = [], signal?: AbortSignal): Promise<T> {
    return await this.pass((rpc) => rpc.request<T>(method, params, signal));
  }

  /**
   * Several questions whose answers must fit together go to one node; when that node fails, the whole pass is done again
   * with the next one. Refusals (a revert, a range that is too large) are answers and are not asked elsewhere.
   */
  async pass<T>(ask: (rpc: Rpc) => Promise<T>): Promise<T> {
    const order = [...this.#endpoints].sort((one, other) => one.pauseLeftMs - other.pauseLeftMs);
    let failure: RpcError | undefined;
    for (const endpoint of order) {
      try {
        return await ask({ request: (method, params = [], signal) => endpoint.request(method, params, signal) });
      } catch (error) {
        if (!(error instanceof RpcError) || error.kind === 'rejected' || error.kind === 'rangeTooLarge') throw error;
        failure = error;
      }
    }
    throw failure ?? new PatchbayError('connection.invalid', { detail: 'The network has no node' });
  }

  /** The same question to every node that answers; for what must not be believed of a single one. */
  async requestAll<T>(method: string, params: readonly unknown[] = []): Promise<readonly T[]> {
    const answers = await Promise.allSettled(this.#endpoints.map((endpoint) => endpoint.request<T>(method, params)));
    const given = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const refused = answers.find((answer) => answer.status === 'rejected');
    if (given.length === 0 && refused) throw PatchbayError.from(refused.reason);
    return given;
  }
}
