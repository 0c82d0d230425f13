import { sql, type Kysely } from 'kysely';

/**
 * The ledger: flows and their versions, events, runs, journal, cursors, leases, connections, keys, audit.
 *
 * No foreign keys between events, runs and journal: they are written in batches on the hot path, ids are derived from
 * content before the insert, and retention deletes from the leaves up.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table instance (
      id bigint generated always as identity primary key,
      name text not null,
      roles text[] not null,
      started_at timestamptz not null default now(),
      heartbeat_at timestamptz not null default now()
    );

    create table lease (
      name text primary key,
      holder bigint,
      epoch bigint not null default 0,
      until timestamptz not null default now()
    );

    create table flow_version (
      id text primary key,
      flow text not null,
      document text not null,
      created_at timestamptz not null default now()
    );

    create table flow (
      name text primary key,
      version text not null references flow_version (id),
      file text,
      enabled boolean not null default true,
      paused_at timestamptz,
      updated_at timestamptz not null default now()
    );

    create table trigger_source (
      id text primary key,
      uses text not null,
      connection text,
      input jsonb not null,
      cursor text,
      epoch bigint not null default 0,
      error jsonb,
      heard_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );

    create table event (
      id uuid primary key,
      source text not null,
      key text not null,
      type text not null,
      subject text,
      place text,
      position text,
      status text not null default 'active',
      final_at text,
      time timestamptz not null,
      data jsonb not null,
      created_at timestamptz not null default now()
    );
    create index event_position on event (source, position) where position is not null;
    create index event_removed on event (source) where status = 'removed';
    create index event_created on event (created_at);

    create table run (
      id uuid primary key,
      seq bigint generated always as identity,
      flow text not null,
      version text not null,
      event_id uuid not null,
      kind text not null default 'event',
      parent_id uuid,
      state text not null default 'queued',
      ordering_key text,
      in_lane boolean not null default false,
      next_at timestamptz not null default now(),
      hinted_at timestamptz not null default now(),
      claimed_by bigint,
      claim integer not null default 0,
      is_journaled boolean not null default false,
      error jsonb,
      failed_steps text[] not null default '{}',
      event_edit jsonb,
      created_at timestamptz not null default now(),
      started_at timestamptz,
      finished_at timestamptz
    );
    create index run_lane on run (flow, ordering_key, seq) where in_lane;
    create index run_queued on run (next_at) where state = 'queued';
    create index run_claimed on run (claimed_by) where state = 'running';
    create index run_failed on run (flow, finished_at) where state = 'failed';
    create index run_event on run (event_id);
    create index run_seq on run (seq);

    create table run_step (
      run_id uuid not null,
      step text not null,
      iteration integer not null default 0,
      state text not null,
      attempts integer not null,
      input jsonb,
      output jsonb,
      error jsonb,
      retry_at timestamptz,
      started_at timestamptz not null,
      finished_at timestamptz not null,
      primary key (run_id, step, iteration)
    );

    -- Every run is written three times within moments: the defaults would let dead rows pile up, and plan with the
    -- statistics of an empty table.
    alter table run set (
      autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
      autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 500);
    alter table event set (autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 500);

    create table connection (
      name text primary key,
      connector text not null,
      sealed bytea not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );

    create table api_key (
      id uuid primary key,
      name text not null,
      hash bytea not null unique,
      scopes text[] not null,
      created_at timestamptz not null default now(),
      expires_at timestamptz,
      revoked_at timestamptz,
      last_used_at timestamptz
    );

    create table audit (
      seq bigint generated always as identity primary key,
      at timestamptz not null default now(),
      actor text not null,
      action text not null,
      subject text,
      detail jsonb
    );

    create table backfill (
      id uuid primary key,
      flow text not null,
      source text not null,
      from_place text not null,
      to_place text,
      starts_runs boolean not null,
      state text not null default 'running',
      cursor text,
      done bigint not null default 0,
      total bigint not null default 0,
      events bigint not null default 0,
      error jsonb,
      created_at timestamptz not null default now(),
      finished_at timestamptz
    );

    create table setting (
      name text primary key,
      value jsonb not null
    );
  `.execute(db);
}
