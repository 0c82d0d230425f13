import type { Generated } from 'kysely';
import type { NullableJson, NullableTimestamp, Timestamp } from './columns.js';

/** How far the passes of a sync over both sides have come. */
export interface SyncTable {
  name: string;
  identity: string;
  /** Of what the last finished backfill brought together. */
  selection: string | null;
  /** Of the pass that is under way. */
  pass_id: string | null;
  pass_kind: 'backfill' | 'check' | null;
  pass_selection: string | null;
  pass_place: NullableJson;
  /** Of the pass that is under way, or of the last one. */
  counts: NullableJson;
  started_at: NullableTimestamp;
  finished_at: NullableTimestamp;
  updated_at: Timestamp;
}

/** What both sides agreed on last, key by key. */
export interface SyncRowTable {
  sync: string;
  key: string;
  identity: string;
  record_id: string | null;
  /** Grows with every intent. */
  revision: Generated<number>;
  agreed: NullableJson;
  /** Noted before it is done, gone when it is known to be done. */
  intent: NullableJson;
  state: Generated<'agreed' | 'differing' | 'failed'>;
  error: NullableJson;
  /** The last pass that has looked at it. */
  pass: string | null;
  /** Who compares and writes it at the moment. */
  held_by: string | null;
  held_until: NullableTimestamp;
  /** Intents since, to notice two sides that overrule each other without end. */
  burst: Generated<number>;
  burst_since: NullableTimestamp;
  updated_at: Timestamp;
}
