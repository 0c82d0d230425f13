import { parseQuantity } from './block.js';
import type { RpcClient } from './rpc-client.js';

/** How long the chain's own count is believed; the ledger's is exact unless the key is used elsewhere. */
const freshMs = 10_000;

/** The chain's count of transactions by address, asked for now and then rather than for each transaction. */
export class SenderNonces {
  readonly #counts = new Map<string, { readonly count: Promise<number>; readonly at: number }>();

  constructor(private readonly rpc: RpcClient) {}

  async count(address: string): Promise<number> {
    const known = this.#counts.get(address);
    if (known && performance.now() - known.at < freshMs) return await known.count;
    const count = countTransactions(this.rpc, address, 'pending');
    this.#counts.set(address, { count, at: performance.now() });
    count.catch(() => this.#counts.delete(address));
    return await count;
  }
}

/** The chain's count now. Of several nodes the one that has got furthest is believed. */
export async function countTransactions(rpc: RpcClient, address: string, block: 'latest' | 'pending'): Promise<number> {
  const counts = await rpc.requestAll('eth_getTransactionCount', [address, block]);
  return Math.max(...counts.map(parseQuantity));
}
