import { sql, type Kysely } from 'kysely';

/** The chain: newest blocks by network, next nonces, transactions with every signed attempt and every change of status. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table chain_block (
      chain_id bigint not null,
      hash text not null,
      number bigint not null,
      parent_hash text not null,
      primary key (chain_id, hash)
    );
    create index chain_block_number on chain_block (chain_id, number);

    create table chain_nonce (
      chain_id bigint not null,
      address text not null,
      next bigint not null,
      primary key (chain_id, address)
    );

    create table chain_transaction (
      id uuid primary key default gen_random_uuid(),
      idempotency_key text not null unique,
      payload_hash text not null,
      chain_id bigint not null,
      signer text not null,
      from_address text not null,
      nonce bigint not null,
      to_address text not null,
      data text not null,
      value numeric(78) not null,
      gas_limit numeric(78) not null,
      finality text not null,
      status text not null default 'reserved',
      hash text,
      block_number bigint,
      block_hash text,
      gas_used numeric(78),
      failure jsonb,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      unique (chain_id, from_address, nonce)
    );
    create index chain_transaction_unfinished on chain_transaction (chain_id, nonce)
      where status not in ('confirmed', 'failed');
    create index chain_transaction_created on chain_transaction (created_at);

    create table chain_transaction_attempt (
      transaction_id uuid not null references chain_transaction (id) on delete cascade,
      number integer not null,
      kind text not null,
      hash text not null unique,
      raw text not null,
      max_fee numeric(78) not null,
      tip numeric(78),
      sent_block bigint,
      sent_at timestamptz,
      created_at timestamptz not null default now(),
      primary key (transaction_id, number)
    );

    create table chain_transaction_status (
      transaction_id uuid not null references chain_transaction (id) on delete cascade,
      seq bigint generated always as identity,
      status text not null,
      detail jsonb,
      at timestamptz not null default now(),
      primary key (transaction_id, seq)
    );
  `.execute(db);
}
