import type { Metrics } from '#platform';
import type { TransactionsQueries } from './transactions.queries.js';

/** Signers that are shown by name; accounts of wallets can be any number. */
const mostSigners = 200;

/** Gauges of what is not final yet, looked up when somebody reads them. */
export function keepTransactionGauges(metrics: Metrics, queries: TransactionsQueries): void {
  metrics.onRead(async () => {
    const waiting = await queries.unfinished();
    metrics.transactions.reset();
    metrics.oldestTransaction.reset();
    const named = new Set<string>();
    const oldest = new Map<string, { labels: { chain: string; signer: string }; at: number }>();
    for (const { chainId, signer: name, status, count, oldest: since } of waiting) {
      if (named.size < mostSigners) named.add(name);
      const labels = { chain: String(chainId), signer: named.has(name) ? name : 'other' };
      metrics.transactions.inc({ ...labels, state: status }, count);
      const key = `${labels.chain} ${labels.signer}`;
      const at = Math.min(oldest.get(key)?.at ?? Infinity, since.getTime());
      oldest.set(key, { labels, at });
    }
    for (const { labels, at } of oldest.values()) {
      metrics.oldestTransaction.set(labels, Math.max(0, Date.now() - at) / 1_000);
    }
  });
}
