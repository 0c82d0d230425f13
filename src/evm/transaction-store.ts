import { defineService, type ErrorCode } from '#sdk';
import type { Finality } from './subscription.js';

/**
 * `reserved`: it has its nonce. `signed`: its bytes are stored. `broadcast`: a node has taken them. `mined`: it is in a
 * block. `confirmed`, `failed`: it is final, by the blocks that were asked for.
 */
export type TransactionStatus = 'reserved' | 'signed' | 'broadcast' | 'mined' | 'confirmed' | 'failed';

export interface TransactionDraft {
  readonly idempotencyKey: string;
  /** Of everything that must be the same when the key is used again. */
  readonly payloadHash: string;
  readonly chainId: number;
  readonly signer: string;
  readonly from: string;
  readonly to: string;
  readonly data: string;
  /** Decimal text. */
  readonly value: string;
  readonly gasLimit: string;
  readonly finality: Finality;
}

export interface TransactionAttempt {
  /** From 1. */
  readonly number: number;
  /** A filler uses up the nonce of a payload that can never be mined. */
  readonly kind: 'payload' | 'filler';
  readonly hash: string;
  readonly raw: string;
  readonly maxFee: string;
  readonly tip: string | undefined;
  /** Head when it was sent first. */
  readonly sentBlock: number | undefined;
  readonly sentAt: Date | undefined;
}

export interface TransactionFailure {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** Where a transaction was mined. */
export interface TransactionPlace {
  readonly hash: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly gasUsed: string;
}

export interface TransactionRecord extends TransactionDraft {
  readonly id: string;
  readonly nonce: number;
  readonly status: TransactionStatus;
  readonly place: TransactionPlace | undefined;
  /** Why it failed, or why its nonce is being filled. */
  readonly failure: TransactionFailure | undefined;
  readonly attempts: readonly TransactionAttempt[];
  readonly createdAt: Date;
}

export interface StatusChange {
  readonly status: TransactionStatus;
  readonly place?: TransactionPlace;
  readonly failure?: TransactionFailure;
}

/** The durable side of sending: each method is one database transaction. */
export interface TransactionStore {
  find(idempotencyKey: string): Promise<TransactionRecord | undefined>;
  /**
   * One nonce for one key: under a lock per chain and address, the higher of the ledger's next nonce and `chainNonce`. A key
   * that is already there keeps its record, which is returned as it is.
   */
  reserve(draft: TransactionDraft, chainNonce: number): Promise<TransactionRecord>;
  /** Before it is broadcast. False: somebody else has added an attempt of this number; read again. */
  addAttempt(id: string, attempt: Omit<TransactionAttempt, 'sentBlock' | 'sentAt'>): Promise<boolean>;
  /** A node has taken the attempt; `signed` becomes `broadcast`. */
  markSent(id: string, attempt: number, block: number): Promise<void>;
  /** Changes the status and keeps the change. What is `confirmed` or `failed` stays so. */
  setStatus(id: string, change: StatusChange): Promise<void>;
  /** Neither confirmed nor failed, by nonce. */
  listUnfinished(chainId: number, limit: number): Promise<readonly TransactionRecord[]>;
}

export const transactionStore = defineService<TransactionStore>('evm.transactionStore');
