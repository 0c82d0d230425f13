import { sql, type Kysely } from 'kysely';
import type { TransactionChange, TransactionFailure, TransactionPlace, TransactionStatus } from '#evm';
import type { Database } from '#platform';
import { PatchbayError, type Feed, type FeedEntry } from '#sdk';
import { shownKey } from './callers-keys.js';

/** Calls the listener whenever some transaction of any chain may have changed. @returns a function that stops it */
export type OnChange = (listener: () => void) => () => void;

/**
 * Every change of every transaction, in the order of the database transactions that wrote them. It is read up to the oldest
 * one that is still open anywhere in the database server: what that one writes gets an earlier place, and would be passed over.
 */
export class KyselyTransactionFeed implements Feed<TransactionChange> {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly onChange: OnChange,
    private readonly networkName: (chainId: number) => string | undefined,
  ) {}

  async read(after: string | undefined, limit: number): Promise<readonly FeedEntry<TransactionChange>[]> {
    const { xid, seq } = parseCursor(after);
    const { rows } = await sql<ChangeRow>`
      select s.xid::text as xid, s.seq::text as seq, s.status, s.detail, s.at,
        t.id, t.idempotency_key, t.chain_id::text as chain_id, t.signer, t.from_address, t.to_address, t.nonce::text as nonce,
        t.value::text as value, t.contract_address, t.about, t.origin,
        coalesce(
          s.detail -> 'place' ->> 'hash',
          (select a.hash from chain_transaction_attempt a
           where a.transaction_id = s.transaction_id and a.created_at <= s.at order by a.number desc limit 1)
        ) as hash
      from chain_transaction_status s join chain_transaction t on t.id = s.transaction_id
      where (s.xid, s.seq) > (${xid}::xid8, ${seq}::bigint) and s.xid < pg_snapshot_xmin(pg_current_snapshot())
      order by s.xid, s.seq
      limit ${limit}
    `.execute(this.db);
    const names = new Map(
      [...new Set(rows.map((row) => row.chain_id))].map((id) => [id, this.networkName(Number(id))]),
    );
    return rows.map((row) => ({
      item: changeOf(row, names.get(row.chain_id)),
      cursor: formatCursor(row.xid, row.seq),
    }));
  }

  /** Whatever is committed from now on lies after it; so may a little of what was committed just before. */
  async tail(): Promise<string> {
    const { rows } = await sql<{ xid: string }>`
      select pg_snapshot_xmin(pg_current_snapshot())::text as xid
    `.execute(this.db);
    return formatCursor(rows[0]?.xid ?? '0', '0');
  }

  onMore(listener: () => void): () => void {
    return this.onChange(listener);
  }
}

interface ChangeRow {
  readonly xid: string;
  readonly seq: string;
  readonly status: TransactionStatus;
  readonly detail: ChangeDetail | null;
  readonly at: Date;
  readonly id: string;
  readonly idempotency_key: string;
  readonly chain_id: string;
  readonly signer: string;
  readonly from_address: string;
  readonly to_address: string | null;
  readonly nonce: string;
  readonly value: string;
  readonly contract_address: string | null;
  readonly about: TransactionChange['transaction']['about'];
  readonly origin: string | null;
  readonly hash: string | null;
}

/** As the ledger keeps it beside a status. */
interface ChangeDetail {
  readonly place?: TransactionPlace;
  readonly failure?: TransactionFailure;
  readonly reason?: string;
}

function changeOf(row: ChangeRow, network: string | undefined): TransactionChange {
  return {
    id: `${row.id}:${row.seq}`,
    transaction: {
      id: row.id,
      idempotencyKey: shownKey(row.idempotency_key, row.origin),
      chainId: Number(row.chain_id),
      signer: row.signer,
      from: row.from_address,
      to: row.to_address,
      nonce: Number(row.nonce),
      value: row.value,
      contractAddress: row.contract_address,
      about: row.about,
      origin: row.origin,
    },
    network: network ?? null,
    status: row.status,
    hash: row.hash,
    place: row.detail?.place ?? null,
    failure: row.detail?.failure ?? null,
    reason: row.detail?.reason ?? null,
    time: row.at.toISOString(),
  };
}

/** Digits of the largest 64-bit number. */
const width = 20;

function formatCursor(xid: string, seq: string): string {
  return `${xid.padStart(width, '0')}:${seq.padStart(width, '0')}`;
}

function parseCursor(cursor: string | undefined): { xid: string; seq: string } {
  if (cursor === undefined) return { xid: '0', seq: '0' };
  const [, xid, seq] = /^0*(\d+):0*(\d+)$/.exec(cursor) ?? [];
  if (xid !== undefined && seq !== undefined) return { xid, seq };
  throw new PatchbayError('request.invalid', {
    detail: `${JSON.stringify(cursor.slice(0, 100))} is no place in the feed of transactions`,
    fix: 'Give a cursor as the feed gave it.',
  });
}
