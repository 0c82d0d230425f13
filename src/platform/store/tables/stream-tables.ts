import type { ColumnType, Generated } from 'kysely';
import type { Json, NullableJson, NullableTimestamp, Timestamp } from './columns.js';

/** What old clients call an event stream: where the events of its subscriptions go. Each subscription is a stream of ours. */
export interface EthconnectStreamTable {
  id: string;
  definition: Json;
  /** Headers of its webhook. */
  sealed: Buffer | null;
  created_by: string;
  created_at: Timestamp;
  updated_at: Timestamp;
}

export interface StreamTable {
  id: Generated<string>;
  name: string;
  definition: Json;
  /** Secrets of the target. */
  sealed: Buffer | null;
  state: Generated<'running' | 'suspended'>;
  /** Why it is suspended. */
  reason: string | null;
  created_by: string;
  created_at: Timestamp;
  updated_at: Timestamp;
}

export interface StreamPositionTable {
  stream_id: string;
  /** Empty unless each of several consumers has a place of its own. */
  consumer: string;
  /** Of the source: everything before it has been delivered. */
  cursor: string | null;
  /** Position of the last event delivered at or after `cursor`. */
  delivered: string | null;
  /** What was delivered from this position on is in `stream_delivered`; empty: nothing needs to be. */
  traced_from: Generated<string>;
  batch_number: ColumnType<string, string | number | undefined, string | number>;
  events: ColumnType<string, string | number | undefined, string | number>;
  /** Of the lease of the process that moved it last. */
  epoch: ColumnType<string, string | number | undefined, string | number>;
  failures: Generated<number>;
  error: NullableJson;
  retry_at: NullableTimestamp;
  delivered_at: NullableTimestamp;
  updated_at: Timestamp;
}

/** What was delivered and may still vanish in a reorganisation. */
export interface StreamDeliveredTable {
  stream_id: string;
  consumer: string;
  event_id: string;
  position: string;
  place: string;
  /** JSON, as text: what strangers wrote must not be able to make it unstorable. */
  event: string;
  /** Set when its block was abandoned: from this place on it is gone for good. */
  final_at: string | null;
}

export interface StreamDeadLetterTable {
  id: Generated<string>;
  stream_id: string;
  consumer: string;
  batch_id: string;
  events: Json;
  error: Json;
  created_at: Timestamp;
}
