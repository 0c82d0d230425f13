import type { Abi } from './abi.js';
import type { NewDeployment } from './contract-directory.js';
import type { NewGatewayCall } from './gateway-calls.js';
import type { Finality } from './subscription.js';
import type { TransactionSubject } from './transaction-feed.js';
import type { StoredFeeWish, TransactionRecord } from './transaction-store.js';

/** What a sender wishes to pay; whatever is absent is decided by the network's fee policy. Wei. */
export interface FeeWish {
  /** Highest price per gas, or the gas price on a chain without base fees. */
  readonly max?: bigint;
  readonly tip?: bigint;
  /** No raise goes above this price per gas. */
  readonly cap?: bigint;
}

/** As it is written in JSON, in the terms of a request. */
export function feeWishOf({ max, tip, cap }: { readonly [Part in keyof StoredFeeWish]: string | undefined }): FeeWish {
  return {
    ...(max !== undefined && { max: BigInt(max) }),
    ...(tip !== undefined && { tip: BigInt(tip) }),
    ...(cap !== undefined && { cap: BigInt(cap) }),
  };
}

/** What the sender waits for: stored with its nonce, in a block, final. */
export type Wait = 'accepted' | 'mined' | 'confirmed';

export interface SendRequest {
  /** The same request under the same key is the same transaction, for ever. */
  readonly idempotencyKey: string;
  /** Name of a signer, `hd-<wallet>-<index>`, or the address of one. */
  readonly signer: string;
  /** Absent: it deploys `data`. */
  readonly to?: string;
  readonly data: string;
  readonly value: bigint;
  readonly finality: Finality;
  /** Estimated, and a fifth more, when it is not given. */
  readonly gasLimit?: bigint;
  readonly fee?: FeeWish;
  /** Explains why a call is refused. */
  readonly abi?: Abi;
  readonly about?: TransactionSubject;
  /** `flow:<name>` or `key:<id>`: whose limits it counts towards. */
  readonly origin?: string;
  /** What sends it, where a flow waits for it: kept in the same breath as the transaction. */
  readonly call?: NewGatewayCall;
  /** The contract that it deploys, where the hub is to know it: likewise. */
  readonly deploys?: NewDeployment;
}

export interface Simulation {
  /** Estimated. */
  readonly gas: bigint;
  /** Answer of the call; `0x` when it deploys. */
  readonly output: string;
}

/** Sending on one network. Everything may be called by any process; which one does the work is none of the caller's business. */
export interface Transactions {
  /**
   * Resolves once the transaction is stored with its nonce: from then on it is sent whatever crashes.
   *
   * @throws request.conflict when the key was used for something else
   * @throws evm.reverted, evm.insufficientFunds, evm.unknownSigner, evm.limit, evm.signerSuspended before a nonce is used
   */
  submit(request: SendRequest): Promise<TransactionRecord>;
  /** Asks the node what would happen; nothing is stored. @throws evm.reverted, evm.insufficientFunds */
  simulate(request: Omit<SendRequest, 'idempotencyKey' | 'finality'>): Promise<Simulation>;
  /** Resolves when it is that far or final, or with what it is by then when that takes longer. */
  waitFor(
    id: string,
    until: 'broadcast' | 'mined' | 'final',
    wait: { readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<TransactionRecord>;
  /** Tries to put nothing in its place; which of the two is mined decides. @throws run.stateConflict when it is final */
  cancel(id: string): Promise<TransactionRecord>;
  /** The same transaction at a higher fee, at once. @throws request.conflict when it is final */
  replace(id: string, fee: FeeWish): Promise<TransactionRecord>;
}
