import { defineService, type ContractError, type ErrorCode } from '#sdk';
import type { NewDeployment } from './contract-directory.js';
import type { NewGatewayCall } from './gateway-calls.js';
import type { Finality } from './subscription.js';
import type { TransactionSubject } from './transaction-feed.js';

/**
 * `reserved`: it has its nonce. `signed`: its bytes are stored. `broadcast`: a node has taken them. `mined`: it is in a
 * block. `confirmed`, `failed`, `cancelled`: it is final, by the blocks that were asked for. A status only moves forward,
 * but for a reorganisation, which puts `mined` back to `broadcast` and is kept as such.
 */
export const transactionStatuses = [
  'reserved',
  'signed',
  'broadcast',
  'mined',
  'confirmed',
  'failed',
  'cancelled',
] as const;
export type TransactionStatus = (typeof transactionStatuses)[number];

/** Decimal text of wei; see `FeeWish`. */
export interface StoredFeeWish {
  readonly max?: string;
  readonly tip?: string;
  readonly cap?: string;
}

export interface TransactionDraft {
  readonly idempotencyKey: string;
  /** Of everything that must be the same when the key is used again. */
  readonly payloadHash: string;
  readonly chainId: number;
  readonly signer: string;
  readonly from: string;
  /** Undefined: it deploys. */
  readonly to: string | undefined;
  readonly data: string;
  /** Decimal text. */
  readonly value: string;
  readonly gasLimit: string;
  readonly finality: Finality;
  readonly fee: StoredFeeWish | undefined;
  readonly about: TransactionSubject | undefined;
  /** Whose limits it counts towards. */
  readonly origin: string | undefined;
}

/** With what sends it, where a flow waits for that, and the contract that is known by it. */
export interface NewTransaction extends TransactionDraft {
  readonly call?: NewGatewayCall;
  readonly deploys?: NewDeployment;
}

export interface TransactionAttempt {
  /** From 1. */
  readonly number: number;
  /** A filler uses up the nonce of a payload that can never be mined, or is not wanted any more. */
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
  /** Of `evm.reverted`, where the contract said it in a form that is known. */
  readonly error?: ContractError;
}

/** Where a transaction was mined. */
export interface TransactionPlace {
  readonly hash: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly gasUsed: string;
}

/** `cancel`: nothing instead of it. `replace`: the same at a higher fee. */
export type TransactionWish = 'cancel' | 'replace';

export interface TransactionRecord extends TransactionDraft {
  readonly id: string;
  readonly nonce: number;
  readonly status: TransactionStatus;
  readonly place: TransactionPlace | undefined;
  /** Why it failed, or why its nonce is being filled. */
  readonly failure: TransactionFailure | undefined;
  /** What an operator wants of it. */
  readonly wish: TransactionWish | undefined;
  /** Of the contract that it deployed. */
  readonly contractAddress: string | undefined;
  readonly attempts: readonly TransactionAttempt[];
  readonly createdAt: Date;
}

export function isFinal({ status }: Pick<TransactionRecord, 'status'>): boolean {
  return status === 'confirmed' || status === 'failed' || status === 'cancelled';
}

/** What is looked at to tell how far a transaction is. */
export interface TransactionProgress {
  readonly status: TransactionStatus;
  readonly place: Pick<TransactionPlace, 'hash'> | undefined;
  readonly attempts: readonly Pick<TransactionAttempt, 'hash' | 'kind'>[];
}

/** Whether what was mined is a filler: the payload never is. */
export function isFilled({ place, attempts }: Pick<TransactionProgress, 'place' | 'attempts'>): boolean {
  return attempts.some(({ hash, kind }) => hash === place?.hash && kind === 'filler');
}

/**
 * Whether it is that far or, however it ended, final. One whose filler was mined is not: that it has not come to anything is
 * certain when it is final.
 */
export function hasReached(transaction: TransactionProgress, until: 'broadcast' | 'mined' | 'final'): boolean {
  if (isFinal(transaction)) return true;
  if (until === 'final') return false;
  if (until === 'broadcast' && transaction.status === 'broadcast') return true;
  return transaction.status === 'mined' && (until === 'broadcast' || !isFilled(transaction));
}

