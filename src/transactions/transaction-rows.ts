import type { Kysely, Selectable } from 'kysely';
import type {
  Finality,
  StoredFeeWish,
  TransactionAttempt,
  TransactionFailure,
  TransactionRecord,
  TransactionStatus,
  TransactionSubject,
  TransactionWish,
} from '#evm';
import type { Database } from '#platform';

export type TransactionRow = Selectable<Database['chain_transaction']>;
type AttemptRow = Selectable<Database['chain_transaction_attempt']>;

/** The records of these rows, with their attempts, in the order of the rows. */
export async function withAttempts(
  db: Kysely<Database>,
  rows: readonly TransactionRow[],
): Promise<readonly TransactionRecord[]> {
  // What is reserved has none yet, and most of a burst is that.
  const begun = rows.filter(({ status }) => status !== 'reserved');
  const attempts = new Map<string, AttemptRow[]>();
  if (begun.length > 0) {
    const found = await db
      .selectFrom('chain_transaction_attempt')
      .selectAll()
      .where(
        'transaction_id',
        'in',
        begun.map(({ id }) => id),
      )
      .orderBy('number')
      .execute();
    for (const attempt of found) {
      const of = attempts.get(attempt.transaction_id);
      if (of) of.push(attempt);
      else attempts.set(attempt.transaction_id, [attempt]);
    }
  }
  return rows.map((row) => recordOf(row, attempts.get(row.id) ?? []));
}

export function recordOf(row: TransactionRow, attempts: readonly AttemptRow[]): TransactionRecord {
  const { hash, block_number, block_hash } = row;
  return {
    id: row.id,
    idempotencyKey: row.idempotency_key,
    payloadHash: row.payload_hash,
    chainId: Number(row.chain_id),
    signer: row.signer,
    from: row.from_address,
    nonce: Number(row.nonce),
    to: row.to_address ?? undefined,
    data: row.data,
    value: row.value,
    gasLimit: row.gas_limit,
    // These columns were written by the store from the same types.
    finality: /^\d+$/.test(row.finality) ? Number(row.finality) : (row.finality as Finality),
    fee: (row.fee as StoredFeeWish | null) ?? undefined,
    about: (row.about as TransactionSubject | null) ?? undefined,
    origin: row.origin ?? undefined,
    wish: (row.wish as TransactionWish | null) ?? undefined,
    contractAddress: row.contract_address ?? undefined,
    status: row.status as TransactionStatus,
    place:
      hash === null || block_number === null || block_hash === null
        ? undefined
        : { hash, blockNumber: Number(block_number), blockHash: block_hash, gasUsed: row.gas_used ?? '0' },
    failure: (row.failure as TransactionFailure | null) ?? undefined,
    attempts: attempts.map((attempt) => ({
      number: attempt.number,
      kind: attempt.kind as TransactionAttempt['kind'],
      hash: attempt.hash,
      raw: attempt.raw,
      maxFee: attempt.max_fee,
      tip: attempt.tip ?? undefined,
      sentBlock: attempt.sent_block === null ? undefined : Number(attempt.sent_block),
      sentAt: attempt.sent_at ?? undefined,
    })),
    createdAt: row.created_at,
  };
}
