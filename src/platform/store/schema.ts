import type { ColumnType, Generated, JSONColumnType } from 'kysely';

/** Written as JSON text, read as a parsed value. */
type Json = JSONColumnType<object, string, string>;
type NullableJson = ColumnType<unknown, string | null, string | null>;
type Timestamp = ColumnType<Date, Date | string | undefined, Date | string>;
type NullableTimestamp = ColumnType<Date | null, Date | string | null, Date | string | null>;
/** bigint columns arrive as text. */
type BigInt8 = ColumnType<string, string | number | bigint, string | number | bigint>;

type NullableBigInt8 = ColumnType<string | null, string | number | bigint | null, string | number | bigint | null>;

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

export interface ChainBlockTable {
  chain_id: BigInt8;
  hash: string;
  number: BigInt8;
  parent_hash: string;
}

export interface ChainNonceTable {
  chain_id: BigInt8;
  address: string;
  next: BigInt8;
}

export interface ChainTransactionTable {
  id: Generated<string>;
  idempotency_key: string;
  payload_hash: string;
  chain_id: BigInt8;
  signer: string;
  from_address: string;
  nonce: BigInt8;
  /** Null: it deploys. */
  to_address: string | null;
  data: string;
  /** numeric columns arrive as text. */
  value: string;
  gas_limit: string;
  /** Number of blocks, or the chain's word for final. */
  finality: string;
  status: Generated<string>;
  /** Of the attempt that was mined. */
  hash: string | null;
  block_number: NullableBigInt8;
  block_hash: string | null;
  gas_used: string | null;
  failure: NullableJson;
  /** What the sender wishes to pay. */
  fee: NullableJson;
  /** What it calls, in words of the ABI. */
  about: NullableJson;
  /** `flow:<name>` or `key:<id>`: whose limits it counts towards. */
  origin: string | null;
  /** What an operator wants of it: `cancel`. */
  wish: string | null;
  /** Of the contract that it deployed. */
  contract_address: string | null;
  /** Made of the status by the database; unlike it, it seldom changes. */
  is_final: Generated<boolean>;
  created_at: Timestamp;
  updated_at: Timestamp;
}

export interface ChainSignerTable {
  chain_id: BigInt8;
  address: string;
  suspended_at: NullableTimestamp;
  reason: string | null;
}

export interface ChainTransactionAttemptTable {
  transaction_id: string;
  number: number;
  kind: string;
  hash: string;
  raw: string;
  max_fee: string;
  tip: string | null;
  sent_block: NullableBigInt8;
  sent_at: NullableTimestamp;
  created_at: Timestamp;
}

export interface ChainTransactionStatusTable {
  transaction_id: string;
  seq: Generated<string>;
  status: string;
  detail: NullableJson;
  at: Timestamp;
  /** Of the database transaction that wrote it, as text; orders the feed of changes. */
  xid: Generated<string>;
}

export interface InterfaceTable {
  id: Generated<string>;
  name: string;
  version: number;
  /** In the sources: `Name` or `file.sol:Name`. */
  contract: string;
  abi: Json;
  /** Null: it cannot be deployed. */
  bytecode: string | null;
  runtime_bytecode: string | null;
  /** Where the constructor puts values into the runtime code, as solc gives it. */
  immutables: NullableJson;
  /** Places of library addresses in the bytecode, as solc gives them. */
  links: NullableJson;
  metadata: string | null;
  /** Version and settings. */
  compiler: NullableJson;
  /** NatSpec: `{ devdoc, userdoc }`. */
  docs: NullableJson;
  /** Standard JSON input, gzipped. */
  sources: Buffer | null;
  /** Of what is deployed and called: the same content is the same version. */
  content_hash: string;
  created_by: string;
  created_at: Timestamp;
}

export interface ContractTable {
  id: Generated<string>;
  network: string;
  address: string;
  name: string | null;
  interface_id: string;
  /** That deployed it. */
  transaction_id: string | null;
  created_by: string;
  created_at: Timestamp;
}

export interface GatewayCallTable {
  id: string;
  seq: Generated<string>;
  xid: Generated<string>;
  item: Json;
  at: Timestamp;
}

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

export interface Database {
  instance: InstanceTable;
  lease: LeaseTable;
  flow_version: FlowVersionTable;
  flow: FlowTable;
  trigger_source: TriggerSourceTable;
  trigger_incident: TriggerIncidentTable;
  event: EventTable;
  run: RunTable;
  run_step: RunStepTable;
  connection: ConnectionTable;
  api_key: ApiKeyTable;
  audit: AuditTable;
  backfill: BackfillTable;
  setting: SettingTable;
  chain_block: ChainBlockTable;
  chain_nonce: ChainNonceTable;
  chain_transaction: ChainTransactionTable;
  chain_transaction_attempt: ChainTransactionAttemptTable;
  chain_transaction_status: ChainTransactionStatusTable;
  chain_signer: ChainSignerTable;
  interface: InterfaceTable;
  contract: ContractTable;
  gateway_call: GatewayCallTable;
  stream: StreamTable;
  stream_position: StreamPositionTable;
  stream_delivered: StreamDeliveredTable;
  stream_dead_letter: StreamDeadLetterTable;
  ethconnect_stream: EthconnectStreamTable;
  ifttt_item: IftttItemTable;
  ifttt_identity: IftttIdentityTable;
  ifttt_request: IftttRequestTable;
  ifttt_webhook: IftttWebhookTable;
  ifttt_token: IftttTokenTable;
  zapier_subscription: ZapierSubscriptionTable;
  zapier_delivery: ZapierDeliveryTable;
  zapier_item: ZapierItemTable;
  zapier_place: ZapierPlaceTable;
}