export type NewAttempt = Omit<TransactionAttempt, 'sentBlock' | 'sentAt'>;

export interface StatusChange {
  readonly id: string;
  readonly status: TransactionStatus;
  readonly place?: TransactionPlace;
  readonly failure?: TransactionFailure;
  readonly contractAddress?: string;
  /** Why, where the status does not say it. */
  readonly reason?: string;
  /** Hash of the block that it was mined in, where that block has left the chain. */
  readonly goneBlock?: string;
}

/** The durable side of sending: each method is one database transaction. */
export interface TransactionStore {
  /**
   * One nonce for one key: under a lock per chain and address, the higher of the ledger's next nonce and `chainNonce`. A key
   * that is already there keeps its record, which is returned as it is. Many at once share one database transaction. The
   * call that sends it and the contract that it deploys are kept with it or not at all.
   *
   * @throws evm.limit, evm.signerSuspended; request.conflict when the name of the contract is taken
   */
  reserve(draft: NewTransaction, chainNonce: number): Promise<TransactionRecord>;
  findByKey(idempotencyKey: string): Promise<TransactionRecord | undefined>;
  find(ids: readonly string[]): Promise<readonly TransactionRecord[]>;
  /**
   * Before they are broadcast; `reserved` becomes `signed`. The ids that got their attempt: of the others somebody else has
   * added one of the same number.
   */
  addAttempts(attempts: readonly { readonly id: string; readonly attempt: NewAttempt }[]): Promise<ReadonlySet<string>>;
  /** A node has taken the attempts; `signed` becomes `broadcast`. */
  markSent(sent: readonly { readonly id: string; readonly attempt: number }[], block: number): Promise<void>;
  /**
   * Changes statuses and keeps the changes, each once. What is final stays so, and what is mined stays so until the very
   * block is gone: a process that slept while another went on takes nothing back. `reserved` and `signed` come with the nonce
   * and the bytes: who names them here changes all but the status.
   */
  setStatus(changes: readonly StatusChange[]): Promise<void>;
  /** What an operator wants; `replace` with the fee to pay. False when it is final. */
  wish(id: string, wish: TransactionWish, fee?: StoredFeeWish): Promise<boolean>;
  /** A wish to replace is granted once; another one, with another fee, stands. */
  grant(id: string, fee: StoredFeeWish | undefined): Promise<void>;
  /** Those of a signer that an operator wants something of. */
  listWished(chainId: number, from: string): Promise<readonly TransactionRecord[]>;
  /** Unfinished ones of a signer in the order of nonces, beginning after a nonce (-1: with the first). */
  listUnfinished(
    chainId: number,
    from: string,
    afterNonce: number,
    limit: number,
  ): Promise<readonly TransactionRecord[]>;
  /** All of a signer with these nonces, also final ones. */
  listNonces(chainId: number, from: string, first: number, last: number): Promise<readonly TransactionRecord[]>;
  /** Addresses that have something unfinished, with the name their signer had. */
  unfinishedSigners(chainId: number): Promise<readonly { readonly from: string; readonly signer: string }[]>;
  /** The ledger's next nonce of an address; undefined before its first. */
  nextNonce(chainId: number, from: string): Promise<number | undefined>;
  /** Takes a nonce that the ledger has no transaction for, to fill it with nothing. */
  fillNonce(draft: TransactionDraft, nonce: number): Promise<void>;
}

export const transactionStore = defineService<TransactionStore>('evm.transactionStore');

/** Words between the processes that accept transactions and the one that sends them. They may get lost. */
export interface TransactionSignals {
  /** Something of this chain was accepted, wished for or changed. */
  tell(chainId: number, what: 'accepted' | 'changed'): void;
  on(chainId: number, what: 'accepted' | 'changed', listener: () => void): () => void;
}

export const transactionSignals = defineService<TransactionSignals>('evm.transactionSignals');

/** The right to send for a signer alone; undefined while another process has it. */
export interface SenderLeases {
  acquire(name: string): Promise<{ readonly signal: AbortSignal; release(): Promise<void> } | undefined>;
}

export const senderLeases = defineService<SenderLeases>('evm.senderLeases');
