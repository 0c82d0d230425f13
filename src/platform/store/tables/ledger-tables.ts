import type { ColumnType, Generated } from 'kysely';
import type { BigInt8, Json, NullableJson, NullableTimestamp, Timestamp } from './columns.js';

export interface InstanceTable {
  id: Generated<string>;
  name: string;
  roles: string[];
  started_at: Timestamp;
  heartbeat_at: Timestamp;
}

export interface LeaseTable {
  name: string;
  holder: string | null;
  epoch: BigInt8;
  until: Timestamp;
}

export interface FlowVersionTable {
  /** Content hash of the document. */
  id: string;
  flow: string;
  document: string;
  created_at: Timestamp;
}

export interface FlowTable {
  name: string;
  version: string;
  file: string | null;
  enabled: Generated<boolean>;
  paused_at: NullableTimestamp;
  updated_at: Timestamp;
}

export interface TriggerSourceTable {
  /** Hash of uses, connection and input: flows with the same trigger share it. */
  id: string;
  uses: string;
  connection: string | null;
  input: Json;
  cursor: string | null;
  /** Of the lease of the listener that moved the cursor last. */
  epoch: BigInt8;
  error: NullableJson;
  heard_at: NullableTimestamp;
  /** When what the trigger had made on the other side was taken back. */
  forgotten_at: NullableTimestamp;
  /** When a process last said that it has a flow for it, even one that is paused. */
  wanted_at: Timestamp;
  created_at: Timestamp;
  updated_at: Timestamp;
}

export type EventStatus = 'active' | 'removed' | 'reverted';

export interface EventTable {
  /** Hash of source and key, so that hearing the same thing again is the same row. */
  id: string;
  source: string;
  key: string;
  type: string;
  subject: string | null;
  place: string | null;
  position: string | null;
  status: Generated<EventStatus>;
  final_at: string | null;
  time: Timestamp;
  data: Json;
  created_at: Timestamp;
}

export type RunState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';

export type RunKind = 'event' | 'replay' | 'reverted';

export interface RunTable {
  /** Hash of flow and idempotency key: the same event cannot start two runs. */
  id: string;
  /** Order of acceptance; within one flow and ordering key also the order of commits. */
  seq: Generated<string>;
  flow: string;
  version: string;
  event_id: string;
  kind: Generated<RunKind>;
  parent_id: string | null;
  state: Generated<RunState>;
  ordering_key: string | null;
  /** It holds its place: later runs of the same flow and ordering key wait. */
  in_lane: Generated<boolean>;
  next_at: Timestamp;
  /** When a queue job was last asked to take it up. */
  hinted_at: Timestamp;
  claimed_by: string | null;
  /** Counts claims; a settle must name the one it holds. */
  claim: Generated<number>;
  is_journaled: Generated<boolean>;
  error: NullableJson;
  failed_steps: Generated<string[]>;
  event_edit: NullableJson;
  created_at: Timestamp;
  started_at: NullableTimestamp;
  finished_at: NullableTimestamp;
}

export interface RunStepTable {
  run_id: string;
  step: string;
  iteration: Generated<number>;
  state: string;
  attempts: number;
  input: NullableJson;
  output: NullableJson;
  error: NullableJson;
  retry_at: NullableTimestamp;
  started_at: Timestamp;
  finished_at: Timestamp;
}

export interface ConnectionTable {
  name: string;
  connector: string;
  sealed: Buffer;
  created_at: Timestamp;
  updated_at: Timestamp;
}

/** A connection that the other side does not let in; runs wait for it until somebody has changed that. */
export interface ConnectionTroubleTable {
  connection: string;
  reason: string;
  fix: string | null;
  since: Timestamp;
  /** How often it was tried since. */
  looks: Generated<number>;
  look_at: Timestamp;
}

export interface ApiKeyTable {
  id: string;
  name: string;
  /** SHA-256 of the key. */
  hash: Buffer;
  scopes: string[];
  /** What it may send to chains; null: as its scopes say. */
  limits: NullableJson;
  created_at: Timestamp;
  expires_at: NullableTimestamp;
  revoked_at: NullableTimestamp;
  last_used_at: NullableTimestamp;
}

export interface AuditTable {
  seq: Generated<string>;
  at: Timestamp;
  actor: string;
  action: string;
  subject: string | null;
  detail: NullableJson;
}

export interface BackfillTable {
  id: string;
  flow: string;
  source: string;
  from_place: string;
  to_place: string | null;
  starts_runs: boolean;
  state: Generated<'running' | 'completed' | 'failed' | 'cancelled'>;
  /** Where it goes on after a restart. */
  cursor: string | null;
  done: Generated<string>;
  total: Generated<string>;
  events: Generated<string>;
  error: NullableJson;
  created_at: Timestamp;
  finished_at: NullableTimestamp;
}

export interface SettingTable {
  name: string;
  value: Json;
}

/** Something was missed by a trigger and looked for. */
export interface TriggerIncidentTable {
  id: Generated<string>;
  source: string;
  at: Timestamp;
  reason: string;
  since: ColumnType<Date, Date | string, never>;
  found: number;
  emitted: number;
}
