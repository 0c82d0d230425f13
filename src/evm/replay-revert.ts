import type { Abi } from './abi.js';
import { toQuantity } from './block.js';
import { findReason, type RevertReason } from './revert-reason.js';
import type { Rpc } from './rpc-client.js';
import { RpcError } from './rpc-error.js';

/** A transaction that was mined and failed; value and gas limit as decimal text, like its record has them. */
export interface FailedTransaction {
  readonly from: string;
  /** Undefined: it was to deploy. */
  readonly to: string | undefined;
  readonly data: string;
  readonly value: string | bigint;
  readonly gasLimit: string | bigint;
  readonly blockNumber: number;
}

/**
 * Why a mined transaction failed, which its receipt does not say: it is called again, as of before its block and, since
 * others of the block may have come before it, as of after it. Undefined when no call fails, or the node has no state
 * that old; this is an explanation, so a node that cannot give it is no error.
 */
export async function replayRevert(
  rpc: Pick<Rpc, 'request'>,
  failed: FailedTransaction,
  abi: Abi,
): Promise<RevertReason | undefined> {
  const { from, to, data, value, gasLimit, blockNumber } = failed;
  const call = {
    from,
    ...(to === undefined ? {} : { to }),
    data,
    value: toQuantity(BigInt(value)),
    gas: toQuantity(BigInt(gasLimit)),
  };
  for (const block of [blockNumber - 1, blockNumber]) {
    try {
      await rpc.request('eth_call', [call, toQuantity(Math.max(block, 0))]);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const reason =
        findReason(error, abi) ??
        (/out.?of.?gas|OOG\b/i.test(error.rpcMessage) ? { words: 'it ran out of gas' } : undefined);
      if (reason !== undefined) return reason;
    }
  }
  return undefined;
}
