import type { Generated } from 'kysely';
import type { NullableJson, NullableTimestamp, Timestamp } from './columns.js';

/** What was asked of adapters of the hub, to recognise what is asked again. */
export interface OracleRequestTable {
  flow: string;
  /** Of what was asked. */
  fingerprint: string;
  /** Of the event that was stored for it. */
  key: string;
  at: Timestamp;
}

/** An answer of an adapter of the hub that is to be sent once the run has ended. */
export interface OracleReplyTable {
  id: Generated<string>;
  flow: string;
  run: string;
  target_hash: string;
  /** The address: who knows it may answer. */
  sealed: Buffer;
  job_run_id: string | null;
  /** JSON, as text; null while the run goes on. */
  body: string | null;
  state: Generated<'waiting' | 'sent' | 'given-up'>;
  attempts: Generated<number>;
  /** Of those, how often the other side knew nothing of it. */
  refusals: Generated<number>;
  next_at: Timestamp;
  error: NullableJson;
  created_at: Timestamp;
  sent_at: NullableTimestamp;
}

/** An answer of an adapter elsewhere that a step waits for. */
export interface OracleResumptionTable {
  id: string;
  /** Of the step. */
  key: string;
  /** JSON, as text: what strangers write must not be able to make it unstorable. */
  answer: string | null;
  expires_at: Timestamp;
  answered_at: NullableTimestamp;
  created_at: Timestamp;
}

/** What a step found out before it sent something. */
export interface OracleKeptTable {
  key: string;
  /** JSON, as text. */
  content: string;
  at: Timestamp;
}

/** Places in a line that is served at a limited pace. */
export interface OracleTurnTable {
  line: string;
  key: string;
  at: Timestamp;
}
