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

  await sql`
    create table zapier_subscription (
      id uuid primary key default gen_random_uuid(),
      hash text not null unique,
      trigger text not null,
      topic text not null,
      input jsonb not null,
      awaits uuid,
      sealed bytea not null,
      in_batch boolean not null default false,
      cursor text,
      epoch bigint not null default 0,
      paused_until timestamptz,
      failures integer not null default 0,
      error jsonb,
      created_by text not null,
      created_at timestamptz not null default now(),
      delivered_at timestamptz,
      ended_at timestamptz
    );
    create index zapier_subscription_topic on zapier_subscription (trigger, topic) where ended_at is null;
    create index zapier_subscription_awaits on zapier_subscription (awaits) where awaits is not null and ended_at is null;
    create index zapier_subscription_ended on zapier_subscription (ended_at) where ended_at is not null;

    create table zapier_delivery (
      seq bigint generated always as identity,
      subscription_id uuid not null references zapier_subscription (id) on delete cascade,
      key text not null,
      item_id text not null,
      item text not null,
      position text collate "C",
      in_batch boolean not null default false,
      state text not null default 'waiting',
      attempts integer not null default 0,
      next_at timestamptz not null default now(),
      error jsonb,
      created_at timestamptz not null default now(),
      sent_at timestamptz,
      primary key (subscription_id, key)
    );
    create index zapier_delivery_waiting on zapier_delivery (subscription_id, seq) where state = 'waiting';
    create index zapier_delivery_place on zapier_delivery (subscription_id, position) where state = 'waiting';
    create index zapier_delivery_sent on zapier_delivery (subscription_id, sent_at) where state = 'sent';
    create index zapier_delivery_created on zapier_delivery (created_at);

    create table zapier_item (
      seq bigint generated always as identity,
      event text not null,
      id text not null,
      item text not null,
      created_at timestamptz not null default now(),
      primary key (event, id)
    );
    create index zapier_item_newest on zapier_item (event, seq);
    create index zapier_item_created on zapier_item (created_at);

    create table zapier_place (
      name text primary key,
      cursor text not null,
      epoch bigint not null default 0
    );

    create table trigger_incident (
      id bigint generated always as identity primary key,
      source text not null references trigger_source (id) on delete cascade,
      at timestamptz not null default now(),
      reason text not null,
      since timestamptz not null,
      found integer not null,
      emitted integer not null
    );
    create index trigger_incident_source on trigger_incident (source, id);

    -- Asked for the newest only, and cheap to keep for a table that is written all the time.
    create index run_finished on run using brin (finished_at) with (pages_per_range = 16, autosummarize = on);
  `.execute(db);
}
