import type { Generated } from 'kysely';
import type { BigInt8, Json, NullableBigInt8, NullableJson, NullableTimestamp, Timestamp } from './columns.js';

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
