import { PatchbayError } from '#sdk';
import type { Network } from './network.js';
import { findReceipt } from './receipt.js';
import type { Rpc } from './rpc-client.js';
import { hasReached, type TransactionRecord } from './transaction-store.js';
import type { SendRequest, Wait } from './transactions.js';

/** A step waits this long by itself; what takes longer is asked for again later, and no worker is held meanwhile. */
const waitMs = 2_000;
const askAgainMs = 2_000;

export interface WaitOptions {
  readonly wait: Wait;
  readonly signal: AbortSignal;
}

/**
 * Sends once per idempotency key, and resolves when the transaction is as far as is asked for.
 *
 * @throws evm.pending when that takes longer than a step should wait; ask again with the same request
 * @throws evm.reverted, evm.cancelled, evm.nonceTaken … when it has ended otherwise
 */
export async function sendAndWait(
  network: Pick<Network, 'transactions' | 'rpc'>,
  request: SendRequest,
  how: WaitOptions,
): Promise<TransactionRecord> {
  return await waitUntil(network, await network.transactions.submit(request), how);
}

/**
 * Like {@link sendAndWait}, for one that is on its way already.
 *
 * @throws evm.pending, evm.reverted, evm.cancelled, evm.nonceTaken …
 */
export async function waitUntil(
  { transactions, rpc }: Pick<Network, 'transactions' | 'rpc'>,
  accepted: TransactionRecord,
  { wait, signal }: WaitOptions,
): Promise<TransactionRecord> {
  if (wait === 'accepted') return accepted;
  const until = wait === 'mined' ? 'mined' : 'final';
  const record = await transactions.waitFor(accepted.id, until, { withinMs: waitMs, signal });
  switch (record.status) {
    case 'confirmed':
      return record;
    case 'failed':
      throw new PatchbayError(record.failure?.code ?? 'evm.reverted', {
        detail: record.failure?.detail ?? `The transaction ${hashOf(record) ?? record.id} has failed`,
      });
    case 'cancelled':
      throw new PatchbayError('evm.cancelled', { detail: `The transaction ${record.id} was cancelled` });
    default:
      if (wait === 'mined' && hasReached(record, until) && (await hasSucceeded(rpc, record))) return record;
      throw new PatchbayError('evm.pending', {
        detail: `The transaction ${hashOf(record) ?? record.id} is ${record.status}`,
        retryAfterMs: askAgainMs,
      });
  }
}

/** What failed in a block may yet succeed in another one, so it has failed only once it is final. */
async function hasSucceeded(rpc: Rpc, { place }: TransactionRecord): Promise<boolean> {
  const receipt = place && (await findReceipt(rpc, place.hash));
  return receipt?.isSuccess === true;
}

/** Of the attempt that was mined, until then of the newest. */
export function hashOf({ place, attempts }: TransactionRecord): string | undefined {
  return place?.hash ?? attempts.at(-1)?.hash;
}
