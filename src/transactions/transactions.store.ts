import { sql, type Kysely, type Transaction } from 'kysely';
import type {
  NewAttempt,
  NewTransaction,
  StatusChange,
  StoredFeeWish,
  TransactionDraft,
  TransactionRecord,
  TransactionStore,
  TransactionWish,
} from '#evm';
import { Batcher, rethrowStoreError, storableJson, type Database } from '#platform';
import { PatchbayError } from '#sdk';
import { contractOf, keepContract } from './deployed-contracts.store.js';
import { callOf, keepGatewayCalls } from './gateway-calls.store.js';
import { recordOf, withAttempts, type TransactionRow } from './transaction-rows.js';

/** Each draft as it may be sent, or what forbids it; asked inside the transaction that reserves their nonces. */
export type LimitsCheck = (
  db: Transaction<Database>,
  drafts: readonly TransactionDraft[],
) => Promise<readonly (TransactionDraft | PatchbayError)[]>;

interface Reservation {
  readonly draft: NewTransaction;
  readonly chainNonce: number;
}

type Reserved = TransactionRecord | PatchbayError;

/** One at a time: a second would wait for the lock of the first, and what gathers meanwhile shares one trip. */
const reservations = { size: 200, parallel: 1 };

/** The ledger of transactions in PostgreSQL. */
export class KyselyTransactionStore implements TransactionStore {
  readonly #reservations: Batcher<Reservation, Reserved>;
  readonly #lookups: Batcher<string, TransactionRecord | undefined>;

  constructor(
    private readonly db: Kysely<Database>,
    private readonly checkLimits: LimitsCheck = (_, drafts) => Promise.resolve(drafts),
  ) {
    this.#reservations = new Batcher((batch) => this.#reserve(batch), reservations);
    this.#lookups = new Batcher((keys) => this.#findByKeys(keys), reservations);
  }

  async reserve(draft: NewTransaction, chainNonce: number): Promise<TransactionRecord> {
    const reserved = await this.#reservations.add({ draft, chainNonce }).catch(rethrowStoreError);
    if (reserved instanceof PatchbayError) throw reserved;
    return reserved;
  }

  async findByKey(idempotencyKey: string): Promise<TransactionRecord | undefined> {
    return await this.#lookups.add(idempotencyKey).catch(rethrowStoreError);
  }

  async find(ids: readonly string[]): Promise<readonly TransactionRecord[]> {
    return await this.#list(sql`id = any(${[...ids]}::uuid[])`, sql`order by nonce`);
  }

  async addAttempts(
    attempts: readonly { readonly id: string; readonly attempt: NewAttempt }[],
  ): Promise<ReadonlySet<string>> {
    const rows = attempts.map(({ id, attempt }) => ({
      transaction_id: id,
      number: attempt.number,
      kind: attempt.kind,
      hash: attempt.hash,
      raw: attempt.raw,
      max_fee: attempt.maxFee,
      tip: attempt.tip ?? null,
    }));
    const added = await sql<{ transaction_id: string }>`
      with added as (
        insert into chain_transaction_attempt (transaction_id, number, kind, hash, raw, max_fee, tip)
        select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as row (transaction_id uuid, number integer, kind text, hash text, raw text, max_fee numeric, tip numeric)
        on conflict do nothing
        returning transaction_id
      ), signed as (
        update chain_transaction set status = 'signed', updated_at = now()
        from added where id = added.transaction_id and status = 'reserved'
        returning id
      ), kept as (
        insert into chain_transaction_status (transaction_id, status) select id, 'signed' from signed
      )
      select transaction_id from added
    `.execute(this.db);
    return new Set(added.rows.map((row) => row.transaction_id));
  }

  async markSent(sent: readonly { readonly id: string; readonly attempt: number }[], block: number): Promise<void> {
    await sql`
      with sent as (
        select * from unnest(${sent.map(({ id }) => id)}::uuid[], ${sent.map(({ attempt }) => attempt)}::integer[])
          as row (id, number)
      ), marked as (
        update chain_transaction_attempt as attempt
        set sent_at = now(), sent_block = coalesce(sent_block, ${block})
        from sent where attempt.transaction_id = sent.id and attempt.number = sent.number
      ), changed as (
        update chain_transaction as tx set status = 'broadcast', updated_at = now()
        from sent where tx.id = sent.id and tx.status = 'signed'
        returning tx.id
      )
      insert into chain_transaction_status (transaction_id, status) select id, 'broadcast' from changed
    `.execute(this.db);
  }

