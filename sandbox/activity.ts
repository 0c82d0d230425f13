import { recipients, type Demo } from './demo.js';
import type { SandboxLog } from './log.js';

export interface ActivityOptions {
  readonly demo: Demo;
  readonly everyMs: number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: SandboxLog;
}

/** Every so many ticks a deal is won instead of a transfer made. */
const ticksPerDeal = 6;

/** Life on the demo: a large transfer at once, then one after the other, some large and most small, and a deal now and then. */
export class Activity {
  #timer: NodeJS.Timeout | undefined;
  #tick = 0;

  constructor(private readonly options: ActivityOptions) {}

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  start(): void {
    this.#timer ??= setTimeout(() => void this.#act(), 0);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #act(): Promise<void> {
    const { log, everyMs } = this.options;
    try {
      await this.#next();
    } catch (error) {
      // The chain may be under a fault that somebody is trying out; the next tick comes anyway.
      log.warn('The demo could not act', { error });
    }
    if (this.isRunning) this.#timer = setTimeout(() => void this.#act(), everyMs);
  }

  async #next(): Promise<void> {
    const { demo, log } = this.options;
    const tick = this.#tick;
    this.#tick += 1;
    if (tick === 0) {
      log.info('A large transfer was made', { ...(await demo.transfer('25000')) });
    } else if (tick % ticksPerDeal === 2) {
      log.info('An opportunity was won', {
        ...demo.winOpportunity({ amount: this.#between(5, 500) * 100, wallet: this.#anyone() }),
      });
    } else {
      const amount = this.options.random() < 0.3 ? this.#between(10_001, 60_000) : this.#between(5, 2_000);
      log.info('A transfer was made', { ...(await demo.transfer(String(amount), this.#anyone())) });
    }
  }

  #anyone(): string {
    return recipients[this.#between(0, recipients.length - 1)] ?? recipients[0];
  }

  #between(least: number, most: number): number {
    return least + Math.floor(this.options.random() * (most - least + 1));
  }
}
