import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange, Reply } from '../stand-in.js';

/** How one request to a hook goes wrong; `ok`: it does not. */
export interface HookFault {
  readonly kind: 'ok' | '410' | '429' | '500' | 'slow' | 'reset' | 'reset-after';
  /** Of a 429: for how long to wait. */
  readonly retryAfterSeconds?: number | undefined;
  /** Of a 429: the header is a date. */
  readonly asDate?: boolean | undefined;
  /** Of a slow answer. */
  readonly delayMs?: number | undefined;
}

export interface HookReport {
  readonly requests: number;
  /** Items in requests that were taken, repeats included. */
  readonly items: number;
  /** Different ids: runs of the Zap, once its app has dropped what came twice. */
  readonly distinct: number;
  /** Came again because its answer was lost or late. */
  readonly repeated: number;
  /** Came again although the answer was 200. */
  readonly doubled: number;
  /** Came after this hook had answered 410. */
  readonly after410: number;
  /** Came before the time was over that a 429 named. */
  readonly beforeRetryAfter: number;
  /** Most requests within one second. */
  readonly mostPerSecond: number;
  readonly isOff: boolean;
}

/** One REST hook of one Zap: takes what it is sent, goes wrong when it is told to, and counts the sender's mistakes. */
export class RestHook {
  /** Whether the sender knows that it was taken. */
  readonly #taken = new Map<string, 'known' | 'unknown'>();
  readonly #faults: HookFault[] = [];
  readonly #arrivals: number[] = [];
  #newest: unknown[] = [];
  #isOff = false;
  #saidGone = false;
  #closedUntilMs = 0;
  #requests = 0;
  #items = 0;
  #repeated = 0;
  #doubled = 0;
  #after410 = 0;
  #beforeRetryAfter = 0;
  #mostPerSecond = 0;

  turnOff(): void {
    this.#isOff = true;
  }

  /** Each goes with one of the next requests, in order. */
  fail(faults: readonly HookFault[]): void {
    this.#faults.push(...faults);
  }

  async take({ body }: Exchange): Promise<Reply> {
    const nowMs = Date.now();
    this.#arrive(nowMs);
    if (this.#isOff) return this.#gone();
    if (nowMs < this.#closedUntilMs) {
      this.#beforeRetryAfter += 1;
      return { status: 429, headers: { 'retry-after': String(Math.ceil((this.#closedUntilMs - nowMs) / 1_000)) } };
    }
    const fault = this.#faults.shift();
    switch (fault?.kind) {
      case undefined:
      case 'ok':
        this.#process(body, 'known');
        return { status: 200, body: { status: 'success' } };
      case '410':
        this.#isOff = true;
        return this.#gone();
      case '429':
        return this.#throttle(fault, nowMs);
      case '500':
        return { status: 500, body: { status: 'error' } };
      case 'reset':
        return { status: 500, isReset: true };
      case 'reset-after':
        this.#process(body, 'unknown');
        return { status: 200, isReset: true };
      case 'slow':
        this.#process(body, 'unknown');
        await delay(fault.delayMs ?? 31_000, undefined, { ref: false });
        return { status: 200, body: { status: 'success' } };
    }
  }

  report(): HookReport {
    return {
      requests: this.#requests,
      items: this.#items,
      distinct: this.#taken.size,
      repeated: this.#repeated,
      doubled: this.#doubled,
      after410: this.#after410,
      beforeRetryAfter: this.#beforeRetryAfter,
      mostPerSecond: this.#mostPerSecond,
      isOff: this.#isOff,
    };
  }

  ids(): readonly string[] {
    return [...this.#taken.keys()];
  }

  /** The newest items, as they came. */
  newest(): readonly unknown[] {
    return this.#newest;
  }

  #arrive(nowMs: number): void {
    this.#requests += 1;
    this.#arrivals.push(nowMs);
    while (nowMs - (this.#arrivals[0] ?? nowMs) >= 1_000) this.#arrivals.shift();
    this.#mostPerSecond = Math.max(this.#mostPerSecond, this.#arrivals.length);
  }

  #gone(): Reply {
    if (this.#saidGone) this.#after410 += 1;
    this.#saidGone = true;
    return { status: 410, body: { status: 'error' } };
  }

  #throttle({ retryAfterSeconds = 1, asDate = false }: HookFault, nowMs: number): Reply {
    // A date has whole seconds only.
    const untilMs = nowMs + retryAfterSeconds * 1_000;
    this.#closedUntilMs = asDate ? Math.ceil(untilMs / 1_000) * 1_000 : untilMs;
    const value = asDate ? new Date(this.#closedUntilMs).toUTCString() : String(retryAfterSeconds);
    return { status: 429, headers: { 'retry-after': value }, body: { status: 'error' } };
  }

  #process(body: unknown, outcome: 'known' | 'unknown'): void {
    for (const item of [body].flat() as { readonly id?: unknown }[]) {
      this.#items += 1;
      const id = String(item.id);
      const before = this.#taken.get(id);
      if (before === 'known') this.#doubled += 1;
      if (before === 'unknown') this.#repeated += 1;
      if (before === undefined) this.#newest = [...this.#newest.slice(-9), item];
      this.#taken.set(id, before === 'known' ? 'known' : outcome);
    }
  }
}
