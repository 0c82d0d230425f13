import { sql, type Kysely } from 'kysely';

/**
 * Room beside each transaction and each attempt for the versions that a burst leaves behind, so that a change of status
 * writes its row and no index. What is stored already stays as it is.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table chain_transaction set (fillfactor = 50);
    alter table chain_transaction_attempt set (fillfactor = 60);
  `.execute(db);
}
