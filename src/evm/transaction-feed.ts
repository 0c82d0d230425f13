import { defineService, type Feed } from '#sdk';
import type { TransactionFailure, TransactionPlace, TransactionStatus } from './transaction-store.js';

/** What became of a transaction at one moment. */
export interface TransactionChange {
  /** The same for ever: transaction and number of the change. */
  readonly id: string;
  readonly transaction: {
    readonly id: string;
    /** As its caller gave it; null where none was given. */
    readonly idempotencyKey: string | null;
    readonly chainId: number;
    readonly signer: string;
    readonly from: string;
    /** Null: it deploys. */
    readonly to: string | null;
    readonly nonce: number;
    readonly value: string;
    readonly contractAddress: string | null;
    readonly about: TransactionSubject | null;
    readonly origin: string | null;
  };
  /** Null: it is not declared any more. */
  readonly network: string | null;
  readonly status: TransactionStatus;
  /** Hash of the attempt it is about, once there is one. */
  readonly hash: string | null;
  readonly place: TransactionPlace | null;
  readonly failure: TransactionFailure | null;
  /** Why, where the status does not say it, e.g. `reorganised`. */
  readonly reason: string | null;
  /** RFC 3339. */
  readonly time: string;
}

/** What a transaction calls, in words of the ABI: for limits, lists and people. */
export interface TransactionSubject {
  /** As it was addressed: a name, or the address. */
  readonly contract?: string;
  /** Signature, e.g. `mint(address,uint256)`; `constructor` when it deploys. */
  readonly function?: string;
  readonly args?: unknown;
}

export const transactionFeed = defineService<Feed<TransactionChange>>('evm.transactionFeed');
