import type { Kysely, Selectable } from 'kysely';
import type { Database } from '#platform';
import { PatchbayError } from '#sdk';

export interface TransactionView {
  readonly id: string;
  readonly idempotencyKey: string;
  readonly chainId: number;
  readonly signer: string;
  readonly from: string;
  readonly to: string;
  readonly nonce: number;
  readonly value: string;
  readonly status: string;
  readonly hash: string | null;
  readonly blockNumber: number | null;
  readonly failure: unknown;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface TransactionHistory extends TransactionView {
  readonly attempts: readonly { readonly number: number; readonly kind: string; readonly hash: string }[];
  readonly history: readonly { readonly status: string; readonly at: Date; readonly detail: unknown }[];
}

/** What people ask about transactions. */
export class TransactionsQueries {
  constructor(private readonly db: Kysely<Database>) {}

  async list(filter: { readonly status?: string | undefined; readonly limit: number }): Promise<TransactionView[]> {
    let query = this.db.selectFrom('chain_transaction').selectAll().orderBy('created_at', 'desc').limit(filter.limit);
    if (filter.status !== undefined) query = query.where('status', '=', filter.status as never);
    return (await query.execute()).map(viewOf);
  }

  async get(id: string): Promise<TransactionHistory> {
    const row = await this.db.selectFrom('chain_transaction').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new PatchbayError('request.notFound', { detail: `There is no transaction ${id}.` });
    const [attempts, history] = await Promise.all([
      this.db
        .selectFrom('chain_transaction_attempt')
        .select(['number', 'kind', 'hash'])
        .where('transaction_id', '=', id)
        .orderBy('number')
        .execute(),
      this.db
        .selectFrom('chain_transaction_status')
        .select(['status', 'at', 'detail'])
        .where('transaction_id', '=', id)
        .orderBy('seq')
        .execute(),
    ]);
    return { ...viewOf(row), attempts, history };
  }
}

function viewOf(row: Selectable<Database['chain_transaction']>): TransactionView {
  return {
    id: row.id,
    idempotencyKey: row.idempotency_key,
    chainId: Number(row.chain_id),
    signer: row.signer,
    from: row.from_address,
    to: row.to_address,
    nonce: Number(row.nonce),
    value: row.value,
    status: row.status,
    hash: row.hash,
    blockNumber: row.block_number === null ? null : Number(row.block_number),
    failure: row.failure,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