  async setStatus(changes: readonly StatusChange[]): Promise<void> {
    const rows = changes.map(({ id, status, place, failure, contractAddress, reason, goneBlock }) => ({
      id,
      status,
      hash: place?.hash ?? null,
      block_number: place?.blockNumber ?? null,
      block_hash: place?.blockHash ?? null,
      gas_used: place?.gasUsed ?? null,
      failure: failure ?? null,
      contract_address: contractAddress ?? null,
      gone_block: goneBlock ?? null,
      detail: place || failure || reason !== undefined ? { place, failure, reason } : null,
    }));
    await sql`
      with wanted as (
        select * from jsonb_to_recordset(${storableJson(rows)}::jsonb) as row (
          id uuid, status text, hash text, block_number bigint, block_hash text, gas_used numeric, failure jsonb,
          contract_address text, gone_block text, detail jsonb
        )
      ), changed as (
        update chain_transaction as tx set
          status = case when wanted.status in ('reserved', 'signed') then tx.status else wanted.status end,
          hash = coalesce(wanted.hash, tx.hash),
          block_number = coalesce(wanted.block_number, tx.block_number),
          block_hash = coalesce(wanted.block_hash, tx.block_hash),
          gas_used = coalesce(wanted.gas_used, tx.gas_used),
          failure = case when wanted.status <> 'confirmed' then coalesce(nullif(wanted.failure, 'null'), tx.failure) end,
          contract_address = coalesce(wanted.contract_address, tx.contract_address),
          updated_at = now()
        from wanted where tx.id = wanted.id and not tx.is_final and case
          when tx.status = 'mined' and wanted.block_hash is null
            then tx.block_hash is not distinct from wanted.gone_block
          when tx.status = 'mined' and wanted.status = 'mined' then tx.block_hash is distinct from wanted.block_hash
          when wanted.status in (tx.status, 'reserved', 'signed') then nullif(wanted.detail, 'null') is distinct from (
            select detail from chain_transaction_status where transaction_id = tx.id order by seq desc limit 1)
          else true
        end
        returning tx.id, tx.status, wanted.detail
      )
      insert into chain_transaction_status (transaction_id, status, detail)
      select id, status, nullif(detail, 'null') from changed
    `.execute(this.db);
  }

  async wish(id: string, wish: TransactionWish, fee?: StoredFeeWish): Promise<boolean> {
    const { rows } = await sql`
      update chain_transaction
      set wish = ${wish}, fee = coalesce(${fee === undefined ? null : JSON.stringify(fee)}::jsonb, fee), updated_at = now()
      where id = ${id} and not is_final
      returning id
    `.execute(this.db);
    return rows.length === 1;
  }

  async grant(id: string, fee: StoredFeeWish | undefined): Promise<void> {
    await sql`
      update chain_transaction set wish = null
      where id = ${id} and wish = 'replace'
        and fee is not distinct from ${fee === undefined ? null : JSON.stringify(fee)}::jsonb
    `.execute(this.db);
  }

