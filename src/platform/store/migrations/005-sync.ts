import { sql, type Kysely } from 'kysely';

/** What a sync of two sides has to remember: what they agreed on, and what is being done about it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table sync (
      name text primary key,
      identity text not null,
      selection text,
      pass_id text,
      pass_kind text,
      pass_selection text,
      pass_place jsonb,
      counts jsonb,
      started_at timestamptz,
      finished_at timestamptz,
      updated_at timestamptz not null default now()
    );

    create table sync_row (
      sync text not null,
      key text collate "C" not null,
      identity text not null,
      record_id text,
      revision integer not null default 0,
      agreed jsonb,
      intent jsonb,
      state text not null default 'agreed',
      error jsonb,
      pass text,
      held_by text,
      held_until timestamptz,
      burst integer not null default 0,
      burst_since timestamptz,
      updated_at timestamptz not null default now(),
      primary key (sync, key)
    );
    create index sync_row_record on sync_row (sync, record_id) where record_id is not null;
    create index sync_row_state on sync_row (sync, state) where state <> 'agreed' or intent is not null;
  `.execute(db);
}
