import type { UnsignedTransaction } from '../signer.js';

/** The same transaction in the words of ethers; plain data, so that it can be posted to a thread. */
export interface TransactionFields {
  readonly type: 0 | 2;
  readonly chainId: number;
  readonly nonce: number;
  readonly to: string | null;
  readonly data: string;
  readonly value: bigint;
  readonly gasLimit: bigint;
  readonly gasPrice?: bigint;
  readonly maxFeePerGas?: bigint;
  readonly maxPriorityFeePerGas?: bigint;
}

export function transactionFields({ fee, to, ...parts }: UnsignedTransaction): TransactionFields {
  const { chainId, nonce, data, value, gasLimit } = parts;
  return {
    ...{ chainId, nonce, data, value, gasLimit, to: to ?? null },
    ...(fee.tip === undefined
      ? { type: 0, gasPrice: fee.max }
      : { type: 2, maxFeePerGas: fee.max, maxPriorityFeePerGas: fee.tip }),
  };
}