  async listWished(chainId: number, from: string): Promise<readonly TransactionRecord[]> {
    return await this.#list(
      sql`chain_id = ${chainId} and from_address = ${from} and wish is not null and not is_final`,
      sql`order by nonce`,
    );
  }

  async listUnfinished(
    chainId: number,
    from: string,
    afterNonce: number,
    limit: number,
  ): Promise<readonly TransactionRecord[]> {
    return await this.#list(
      sql`chain_id = ${chainId} and from_address = ${from} and not is_final and nonce > ${afterNonce}`,
      sql`order by nonce limit ${limit}`,
    );
  }

  async listNonces(chainId: number, from: string, first: number, last: number): Promise<readonly TransactionRecord[]> {
    return await this.#list(
      sql`chain_id = ${chainId} and from_address = ${from} and nonce between ${first} and ${last}`,
      sql`order by nonce`,
    );
  }

  async unfinishedSigners(chainId: number): Promise<readonly { from: string; signer: string }[]> {
    // From one address to the next by the index: each may have thousands, and this is asked often while they do.
    const { rows } = await sql<{ from: string; signer: string }>`
      with recursive found as (
        (
          select from_address, signer from chain_transaction
          where chain_id = ${chainId} and not is_final
          order by from_address, nonce limit 1
        )
        union all
        select next.from_address, next.signer from found cross join lateral (
          select from_address, signer from chain_transaction
          where chain_id = ${chainId} and not is_final and from_address > found.from_address
          order by from_address, nonce limit 1
        ) as next
      )
      select from_address as "from", signer from found
    `.execute(this.db);
    return rows;
  }

  async nextNonce(chainId: number, from: string): Promise<number | undefined> {
    const row = await this.db
      .selectFrom('chain_nonce')
      .select('next')
      .where('chain_id', '=', String(chainId))
      .where('address', '=', from)
      .executeTakeFirst();
    return row && Number(row.next);
  }

  async fillNonce(draft: TransactionDraft, nonce: number): Promise<void> {
    await this.db.transaction().execute(async (db) => {
      await insertRows(db, [{ draft, nonce }]);
    });
  }

  async #reserve(batch: readonly Reservation[]): Promise<readonly Reserved[]> {
    const signers = new Map<string, Signer>();
    for (const { draft, chainNonce } of batch) {
      const name = signerKey(draft);
      const known = signers.get(name);
      signers.set(name, {
        chainId: draft.chainId,
        from: draft.from,
        chainNonce: Math.max(chainNonce, known?.chainNonce ?? 0),
      });
    }
    return await this.db.transaction().execute(async (db) => {
      const locked = await lockNonces(db, [...signers.values()]);
      // Under the lock, so that a twin that waited for it finds what the first one wrote.
      const done = new Map<string, Reserved>();
      for (const record of await this.#findIn(
        db,
        batch.map(({ draft }) => draft.idempotencyKey),
      )) {
        done.set(record.idempotencyKey, record);
      }
      const fresh = new Map(
        batch.filter(({ draft }) => !done.has(draft.idempotencyKey)).map(({ draft }) => [draft.idempotencyKey, draft]),
      );
      const drafts = [...fresh.values()];
      const checked = drafts.length === 0 ? [] : await this.checkLimits(db, drafts);
      const rows: NumberedDraft[] = [];
      for (const [index, draft] of drafts.entries()) {
        const signer = locked.get(signerKey(draft));
        const allowed = suspended(signer?.suspension, draft) ?? checked[index];
        if (allowed instanceof PatchbayError) done.set(draft.idempotencyKey, allowed);
        else if (allowed && signer) rows.push({ draft: allowed, nonce: signer.next++ });
      }
      const inserted = await insertRows(db, rows);
      for (const row of inserted) done.set(row.idempotency_key, recordOf(row, []));
      await keepGatewayCalls(
        db,
        inserted.flatMap((row) => callOf(fresh.get(row.idempotency_key), row.id)),
      );
      const contracts = inserted.flatMap((row) => contractOf(fresh.get(row.idempotency_key), row));
      for (const contract of contracts) await keepContract(db, contract);
      // A key that was used at the same moment under the lock of another signer: everything is done again, and finds it.
      const isTaken = rows.some(({ draft }) => !done.has(draft.idempotencyKey));
      if (isTaken) throw new PatchbayError('store.unavailable', { detail: 'A key was used for two signers at once' });
      return batch.map(({ draft }) => done.get(draft.idempotencyKey) ?? vanished(draft.idempotencyKey));
    });
  }

  async #findByKeys(keys: readonly string[]): Promise<readonly (TransactionRecord | undefined)[]> {
    const records = new Map((await this.#findIn(this.db, keys)).map((record) => [record.idempotencyKey, record]));
    return keys.map((key) => records.get(key));
  }

  async #findIn(db: Kysely<Database>, keys: readonly string[]): Promise<readonly TransactionRecord[]> {
    const { rows } = await sql<TransactionRow>`
      select * from chain_transaction where idempotency_key = any(${[...keys]}::text[])
    `.execute(db);
    return await withAttempts(db, rows);
  }

  async #list(where: ReturnType<typeof sql>, rest: ReturnType<typeof sql>): Promise<readonly TransactionRecord[]> {
    const { rows } = await sql<TransactionRow>`select * from chain_transaction where ${where} ${rest}`.execute(this.db);
    return await withAttempts(this.db, rows);
  }
}

