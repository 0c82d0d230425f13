import { PatchbayError } from '#sdk';
import type { RpcClient } from './rpc-client.js';
import { RpcError } from './rpc-error.js';
import { classifySubmission, type Submission } from './submission-error.js';

export interface BroadcastAnswer {
  readonly submission: Submission;
  /** The node's words, where it did not simply accept. */
  readonly error: PatchbayError | undefined;
}

/**
 * Sends stored bytes in one batch, in the order given. No answer means nothing: it may have been taken, and the same bytes
 * can be sent again.
 *
 * @throws evm.rpcThrottled when the node wants to be left alone
 */
export async function broadcast(rpc: RpcClient, raws: readonly string[]): Promise<readonly BroadcastAnswer[]> {
  const answers = await rpc.requestMany(raws.map((raw) => ({ method: 'eth_sendRawTransaction', params: [raw] })));
  return answers.map((answer): BroadcastAnswer => {
    if (answer.status === 'fulfilled') return { submission: 'accepted', error: undefined };
    const error = PatchbayError.from(answer.reason);
    if (error instanceof RpcError && error.kind === 'throttled') throw error;
    return { submission: classifySubmission(error), error };
  });
}
