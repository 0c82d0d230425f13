import type { Network, Rpc, RpcCall } from '#evm';

interface Asked {
  readonly call: RpcCall;
  readonly answer: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

const ofNetworks = new WeakMap<Network, GatheredCalls>();

/**
 * Questions of runs that go on side by side: those of one turn of the event loop go to the node together, and what several
 * ask is asked once.
 */
export class GatheredCalls implements Rpc {
  #asked = new Map<string, Asked>();

  private constructor(private readonly rpc: Rpc) {}

  static of(network: Network): GatheredCalls {
    let calls = ofNetworks.get(network);
    if (!calls) {
      calls = new GatheredCalls(network.rpc);
      ofNetworks.set(network, calls);
    }
    return calls;
  }

  get batchLimit(): number {
    return this.rpc.batchLimit;
  }

  async request<T>(method: string, params: readonly unknown[] = []): Promise<T> {
    const key = JSON.stringify([method, params]);
    let asked = this.#asked.get(key);
    if (!asked) {
      if (this.#asked.size === 0) setImmediate(() => void this.#ask());
      asked = ask({ method, params });
      this.#asked.set(key, asked);
    }
    return (await asked.answer) as T;
  }

  async requestMany(calls: readonly RpcCall[]): Promise<readonly PromiseSettledResult<unknown>[]> {
    return await Promise.allSettled(calls.map(({ method, params }) => this.request(method, params)));
  }

  async #ask(): Promise<void> {
    const all = [...this.#asked.values()];
    this.#asked = new Map();
    const answers = await this.rpc.requestMany(all.map(({ call }) => call));
    for (const [index, { resolve, reject }] of all.entries()) {
      const answer = answers[index];
      if (answer?.status === 'fulfilled') resolve(answer.value);
      else reject(answer?.reason);
    }
  }
}

function ask(call: RpcCall): Asked {
  let resolve: Asked['resolve'] = () => undefined;
  let reject: Asked['reject'] = () => undefined;
  const answer = new Promise<unknown>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { call, answer, resolve, reject };
}
