import { setTimeout as delay } from 'node:timers/promises';

/** Lets so many pass per second, and a second's worth at once after a pause. */
export class SendingPace {
  #tokens: number;
  #at = performance.now();

  constructor(private readonly perSecond: number | undefined) {
    this.#tokens = perSecond ?? 0;
  }

  /** What may go in one go: more would be more than a second's worth at one moment. */
  get atOnce(): number {
    return this.perSecond === undefined ? Infinity : Math.max(1, Math.floor(this.perSecond));
  }

  /** Resolves when `count` may pass, or when the signal is aborted. */
  async take(count: number, signal: AbortSignal): Promise<void> {
    if (this.perSecond === undefined) return;
    const now = performance.now();
    this.#tokens = Math.min(this.perSecond, this.#tokens + ((now - this.#at) * this.perSecond) / 1_000);
    this.#at = now;
    this.#tokens -= count;
    if (this.#tokens >= 0) return;
    await delay((-this.#tokens * 1_000) / this.perSecond, undefined, { signal }).catch(() => undefined);
  }
}
