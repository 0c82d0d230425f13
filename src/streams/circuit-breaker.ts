export type CircuitState = 'closed' | 'open' | 'halfOpen';

export interface CircuitTimes {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open the first time; doubles with each probe that fails. */
  readonly openMs: number;
  readonly longestOpenMs: number;
}

const usualTimes: CircuitTimes = { failures: 10, openMs: 30_000, longestOpenMs: 15 * 60_000 };

/** Keeps those who share an endpoint from calling it while it only fails: after a pause one of them tries, the others wait. */
export class CircuitBreaker {
  readonly #times: CircuitTimes;
  #failures = 0;
  #openings = 0;
  #openUntil = 0;
  #isProbing = false;
  readonly #waiting = new Set<() => void>();

  constructor(times: CircuitTimes = usualTimes) {
    this.#times = times;
  }

  get state(): CircuitState {
    if (this.#openings === 0) return 'closed';
    return this.#isProbing || performance.now() >= this.#openUntil ? 'halfOpen' : 'open';
  }

  /** Resolves when the caller may try; it then must tell how it went. Rejects when `signal` is aborted. */
  async pass(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#openings === 0) return;
      if (this.state === 'halfOpen' && !this.#isProbing) {
        this.#isProbing = true;
        return;
      }
      await this.#change(signal);
    }
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openings = 0;
    this.#isProbing = false;
    this.#tell();
  }

  failed(): void {
    this.#failures += 1;
    if (this.#isProbing || (this.#openings === 0 && this.#failures >= this.#times.failures)) {
      const { openMs, longestOpenMs } = this.#times;
      this.#openUntil = performance.now() + Math.min(longestOpenMs, openMs * 2 ** this.#openings);
      this.#openings += 1;
    }
    this.#isProbing = false;
    this.#tell();
  }

  /** The try came to no end that says anything about the endpoint. */
  abandoned(): void {
    this.#isProbing = false;
    this.#tell();
  }

  #tell(): void {
    for (const wake of this.#waiting) wake();
  }

  async #change(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const waitMs = this.#isProbing ? this.#times.openMs : Math.max(1, this.#openUntil - performance.now());
      const timer = setTimeout(wake, waitMs);
      timer.unref();
      signal.addEventListener('abort', wake);
      this.#waiting.add(wake);
    });
  }
}

/** One for each endpoint. */
export class CircuitBreakers {
  readonly #breakers = new Map<string, CircuitBreaker>();

  constructor(private readonly times?: CircuitTimes) {}

  of(endpoint: string): CircuitBreaker {
    const known = this.#breakers.get(endpoint);
    if (known) return known;
    const breaker = new CircuitBreaker(this.times);
    this.#breakers.set(endpoint, breaker);
    return breaker;
  }
}
