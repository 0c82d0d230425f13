import { sql, type Kysely } from 'kysely';

/** Connections that somebody has to let in again, the runs that wait for them, and what is no longer listened to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table connection_trouble (
      connection text primary key,
      reason text not null,
      fix text,
      since timestamptz not null default now(),
      looks int not null default 0,
      look_at timestamptz not null default now()
    );
    alter table trigger_source add column forgotten_at timestamptz;
    create index run_waiting on run (seq) where state = 'queued' and error ->> 'code' = 'connection.waiting';
  `.execute(db);
}
