import { parseQuantity } from './block.js';
import type { RpcClient } from './rpc-client.js';
import type { TransactionDraft, TransactionRecord, TransactionStore } from './transaction-store.js';

/** How long the chain's own count of an address is believed; the ledger's count is exact unless the key is used elsewhere. */
const countFreshMs = 10_000;

/** One next nonce per address. The store's lock makes it one among all processes; the queue here keeps this one from crowding it. */
export class NonceManager {
  readonly #rpc: RpcClient;
  readonly #store: TransactionStore;
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #counts = new Map<string, { readonly count: number; readonly at: number }>();

  constructor(rpc: RpcClient, store: TransactionStore) {
    this.#rpc = rpc;
    this.#store = store;
  }

  async reserve(draft: TransactionDraft): Promise<TransactionRecord> {
    const before = this.#queues.get(draft.from) ?? Promise.resolve();
    const reserving = before.then(async () => this.#store.reserve(draft, await this.#count(draft.from)));
    const settled = reserving.catch(() => undefined);
    this.#queues.set(draft.from, settled);
    void settled.then(() => {
      if (this.#queues.get(draft.from) === settled) this.#queues.delete(draft.from);
    });
    return await reserving;
  }

  /** After a sign that the key is used elsewhere. */
  distrust(from: string): void {
    this.#counts.delete(from);
  }

  async #count(from: string): Promise<number> {
    const known = this.#counts.get(from);
    if (known && performance.now() - known.at < countFreshMs) return known.count;
    const count = parseQuantity(await this.#rpc.request('eth_getTransactionCount', [from, 'pending']));
    this.#counts.set(from, { count, at: performance.now() });
    return count;
  }
}
