import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { Json, NullableJson, NullableTimestamp, Timestamp } from './columns.js';

/** What IFTTT finds when it polls: newest by time, then by position. */
export interface IftttItemTable {
  seq: Generated<string>;
  /** Slug of a trigger that flows publish to, or the identity of one that the hub watches for. */
  feed: string;
  id: string;
  /** Order of items of the same time. */
  position: string | null;
  time: Timestamp;
  ingredients: JSONColumnType<Record<string, string>, string, string>;
  created_at: Timestamp;
}

export interface IftttIdentityTable {
  identity: string;
  slug: string;
  feed: string;
  fields: JSONColumnType<Record<string, unknown>, string, string>;
  /** Where the watch for it left off. */
  cursor: string | null;
  error: NullableJson;
  /** There is something that IFTTT was not told of. */
  is_dirty: Generated<boolean>;
  /** IFTTT is being told, and may have been. */
  is_being_told: Generated<boolean>;
  told_at: NullableTimestamp;
  polled_at: Timestamp;
  created_at: Timestamp;
}

/** Actions that IFTTT asked for, to recognise one that it asks for again. */
export interface IftttRequestTable {
  id: Generated<string>;
  flow: string;
  request_id: string | null;
  /** Of the Applet and what was filled in. */
  fingerprint: string | null;
  /** Of the event that was stored for it. */
  key: string;
  at: Timestamp;
}

export interface IftttWebhookTable {
  id: Generated<string>;
  type: string;
  event: string;
  body: Json;
  at: Timestamp;
}

export interface IftttTokenTable {
  /** SHA-256 of the token. */
  hash: Buffer;
  kind: 'code' | 'access' | 'refresh';
  /** Id of an API key, or `test`. */
  user_id: string;
  redirect_url: string | null;
  expires_at: NullableTimestamp;
  created_at: Timestamp;
}

/** Where Zapier, or one step of a Zap, wants to be told something. */
export interface ZapierSubscriptionTable {
  id: Generated<string>;
  /** Of target, trigger and input: subscribing the same again is the same. */
  hash: string;
  trigger: string;
  /** What is heard is matched by it. */
  topic: string;
  input: Json;
  /** Of a step that waits: the run or the transaction. */
  awaits: string | null;
  /** The target. */
  sealed: Buffer;
  in_batch: Generated<boolean>;
  /** Of a chain: everything before it was heard; of a feed: where it began. */
  cursor: string | null;
  epoch: ColumnType<string, string | number | undefined, string | number>;
  /** Nothing is sent before; the other side asked for it. */
  paused_until: NullableTimestamp;
  failures: Generated<number>;
  error: NullableJson;
  created_by: string;
  created_at: Timestamp;
  delivered_at: NullableTimestamp;
  ended_at: NullableTimestamp;
}

/** The ledger: what each subscription gets, each event once. */
export interface ZapierDeliveryTable {
  seq: Generated<string>;
  subscription_id: string;
  /** Of the event; a reorganisation does not change it. */
  key: string;
  /** As Zapier sees it; once given it stays. */
  item_id: string;
  /** JSON, as text: what strangers wrote must not be able to make it unstorable. */
  item: string;
  position: string | null;
  in_batch: Generated<boolean>;
  state: Generated<'waiting' | 'sent' | 'withdrawn' | 'given-up'>;
  attempts: Generated<number>;
  next_at: Timestamp;
  error: NullableJson;
  created_at: Timestamp;
  sent_at: NullableTimestamp;
}

/** What flows published, as examples for the editor of Zaps. */
export interface ZapierItemTable {
  seq: Generated<string>;
  event: string;
  id: string;
  item: string;
  created_at: Timestamp;
}

export interface ZapierPlaceTable {
  name: string;
  cursor: string;
  epoch: ColumnType<string, string | number | undefined, string | number>;
}
