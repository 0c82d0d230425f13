import { PatchbayError } from '#sdk';
import type { Network } from './network.js';
import type { TransactionRecord } from './transaction-store.js';
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
  network: Pick<Network, 'transactions'>,
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
  { transactions }: Pick<Network, 'transactions'>,
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
      if (record.status === 'mined' && wait === 'mined') return record;
      throw new PatchbayError('evm.pending', {
        detail: `The transaction ${hashOf(record) ?? record.id} is ${record.status}`,
        retryAfterMs: askAgainMs,
      });
  }
}

/** Of the attempt that was mined, until then of the newest. */
export function hashOf({ place, attempts }: TransactionRecord): string | undefined {
  return place?.hash ?? attempts.at(-1)?.hash;
}