interface Signer {
  readonly chainId: number;
  readonly from: string;
  readonly chainNonce: number;
}

interface NumberedDraft {
  readonly draft: TransactionDraft;
  readonly nonce: number;
}

function signerKey({ chainId, from }: { readonly chainId: number; readonly from: string }): string {
  return `${String(chainId)}:${from}`;
}

/** Creates the rows of addresses where they are missing, and holds them, in one order for all, until the transaction ends. */
async function lockNonces(
  db: Transaction<Database>,
  signers: readonly Signer[],
): Promise<Map<string, { next: number; readonly suspension: string | undefined }>> {
  const { rows } = await sql<{ chain_id: string; address: string; next: string; suspension: string | null }>`
    with locked as (
      insert into chain_nonce (chain_id, address, next)
      select * from unnest(
        ${signers.map(({ chainId }) => chainId)}::bigint[],
        ${signers.map(({ from }) => from)}::text[],
        ${signers.map(({ chainNonce }) => chainNonce)}::bigint[]
      ) as signer (chain_id, address, next)
      order by 1, 2
      on conflict (chain_id, address) do update set next = greatest(chain_nonce.next, excluded.next)
      returning chain_id, address, next
    )
    select locked.*, case when suspended_at is not null then coalesce(reason, '') end as suspension
    from locked left join chain_signer using (chain_id, address)
  `.execute(db);
  return new Map(
    rows.map((row) => [
      signerKey({ chainId: Number(row.chain_id), from: row.address }),
      { next: Number(row.next), suspension: row.suspension ?? undefined },
    ]),
  );
}

async function insertRows(db: Transaction<Database>, rows: readonly NumberedDraft[]): Promise<TransactionRow[]> {
  if (rows.length === 0) return [];
  const values = rows.map(({ draft, nonce }) => ({
    idempotency_key: draft.idempotencyKey,
    payload_hash: draft.payloadHash,
    chain_id: draft.chainId,
    signer: draft.signer,
    from_address: draft.from,
    nonce,
    to_address: draft.to ?? null,
    data: draft.data,
    value: draft.value,
    gas_limit: draft.gasLimit,
    finality: String(draft.finality),
    fee: draft.fee ?? null,
    about: draft.about ?? null,
    origin: draft.origin ?? null,
  }));
  const { rows: inserted } = await sql<TransactionRow>`
    with added as (
      insert into chain_transaction (
        idempotency_key, payload_hash, chain_id, signer, from_address, nonce, to_address, data, value, gas_limit, finality,
        fee, about, origin
      )
      select
        idempotency_key, payload_hash, chain_id, signer, from_address, nonce, to_address, data, value, gas_limit, finality,
        nullif(fee, 'null'), nullif(about, 'null'), origin
      from jsonb_to_recordset(${storableJson(values)}::jsonb) as row (
        idempotency_key text, payload_hash text, chain_id bigint, signer text, from_address text, nonce bigint,
        to_address text, data text, value numeric, gas_limit numeric, finality text, fee jsonb, about jsonb, origin text
      )
      on conflict (idempotency_key) do nothing
      returning *
    ), kept as (
      insert into chain_transaction_status (transaction_id, status) select id, 'reserved' from added
    ), moved as (
      update chain_nonce set next = greatest(chain_nonce.next, used.next)
      from (select chain_id, from_address, max(nonce) + 1 as next from added group by 1, 2) as used
      where chain_nonce.chain_id = used.chain_id and chain_nonce.address = used.from_address
    )
    select * from added
  `.execute(db);
  return inserted;
}

function suspended(reason: string | undefined, { signer }: TransactionDraft): PatchbayError | undefined {
  if (reason === undefined) return undefined;
  return new PatchbayError('evm.signerSuspended', {
    detail: `The signer ${signer} is suspended${reason === '' ? '' : `: ${reason}`}`,
    fix: `Let it go on with: npx patchbay signer resume ${signer}`,
  });
}

function vanished(key: string): PatchbayError {
  return new PatchbayError('internal', { detail: `The transaction with the key ${key} has vanished from the store` });
}
