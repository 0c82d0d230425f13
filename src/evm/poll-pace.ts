import type { BlockHeader } from './block.js';

/** Share of a new measurement in the running average. */
const weight = 0.1;
const shortestBlockMs = 250;
const longestBlockMs = 60_000;
const shortestPollMs = 100;
const longestPollMs = 3_000;
/** While heads are announced, polling only covers what an announcement loses. */
const announcedFactor = 10;

/** How long to wait before the next look at the head: a quarter of the time between blocks. */
export class PollPace {
  readonly #fixedMs: number | undefined;
  #blockMs: number;

  constructor(options: { readonly blockTimeMs?: number; readonly pollMs?: number }) {
    this.#fixedMs = options.pollMs;
    this.#blockMs = options.blockTimeMs ?? 4_000;
    this.#isGiven = options.blockTimeMs !== undefined;
  }

  readonly #isGiven: boolean;

  note(before: BlockHeader | undefined, tip: BlockHeader): void {
    if (this.#isGiven || !before || tip.number <= before.number) return;
    const measured = ((tip.timestamp - before.timestamp) * 1_000) / (tip.number - before.number);
    const bounded = Math.min(longestBlockMs, Math.max(shortestBlockMs, measured));
    this.#blockMs += (bounded - this.#blockMs) * weight;
  }

  nextMs(isAnnounced: boolean): number {
    const ms = this.#fixedMs ?? Math.min(longestPollMs, Math.max(shortestPollMs, this.#blockMs / 4));
    return isAnnounced ? ms * announcedFactor : ms;
  }
}
