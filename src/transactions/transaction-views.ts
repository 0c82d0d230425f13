import { sql, type Kysely, type Selectable } from 'kysely';
import {
  isFinal,
  type StoredFeeWish,
  type TransactionFailure,
  type TransactionPlace,
  type TransactionRecord,
  type TransactionStatus,
  type TransactionSubject,
} from '#evm';
import type { Database } from '#platform';
import { shownKey } from './callers-keys.js';

export interface TransactionView {
  readonly id: string;
  /** As its caller gave it; null where none was given. */
  readonly idempotencyKey: string | null;
  readonly chainId: number;
  /** Null: it is not declared any more. */
  readonly network: string | null;
  readonly signer: string;
  readonly from: string;
  readonly to: string | null;
  readonly nonce: number;
  readonly value: string;
  readonly gasLimit: string;
  readonly finality: string;
  readonly fee: StoredFeeWish | null;
  readonly about: TransactionSubject | null;
  readonly origin: string | null;
  readonly status: TransactionStatus;
  /** Of the attempt that was mined, until then of the newest. */
  readonly hash: string | null;
  readonly receipt: { readonly blockNumber: number; readonly blockHash: string; readonly gasUsed: string } | null;
  readonly contractAddress: string | null;
  readonly failure: TransactionFailure | null;
  readonly wish: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly links: Readonly<Record<string, string>>;
}

export interface AttemptView {
  readonly number: number;
  readonly kind: string;
  readonly hash: string;
  readonly maxFee: string;
  readonly tip: string | null;
  readonly sentAt: Date | null;
  readonly sentBlock: number | null;
}

export interface ChangeView {
  readonly status: string;
  readonly at: Date;
  readonly reason: string | null;
  readonly place: TransactionPlace | null;
  readonly failure: TransactionFailure | null;
}

export interface TransactionDetail extends TransactionView {
  readonly data: string;
  readonly attempts: readonly AttemptView[];
  readonly history: readonly ChangeView[];
}

export function viewColumns(db: Kysely<Database>) {
  return db
    .selectFrom('chain_transaction as t')
    .selectAll('t')
    .select([
      // In microseconds: a Date would lose them, and a page could begin with what ended the last one.
      sql<string>`(extract(epoch from t.created_at) * 1000000)::bigint`.as('created_us'),
      sql<string | null>`coalesce(t.hash, (
        select a.hash from chain_transaction_attempt a where a.transaction_id = t.id order by a.number desc limit 1
      ))`.as('newest_hash'),
    ]);
}

type ViewRow = Selectable<Database['chain_transaction']> & {
  readonly created_us: string;
  readonly newest_hash: string | null;
};

export function viewOf(row: ViewRow, networkName: (chainId: number) => string | undefined): TransactionView {
  const chainId = Number(row.chain_id);
  const self = `/api/transactions/${row.id}`;
  // This column and those in JSON are written by the ledger from these types.
  const status = row.status as TransactionStatus;
  return {
    id: row.id,
    idempotencyKey: shownKey(row.idempotency_key, row.origin),
    chainId,
    network: networkName(chainId) ?? null,
    signer: row.signer,
    from: row.from_address,
    to: row.to_address,
    nonce: Number(row.nonce),
    value: row.value,
    gasLimit: row.gas_limit,
    finality: row.finality,
    fee: row.fee as StoredFeeWish | null,
    about: row.about as TransactionSubject | null,
    origin: row.origin,
    status,
    hash: row.newest_hash,
    receipt:
      row.block_number === null || row.block_hash === null
        ? null
        : { blockNumber: Number(row.block_number), blockHash: row.block_hash, gasUsed: row.gas_used ?? '0' },
    contractAddress: row.contract_address,
    failure: row.failure as TransactionFailure | null,
    wish: row.wish,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    links: { self, ...(!isFinal({ status }) && { cancel: `${self}/cancel`, replace: `${self}/replace` }) },
  };
}

/** Of a record that has its nonce and nothing else yet. */
export function acceptedView(
  record: TransactionRecord,
  networkName: (chainId: number) => string | undefined,
): TransactionDetail {
  const { id, chainId, createdAt } = record;
  const self = `/api/transactions/${id}`;
  return {
    id,
    idempotencyKey: shownKey(record.idempotencyKey, record.origin),
    chainId,
    network: networkName(chainId) ?? null,
    signer: record.signer,
    from: record.from,
    to: record.to ?? null,
    nonce: record.nonce,
    value: record.value,
    gasLimit: record.gasLimit,
    finality: String(record.finality),
    fee: record.fee ?? null,
    about: record.about ?? null,
    origin: record.origin ?? null,
    status: record.status,
    hash: null,
    receipt: null,
    contractAddress: null,
    failure: null,
    wish: null,
    createdAt,
    updatedAt: createdAt,
    links: { self, cancel: `${self}/cancel`, replace: `${self}/replace` },
    data: record.data,
    attempts: [],
    history: [{ status: record.status, at: createdAt, reason: null, place: null, failure: null }],
  };
}

export function attemptOf(row: Selectable<Database['chain_transaction_attempt']>): AttemptView {
  return {
    number: row.number,
    kind: row.kind,
    hash: row.hash,
    maxFee: row.max_fee,
    tip: row.tip,
    sentAt: row.sent_at,
    sentBlock: row.sent_block === null ? null : Number(row.sent_block),
  };
}

export function changeOf(row: { readonly status: string; readonly at: Date; readonly detail: unknown }): ChangeView {
  // As the ledger keeps it beside a status.
  const detail = (row.detail ?? {}) as Partial<Pick<ChangeView, 'reason' | 'place' | 'failure'>>;
  const { reason = null, place = null, failure = null } = detail;
  return { status: row.status, at: row.at, reason, place, failure };
}
