import { sql, type Kysely } from 'kysely';

/** What adapters of the hub owe to those who asked, and what adapters of others owe to the hub. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oracle_request (
      flow text not null,
      fingerprint text not null,
      key text not null,
      at timestamptz not null default now(),
      primary key (flow, fingerprint)
    );
    create index oracle_request_at on oracle_request (at);

    create table oracle_reply (
      id uuid primary key default gen_random_uuid(),
      flow text not null,
      run uuid not null,
      target_hash text not null,
      sealed bytea not null,
      job_run_id text,
      body text,
      state text not null default 'waiting',
      attempts integer not null default 0,
      refusals integer not null default 0,
      next_at timestamptz not null default now(),
      error jsonb,
      created_at timestamptz not null default now(),
      sent_at timestamptz,
      unique (run, target_hash)
    );
    create index oracle_reply_waiting on oracle_reply (next_at) where state = 'waiting';
    create index oracle_reply_created on oracle_reply (created_at);

    create table oracle_resumption (
      id uuid primary key,
      key text not null unique,
      answer text,
      expires_at timestamptz not null,
      answered_at timestamptz,
      created_at timestamptz not null default now()
    );
    create index oracle_resumption_expires on oracle_resumption (expires_at);

    create table oracle_turn (
      line text not null,
      key text not null,
      at timestamptz not null,
      primary key (line, key)
    );
    create index oracle_turn_last on oracle_turn (line, at);
    create index oracle_turn_at on oracle_turn (at);
  `.execute(db);
}
