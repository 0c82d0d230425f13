import { setTimeout as delay } from 'node:timers/promises';
import { PatchbayError, type HttpClient } from '#sdk';
import type { DeliveriesStore, Delivery, Lane } from './deliveries.store.js';
import { accountOf, type HookPace } from './hook-pace.js';
import { awaitedTriggers, type SubscriptionsStore } from './subscriptions.store.js';

export interface SendingTimes {
  /** For one request; Zapier takes at most 30 seconds. */
  readonly timeoutMs: number;
  /** Before the second attempt; doubled for each further one. */
  readonly firstAgainMs: number;
  readonly longestAgainMs: number;
  /** How often it is looked whether something is due. */
  readonly lookEveryMs: number;
}

export const usualTimes: SendingTimes = {
  timeoutMs: 30_000,
  firstAgainMs: 1_000,
  longestAgainMs: 15 * 60_000,
  lookEveryMs: 500,
};

export interface LaneParts {
  readonly deliveries: DeliveriesStore;
  readonly subscriptions: SubscriptionsStore;
  readonly http: HttpClient;
  readonly pace: HookPace;
  readonly times: SendingTimes;
  /** The target is gone: it wants nothing any more. */
  readonly onGone: (subscription: string) => void;
}

export interface LaneSignals {
  /** No further request begins. */
  readonly stop: AbortSignal;
  /** The request under way is given up too. */
  readonly kill: AbortSignal;
}

type Outcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'throttled'; readonly waitMs: number | undefined; readonly error: PatchbayError }
  | { readonly kind: 'failed'; readonly error: PatchbayError };

const pageSize = 100;
const mostInBatch = 100;
/** Attempts in company. */
const mostJoined = 3;
const mostBatchBytes = 2 * 1_024 * 1_024;
/** After so many failures in a row it is the hook that fails, not what it is sent. */
const patience = 3;

/**
 * Sends what waits for one subscription: one request at a time, so that after an answer that says stop or later nothing is
 * on its way. Resolves when nothing is due, or nothing may be sent for now.
 */
export async function sendLane(lane: Lane, parts: LaneParts, { stop, kill }: LaneSignals): Promise<void> {
  const { deliveries, subscriptions, pace } = parts;
  const target = await subscriptions.target(lane.subscription);
  if (target === undefined) return;
  const account = accountOf(target);
  let failures = lane.failures;
  while (!stop.aborted) {
    const due = await deliveries.due(lane.subscription, pageSize);
    if (due.length === 0) return;
    for (const request of requestsOf(due)) {
      await delay(pace.reserve(lane.subscription, account), undefined, { signal: stop });
      const outcome = await post(target, request, parts, kill);
      failures = outcome.kind === 'taken' ? 0 : failures + 1;
      if (!(await settle(lane, request, { outcome, failures }, parts))) return;
    }
  }
}

/** @returns whether the lane goes on */
async function settle(
  { subscription, trigger }: Lane,
  request: readonly Delivery[],
  { outcome, failures }: { readonly outcome: Outcome; readonly failures: number },
  { deliveries, subscriptions, times, onGone }: LaneParts,
): Promise<boolean> {
  const keys = request.map(({ key }) => key);
  const isOnce = awaitedTriggers.some((one) => one === trigger);
  switch (outcome.kind) {
    case 'taken':
      await deliveries.markSent(subscription, keys, isOnce);
      return !isOnce;
    case 'gone':
      if (isOnce) await subscriptions.end(subscription);
      else await subscriptions.remove(subscription);
      onGone(subscription);
      return false;
    case 'throttled': {
      const waitMs = outcome.waitMs ?? againMs(failures, times);
      await deliveries.pause(subscription, waitMs);
      await deliveries.markFailed(subscription, keys, { error: told(outcome.error), againMs: waitMs });
      return false;
    }
    case 'failed': {
      const attempts = 1 + Math.max(...request.map((one) => one.attempts));
      await deliveries.markFailed(subscription, keys, {
        error: told(outcome.error),
        againMs: againMs(attempts, times),
      });
      if (failures < patience) return true;
      await deliveries.pause(subscription, againMs(failures - patience + 1, times));
      return false;
    }
  }
}

async function post(
  target: string,
  request: readonly Delivery[],
  { http, times }: LaneParts,
  signal: AbortSignal,
): Promise<Outcome> {
  const [only] = request;
  const body = request.length === 1 && only ? only.body : `[${request.map((one) => one.body).join(',')}]`;
  const { pathname, search } = new URL(target);
  try {
    const { status } = await http.request({
      method: 'POST',
      url: target,
      headers: { 'content-type': 'application/json' },
      body,
      timeoutMs: times.timeoutMs,
      accept: (answered) => (answered >= 200 && answered < 300) || answered === 410,
      redact: [target, `${pathname}${search}`, pathname].filter((text) => text.length > 1),
      signal,
    });
    return { kind: status === 410 ? 'gone' : 'taken' };
  } catch (thrown) {
    // Whether it was taken is not known then; who sends next asks again, under the same id.
    signal.throwIfAborted();
    const error = PatchbayError.from(thrown);
    if (error.code === 'http.throttled') return { kind: 'throttled', waitMs: error.retryAfterMs, error };
    return { kind: 'failed', error };
  }
}

/** Neighbours that may travel together do. */
function* requestsOf(due: readonly Delivery[]): Generator<readonly Delivery[]> {
  let batch: Delivery[] = [];
  let bytes = 0;
  for (const delivery of due) {
    // One that cannot be taken must not hold back those it travels with for ever.
    const mayJoin = delivery.inBatch && delivery.attempts < mostJoined;
    const isFull = batch.length >= mostInBatch || bytes + delivery.body.length > mostBatchBytes;
    if (batch.length > 0 && (!mayJoin || isFull)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    if (mayJoin) {
      batch.push(delivery);
      bytes += delivery.body.length;
    } else {
      yield [delivery];
    }
  }
  if (batch.length > 0) yield batch;
}

/** Chance spreads what failed together. */
function againMs(attempts: number, { firstAgainMs, longestAgainMs }: SendingTimes): number {
  const full = Math.min(longestAgainMs, firstAgainMs * 2 ** Math.min(attempts - 1, 20));
  return full * (0.75 + Math.random() / 4);
}

function told({ code, detail: message }: PatchbayError): object {
  return { code, message };
}
