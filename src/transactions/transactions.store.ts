import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import type {
  Finality,
  StatusChange,
  TransactionAttempt,
  TransactionDraft,
  TransactionFailure,
  TransactionRecord,
  TransactionStatus,
  TransactionStore,
} from '#evm';
import type { Database } from '#platform';
import { PatchbayError } from '#sdk';

type Row = Selectable<Database['chain_transaction']>;
type AttemptRow = Selectable<Database['chain_transaction_attempt']>;

const finalStatuses = ['confirmed', 'failed'];

/** The ledger of transactions in PostgreSQL. */
export class KyselyTransactionStore implements TransactionStore {
  constructor(private readonly db: Kysely<Database>) {}

  async find(idempotencyKey: string): Promise<TransactionRecord | undefined> {
    return await findBy(this.db, idempotencyKey);
  }

  async reserve(draft: TransactionDraft, chainNonce: number): Promise<TransactionRecord> {
    return await this.db.transaction().execute(async (db) => {
      const nonce = await this.#lockNonce(db, draft, chainNonce);
      // Under the lock, so that a twin that waited for it finds what the first one wrote.
      const existing = await findBy(db, draft.idempotencyKey);
      if (existing) return existing;
      const row = await db
        .insertInto('chain_transaction')
        .values({
          idempotency_key: draft.idempotencyKey,
          payload_hash: draft.payloadHash,
          chain_id: draft.chainId,
          signer: draft.signer,
          from_address: draft.from,
          nonce,
          to_address: draft.to,
          data: draft.data,
          value: draft.value,
          gas_limit: draft.gasLimit,
          finality: String(draft.finality),
        })
        .onConflict((conflict) => conflict.column('idempotency_key').doNothing())
        .returningAll()
        .executeTakeFirst();
      // The key was used at the same moment for another signer or chain, which another lock guards.
      if (!row) return (await findBy(db, draft.idempotencyKey)) ?? missing(draft.idempotencyKey);
      await db
        .updateTable('chain_nonce')
        .set({ next: nonce + 1 })
        .where('chain_id', '=', String(draft.chainId))
        .where('address', '=', draft.from)
        .execute();
      await keepStatus(db, row.id, { status: 'reserved' });
      return toRecord(row, []);
    });
  }

  async addAttempt(id: string, attempt: Omit<TransactionAttempt, 'sentBlock' | 'sentAt'>): Promise<boolean> {
    return await this.db.transaction().execute(async (db) => {
      const added = await db
        .insertInto('chain_transaction_attempt')
        .values({
          transaction_id: id,
          number: attempt.number,
          kind: attempt.kind,
          hash: attempt.hash,
          raw: attempt.raw,
          max_fee: attempt.maxFee,
          tip: attempt.tip ?? null,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (added.numInsertedOrUpdatedRows !== 1n) return false;
      await changeStatus(db, id, { status: 'signed' }, ['reserved']);
      return true;
    });
  }

  async markSent(id: string, attempt: number, block: number): Promise<void> {
    await this.db.transaction().execute(async (db) => {
      await db
        .updateTable('chain_transaction_attempt')
        .set({ sent_at: sql`now()`, sent_block: sql`coalesce(sent_block, ${block})` })
        .where('transaction_id', '=', id)
        .where('number', '=', attempt)
        .execute();
      await changeStatus(db, id, { status: 'broadcast' }, ['signed']);
    });
  }

  async setStatus(id: string, change: StatusChange): Promise<void> {
    await this.db.transaction().execute((db) => changeStatus(db, id, change));
  }

  async listUnfinished(chainId: number, limit: number): Promise<readonly TransactionRecord[]> {
    const rows = await this.db
      .selectFrom('chain_transaction')
      .selectAll()
      .where('chain_id', '=', String(chainId))
      .where('status', 'not in', finalStatuses)
      .orderBy('nonce')
      .limit(limit)
      .execute();
    return await withAttempts(this.db, rows);
  }

  /** Creates the row of an address where it is missing, and holds it until the transaction ends. */
  async #lockNonce(
    db: Transaction<Database>,
    { chainId, from }: TransactionDraft,
    chainNonce: number,
  ): Promise<number> {
    const { next } = await db
      .insertInto('chain_nonce')
      .values({ chain_id: chainId, address: from, next: chainNonce })
      .onConflict((conflict) =>
        conflict.columns(['chain_id', 'address']).doUpdateSet({ next: sql`greatest(chain_nonce.next, excluded.next)` }),
      )
      .returning('next')
      .executeTakeFirstOrThrow();
    return Number(next);
  }
}

async function findBy(db: Kysely<Database>, idempotencyKey: string): Promise<TransactionRecord | undefined> {
  const row = await db
    .selectFrom('chain_transaction')
    .selectAll()
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();
  if (!row) return undefined;
  const [record] = await withAttempts(db, [row]);
  return record;
}

async function withAttempts(db: Kysely<Database>, rows: readonly Row[]): Promise<readonly TransactionRecord[]> {
  if (rows.length === 0) return [];
  const attempts = await db
    .selectFrom('chain_transaction_attempt')
    .selectAll()
    .where(
      'transaction_id',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('number')
    .execute();
  return rows.map((row) =>
    toRecord(
      row,
      attempts.filter((attempt) => attempt.transaction_id === row.id),
    ),
  );
}

async function changeStatus(
  db: Transaction<Database>,
  id: string,
  { status, place, failure }: StatusChange,
  from?: readonly TransactionStatus[],
): Promise<void> {
  const changed = await db
    .updateTable('chain_transaction')
    .set({
      status,
      updated_at: sql`now()`,
      ...(place
        ? { hash: place.hash, block_number: place.blockNumber, block_hash: place.blockHash, gas_used: place.gasUsed }
        : {}),
      ...(failure ? { failure: JSON.stringify(failure) } : {}),
    })
    .where('id', '=', id)
    .where('status', 'not in', finalStatuses)
    .$if(from !== undefined, (query) => query.where('status', 'in', from ?? []))
    .executeTakeFirst();
  if (changed.numUpdatedRows === 1n)
    await keepStatus(db, id, { status, ...(place ? { place } : {}), ...(failure ? { failure } : {}) });
}

async function keepStatus(db: Transaction<Database>, id: string, { status, ...detail }: StatusChange): Promise<void> {
  await db
    .insertInto('chain_transaction_status')
    .values({ transaction_id: id, status, detail: Object.keys(detail).length > 0 ? JSON.stringify(detail) : null })
    .execute();
}

function toRecord(row: Row, attempts: readonly AttemptRow[]): TransactionRecord {
  const { hash, block_number, block_hash } = row;
  return {
    id: row.id,
    idempotencyKey: row.idempotency_key,
    payloadHash: row.payload_hash,
    chainId: Number(row.chain_id),
    signer: row.signer,
    from: row.from_address,
    nonce: Number(row.nonce),
    to: row.to_address,
    data: row.data,
    value: row.value,
    gasLimit: row.gas_limit,
    // Written by `reserve` from the same type.
    finality: /^\d+$/.test(row.finality) ? Number(row.finality) : (row.finality as Finality),
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

function missing(key: string): never {
  throw new PatchbayError('internal', { detail: `The transaction with the key ${key} has vanished from the store` });
}
