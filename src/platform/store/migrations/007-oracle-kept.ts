import { sql, type Kysely } from 'kysely';

/** What the steps of a job have found out before they sent something, so that a repeated attempt sends the same. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oracle_kept (
      key text primary key,
      content text not null,
      at timestamptz not null default now()
    );
    create index oracle_kept_at on oracle_kept (at);
  `.execute(db);
}
