import { randomUUID } from 'node:crypto';
import type { Insertable, Kysely } from 'kysely';
import type { Database } from '#platform';

let nonces = 0;

/** A transaction as the ledger keeps it; say only what matters. */
export function aStoredTransaction(
  given: Partial<Insertable<Database['chain_transaction']>> = {},
): Insertable<Database['chain_transaction']> & { readonly id: string } {
  nonces += 1;
  return {
    idempotency_key: randomUUID(),
    payload_hash: 'hash',
    chain_id: 31_337,
    signer: 'treasury',
    from_address: `0x${'aa'.repeat(20)}`,
    nonce: nonces,
    to_address: `0x${'bb'.repeat(20)}`,
    data: '0x',
    value: '0',
    gas_limit: '21000',
    finality: '0',
    ...given,
    id: given.id ?? randomUUID(),
  };
}

/** Stores it with the history of a life that goes well, up to its status. */
export async function storeTransaction(
  db: Kysely<Database>,
  given: Partial<Insertable<Database['chain_transaction']>> = {},
): Promise<string> {
  const row = aStoredTransaction(given);
  await db.insertInto('chain_transaction').values(row).execute();
  const life = ['reserved', 'signed', 'broadcast', 'mined', row.status ?? 'reserved'];
  const statuses = life.slice(0, life.indexOf(row.status ?? 'reserved') + 1);
  await db
    .insertInto('chain_transaction_status')
    .values(statuses.map((status) => ({ transaction_id: row.id, status })))
    .execute();
  return row.id;
}
