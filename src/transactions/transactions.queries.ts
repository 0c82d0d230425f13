import { sql, type Kysely } from 'kysely';
import type { TransactionRecord } from '#evm';
import type { Database } from '#platform';
import { PatchbayError } from '#sdk';
import {
  acceptedView,
  attemptOf,
  changeOf,
  viewColumns,
  viewOf,
  type TransactionDetail,
  type TransactionView,
} from './transaction-views.js';

export interface TransactionFilter {
  readonly status?: readonly string[] | undefined;
  /** Not final. */
  readonly pending?: boolean | undefined;
  /** Name or address. */
  readonly signer?: string | undefined;
  readonly chainId?: number | undefined;
  /** Name as it was addressed by, or address. */
  readonly contract?: string | undefined;
  /** Name or signature. */
  readonly function?: string | undefined;
  readonly origin?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Of any of its attempts. */
  readonly hash?: string | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
  /** From the previous page. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export interface TransactionsPage {
  readonly items: readonly TransactionView[];
  /** Give this as `before` to go on; absent on the last page. */
  readonly next?: string;
}

type NetworkName = (chainId: number) => string | undefined;

/** What people ask about transactions. */
export class TransactionsQueries {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly networkName: NetworkName,
  ) {}

  /** Newest first. */
  async list(filter: TransactionFilter): Promise<TransactionsPage> {
    const rows = await this.#select(filter).execute();
    const shown = rows.slice(0, filter.limit);
    const last = rows.length > filter.limit ? shown.at(-1) : undefined;
    return {
      items: shown.map((row) => viewOf(row, this.networkName)),
      ...(last && { next: formatPlace(last.created_us, last.id) }),
    };
  }

  /**
   * By id, or by the hash of any of its attempts.
   *
   * @throws request.notFound
   */
  async get(idOrHash: string): Promise<TransactionDetail> {
    const id = await this.#idOf(idOrHash);
    if (id === undefined) throw unknown(idOrHash);
    const [row, attempts, history] = await Promise.all([
      viewColumns(this.db).where('t.id', '=', id).executeTakeFirst(),
      this.db
        .selectFrom('chain_transaction_attempt')
        .selectAll()
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
    if (!row) throw unknown(idOrHash);
    return {
      ...viewOf(row, this.networkName),
      data: row.data,
      attempts: attempts.map(attemptOf),
      history: history.map(changeOf),
    };
  }

  /** One that was accepted just now, in the same words, without asking the store again. */
  accepted(record: TransactionRecord): TransactionDetail {
    return acceptedView(record, this.networkName);
  }

  /** How many there are that are not final, and since when the oldest of them waits. */
  async unfinished(): Promise<
    readonly { chainId: number; signer: string; status: string; count: number; oldest: Date }[]
  > {
    const rows = await this.db
      .selectFrom('chain_transaction')
      .select(['chain_id', 'signer', 'status'])
      .select((eb) => [eb.fn.countAll<string>().as('count'), eb.fn.min('created_at').as('oldest')])
      .where('is_final', '=', false)
      .groupBy(['chain_id', 'signer', 'status'])
      .execute();
    return rows.map(({ chain_id, count, oldest, ...row }) => ({
      ...row,
      chainId: Number(chain_id),
      count: Number(count),
      oldest,
    }));
  }

  #select(filter: TransactionFilter) {
    const { status, signer, chainId, contract, origin, idempotencyKey, hash } = filter;
    let query = viewColumns(this.db)
      .orderBy('t.created_at', 'desc')
      .orderBy('t.id', 'desc')
      .limit(filter.limit + 1);
    if (status !== undefined) query = query.where('t.status', 'in', [...status]);
    if (filter.pending !== undefined) query = query.where('t.is_final', '=', !filter.pending);
    if (signer !== undefined) {
      query = isAddress(signer)
        ? query.where('t.from_address', '=', signer.toLowerCase())
        : query.where('t.signer', '=', signer);
    }
    if (chainId !== undefined) query = query.where('t.chain_id', '=', String(chainId));
    if (contract !== undefined) {
      query = isAddress(contract)
        ? query.where((eb) =>
            eb.or([
              eb('t.to_address', '=', contract.toLowerCase()),
              eb('t.contract_address', '=', contract.toLowerCase()),
            ]),
          )
        : query.where(sql<string>`t.about ->> 'contract'`, '=', contract);
    }
    if (filter.function !== undefined) {
      const called = filter.function.replaceAll(/\s/g, '');
      query = called.includes('(')
        ? query.where(sql<string>`t.about ->> 'function'`, '=', called)
        : query.where(sql<boolean>`split_part(t.about ->> 'function', '(', 1) = ${called}`);
    }
    if (origin !== undefined) query = query.where('t.origin', '=', origin);
    if (idempotencyKey !== undefined) query = query.where('t.idempotency_key', 'in', keysLike(idempotencyKey));
    if (hash !== undefined) {
      query = query.where('t.id', 'in', (eb) =>
        eb.selectFrom('chain_transaction_attempt').select('transaction_id').where('hash', '=', hash.toLowerCase()),
      );
    }
    if (filter.createdAfter) query = query.where('t.created_at', '>=', filter.createdAfter);
    if (filter.createdBefore) query = query.where('t.created_at', '<', filter.createdBefore);
    if (filter.before !== undefined) {
      const [time, id] = parsePlace(filter.before);
      const createdAt = sql`timestamptz 'epoch' + ${time}::bigint * interval '1 microsecond'`;
      query = query.where(sql<boolean>`(t.created_at, t.id) < (${createdAt}, ${id}::uuid)`);
    }
    return query;
  }

  async #idOf(idOrHash: string): Promise<string | undefined> {
    if (uuid.test(idOrHash)) return idOrHash;
    if (!/^0x[0-9a-fA-F]{64}$/.test(idOrHash)) return undefined;
    const row = await this.db
      .selectFrom('chain_transaction_attempt')
      .select('transaction_id')
      .where('hash', '=', idOrHash.toLowerCase())
      .executeTakeFirst();
    return row?.transaction_id;
  }
}

/** As it is kept: those that callers gave stand behind the id of their API key. */
function keysLike(given: string) {
  return sql<string>`(select ${given}::text union all select 'key:' || id::text || ':' || ${given}::text from api_key)`;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function unknown(idOrHash: string): PatchbayError {
  return new PatchbayError('request.notFound', { detail: `There is no transaction ${idOrHash.slice(0, 100)}.` });
}

function isAddress(text: string): boolean {
  return /^0x[0-9a-fA-F]{40}$/.test(text);
}

function formatPlace(time: string, id: string): string {
  return Buffer.from(`${time} ${id}`, 'utf8').toString('base64url');
}

function parsePlace(place: string): [time: string, id: string] {
  const [, time, id] = /^(\d{1,18}) (\S+)$/.exec(Buffer.from(place, 'base64url').toString('utf8')) ?? [];
  if (time !== undefined && id !== undefined && uuid.test(id)) return [time, id];
  throw new PatchbayError('request.invalid', {
    detail: `before is no place in this list: ${place.slice(0, 100)}`,
    fix: 'Give what the previous page gave as next.',
  });
}
