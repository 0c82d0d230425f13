import { sql, type Kysely } from 'kysely';

/** What the transaction layer keeps: more about transactions, interfaces and contracts, calls, event streams. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table chain_transaction
      alter column to_address drop not null,
      add column fee jsonb,
      add column about jsonb,
      add column origin text,
      add column wish text,
      add column contract_address text,
      add column is_final boolean not null generated always as (status in ('confirmed', 'failed', 'cancelled')) stored,
      -- Room beside each row, so that most changes of status touch no index.
      set (fillfactor = 70);
    drop index chain_transaction_unfinished;
    create index chain_transaction_unfinished on chain_transaction (chain_id, from_address, nonce) where not is_final;
    -- With the values, so that what was spent today is summed up from the index alone.
    create index chain_transaction_origin on chain_transaction (origin, created_at) include (value);
    create index chain_transaction_from on chain_transaction (from_address, created_at) include (value);
    create index chain_transaction_to on chain_transaction (to_address, created_at);
    create index chain_transaction_newest on chain_transaction (created_at, id);
    drop index chain_transaction_created;

    alter table api_key add column limits jsonb;

    -- Which writing transaction a row belongs to: readers stop before the oldest that is still open, so that a row that is
    -- committed late is not passed over.
    alter table chain_transaction_status add column xid xid8 not null default pg_current_xact_id();
    create index chain_transaction_status_feed on chain_transaction_status (xid, seq);

    create table chain_signer (
      chain_id bigint not null,
      address text not null,
      suspended_at timestamptz,
      reason text,
      primary key (chain_id, address)
    );

    create table interface (
      id uuid primary key default gen_random_uuid(),
      name text not null,
      version integer not null,
      contract text not null,
      abi jsonb not null,
      bytecode text,
      runtime_bytecode text,
      immutables jsonb,
      links jsonb,
      metadata text,
      compiler jsonb,
      docs jsonb,
      sources bytea,
      content_hash text not null,
      created_by text not null,
      created_at timestamptz not null default now(),
      unique (name, version),
      unique (name, content_hash)
    );

    create table contract (
      id uuid primary key default gen_random_uuid(),
      network text not null,
      address text not null,
      name text,
      interface_id uuid not null references interface (id),
      transaction_id uuid references chain_transaction (id),
      created_by text not null,
      created_at timestamptz not null default now(),
      unique (network, name),
      unique (network, address)
    );
    create index contract_interface on contract (interface_id);

    create table gateway_call (
      id uuid primary key,
      seq bigint generated always as identity,
      xid xid8 not null default pg_current_xact_id(),
      item jsonb not null,
      at timestamptz not null default now()
    );
    create index gateway_call_feed on gateway_call (xid, seq);
    create index gateway_call_at on gateway_call (at);

    create table stream (
      id uuid primary key default gen_random_uuid(),
      name text not null unique,
      definition jsonb not null,
      sealed bytea,
      state text not null default 'running',
      reason text,
      created_by text not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );

    create table stream_position (
      stream_id uuid not null references stream (id) on delete cascade,
      consumer text not null,
      cursor text collate "C",
      delivered text collate "C",
      traced_from text collate "C" not null default '',
      batch_number bigint not null default 0,
      events bigint not null default 0,
      epoch bigint not null default 0,
      failures integer not null default 0,
      error jsonb,
      retry_at timestamptz,
      delivered_at timestamptz,
      updated_at timestamptz not null default now(),
      primary key (stream_id, consumer)
    );

    create table stream_delivered (
      stream_id uuid not null references stream (id) on delete cascade,
      consumer text not null,
      event_id text not null,
      position text collate "C" not null,
      place text not null,
      event text not null,
      final_at text collate "C",
      primary key (stream_id, consumer, event_id)
    );
    create index stream_delivered_position on stream_delivered (stream_id, consumer, position);

    create table stream_dead_letter (
      id uuid primary key default gen_random_uuid(),
      stream_id uuid not null references stream (id) on delete cascade,
      consumer text not null,
      batch_id text not null,
      events jsonb not null,
      error jsonb not null,
      created_at timestamptz not null default now(),
      unique (stream_id, consumer, batch_id)
    );

    create table ethconnect_stream (
      id text primary key,
      definition jsonb not null,
      sealed bytea,
      created_by text not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
  `.execute(db);
}
