import { setTimeout as delay } from 'node:timers/promises';
import { PatchbayError } from '#sdk';
import type { CircuitBreaker } from './circuit-breaker.js';
import { failureNote, type FailureNote } from './positions.store.js';
import type { StreamDefinition } from './stream.schema.js';
import type { StreamBatch, StreamTarget } from './stream.js';

export interface DeliveryParts {
  readonly target: StreamTarget;
  readonly breaker: CircuitBreaker | undefined;
  readonly retry: StreamDefinition['retry'];
  /** No new attempt begins. */
  readonly stopping: AbortSignal;
  /** The attempt that is under way is given up too. */
  readonly signal: AbortSignal;
  onFailure(note: FailureNote, next: { readonly failures: number; readonly retryInMs: number }): Promise<void>;
}

export type Outcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly error: FailureNote }
  /** It was stopped before the consumer had it. */
  | { readonly kind: 'stopped' };

/**
 * Tries until the consumer has the batch. When it was tried for as long as the stream says, or no retry can help, it is
 * either given up or tried on, as the stream says.
 *
 * @throws stream.ended when the consumer wants no more
 */
export async function deliver(batch: StreamBatch, parts: DeliveryParts): Promise<Outcome> {
  const { target, breaker, retry, stopping, signal } = parts;
  const begun = performance.now();
  const since = new Date().toISOString();
  for (let failures = 1; ; failures++) {
    // The next batch may be ready when the stream is told to rest.
    if (stopping.aborted) return { kind: 'stopped' };
    try {
      await breaker?.pass(stopping);
    } catch {
      return { kind: 'stopped' };
    }
    const error = await attempt(batch, target, signal);
    if (error === undefined) {
      breaker?.succeeded();
      return { kind: 'accepted' };
    }
    if (signal.aborted) {
      breaker?.abandoned();
      return { kind: 'stopped' };
    }
    // Whose answer it is that tells about the endpoint, not what it is: a batch that it refuses may be the batch's fault.
    breaker?.failed();
    if (error.code === 'stream.ended') throw error;
    const isOver = error.retry === 'never' || performance.now() - begun >= retry.for;
    const note = failureNote(error, since, isOver);
    if (isOver && retry.onFailure === 'dead-letter') return { kind: 'refused', error: note };
    const retryInMs = pauseMs(failures, error, retry, isOver);
    await parts.onFailure(note, { failures, retryInMs });
    await delay(retryInMs, undefined, { signal: stopping }).catch(() => undefined);
    if (stopping.aborted) return { kind: 'stopped' };
  }
}

async function attempt(
  batch: StreamBatch,
  target: StreamTarget,
  signal: AbortSignal,
): Promise<PatchbayError | undefined> {
  try {
    await target.deliver(batch, signal);
    return undefined;
  } catch (error) {
    return PatchbayError.from(error);
  }
}

/** Doubling, with a random part so that streams do not come back all at once; never sooner than the other side asks for. */
function pauseMs(failures: number, error: PatchbayError, retry: StreamDefinition['retry'], isBlocked: boolean): number {
  const ceiling = isBlocked ? retry.maxDelay : Math.min(retry.maxDelay, retry.delay * 2 ** Math.min(failures - 1, 30));
  return Math.max(error.retryAfterMs ?? 0, ceiling * (0.8 + Math.random() * 0.2));
}
