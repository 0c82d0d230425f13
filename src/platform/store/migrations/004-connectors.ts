import { sql, type Kysely } from 'kysely';

/** What the services that the hub plays, and the connectors that keep a place of their own, have to remember. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table ifttt_item (
      seq bigint generated always as identity primary key,
      feed text not null,
      id text not null,
      position text collate "C",
      time timestamptz not null,
      ingredients jsonb not null,
      created_at timestamptz not null default now(),
      unique (feed, id)
    );
    create index ifttt_item_newest on ifttt_item (feed, time desc, position desc nulls last, seq desc);

    create table ifttt_identity (
      identity text primary key,
      slug text not null,
      feed text not null,
      fields jsonb not null,
      cursor text,
      error jsonb,
      is_dirty boolean not null default false,
      is_being_told boolean not null default false,
      told_at timestamptz,
      polled_at timestamptz not null default now(),
      created_at timestamptz not null default now()
    );
    create index ifttt_identity_feed on ifttt_identity (feed);
    create index ifttt_identity_untold on ifttt_identity (identity) where is_dirty or is_being_told;

    create table ifttt_request (
      id uuid primary key default gen_random_uuid(),
      flow text not null,
      request_id text,
      fingerprint text,
      key text not null,
      at timestamptz not null default now()
    );
    create index ifttt_request_id on ifttt_request (flow, request_id);
    create index ifttt_request_fingerprint on ifttt_request (flow, fingerprint, at);
    create index ifttt_request_at on ifttt_request (at);

    create table ifttt_webhook (
      id uuid primary key default gen_random_uuid(),
      type text not null,
      event text not null,
      body jsonb not null,
      at timestamptz not null default now()
    );
    create index ifttt_webhook_at on ifttt_webhook (at);

    create table ifttt_token (
      hash bytea primary key,
      kind text not null,
      user_id text not null,
      redirect_url text,
      expires_at timestamptz,
      created_at timestamptz not null default now()
    );
    create index ifttt_token_user on ifttt_token (user_id);
    create index ifttt_token_expires on ifttt_token (expires_at) where expires_at is not null;
  `.execute(db);
}
