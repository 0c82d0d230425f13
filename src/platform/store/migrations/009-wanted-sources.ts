import { sql, type Kysely } from 'kysely';

/** Processes may not have the same flow files: each says which sources it wants, and only what none wants is forgotten. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table trigger_source add column wanted_at timestamptz not null default now()`.execute(db);
}
