const windowMs = 60_000;
const mostFailures = 20;
const mostAddresses = 10_000;

interface Window {
  readonly endsAt: number;
  failures: number;
}

/** Counts failed attempts per address; guessing is hopeless anyway, but each guess would cost a query. */
export class AttemptLimit {
  readonly #windows = new Map<string, Window>();

  constructor(private readonly now: () => number = Date.now) {}

  /** How long the address has to wait; 0 when it may try. */
  waitMs(address: string): number {
    const window = this.#windows.get(address);
    if (!window || window.failures < mostFailures) return 0;
    return Math.max(0, window.endsAt - this.now());
  }

  fail(address: string): void {
    const window = this.#windows.get(address);
    if (window && window.endsAt > this.now()) {
      window.failures += 1;
      return;
    }
    // The oldest goes first; a flood of addresses must not fill the memory.
    this.#windows.delete(address);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size >= mostAddresses && oldest !== undefined) this.#windows.delete(oldest);
    this.#windows.set(address, { endsAt: this.now() + windowMs, failures: 1 });
  }
}
