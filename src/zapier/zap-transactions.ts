import { PatchbayError, z } from '#sdk';
import type { TransactionsQueries } from '#transactions';
import { transactionItem, type Item } from './items.js';
import { changeOf } from './transaction-choice.js';

const most = 10;

/** Transactions of this hub, as Zaps look for them. */
export class ZapTransactions {
  constructor(private readonly transactions: TransactionsQueries) {}

  /** By id, by hash, or by the idempotency key it was sent with; nothing when there is none. */
  async find(wanted: string): Promise<Item[]> {
    const { items } = isHash(wanted)
      ? await this.transactions.list({ hash: wanted, limit: most })
      : await this.transactions.list({ idempotencyKey: wanted, limit: most });
    const found = items.length === 0 && isId(wanted) ? await this.#byId(wanted) : items;
    return found.map((view) => {
      const change = changeOf(view);
      return { ...transactionItem(change, change.network), id: view.id };
    });
  }

  async #byId(id: string) {
    const view = await this.transactions.get(id).catch((error: unknown) => {
      if (error instanceof PatchbayError && error.code === 'request.notFound') return undefined;
      throw error;
    });
    return view === undefined ? [] : [view];
  }
}

function isHash(text: string): boolean {
  return /^0x[0-9a-fA-F]{64}$/.test(text);
}

function isId(text: string): boolean {
  return z.uuid().safeParse(text).success;
}
