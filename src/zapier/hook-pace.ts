export interface PaceLimits {
  /** Requests to one hook. */
  readonly perSecond: number;
  /** Requests to all hooks of one account within five minutes. */
  readonly perFiveMinutes: number;
}

/** Zapier's own limits are 30 and 20,000; what a clock or a network compresses must stay below them. */
export const usualPace: PaceLimits = { perSecond: 27, perFiveMinutes: 19_000 };

const windowSeconds = 300;
const mostKnown = 10_000;

/** When the next request may leave: bursts are spread evenly over a hook, and all hooks of an account share what it may get. */
export class HookPace {
  readonly #nextAt = new Map<string, number>();
  /** Requests by second, of each account. */
  readonly #accounts = new Map<string, Map<number, number>>();

  constructor(
    private readonly limits: PaceLimits,
    private readonly now: () => number = Date.now,
  ) {}

  /** Requests that left before this process knew of them, all of which may just have done so. */
  seed(account: string, requests: number): void {
    this.#count(account, Math.floor(this.now() / 1_000), requests);
  }

  /** @returns for how many milliseconds to wait before the request that is hereby counted */
  reserve(hook: string, account: string): number {
    const now = this.now();
    const at = Math.max(now, this.#nextAt.get(hook) ?? now, this.#accountFreeAt(account, now));
    if (this.#nextAt.size >= mostKnown) this.#forget(now);
    this.#nextAt.set(hook, at + 1_000 / this.limits.perSecond);
    this.#count(account, Math.floor(at / 1_000), 1);
    return at - now;
  }

  #accountFreeAt(account: string, now: number): number {
    const seconds = this.#accounts.get(account);
    if (!seconds) return now;
    const oldest = Math.floor(now / 1_000) - windowSeconds;
    let total = 0;
    for (const [second, requests] of seconds) {
      if (second < oldest) seconds.delete(second);
      else total += requests;
    }
    let freeAt = now;
    // Those that were counted first leave the window first.
    for (const second of [...seconds.keys()].sort((one, other) => one - other)) {
      if (total < this.limits.perFiveMinutes) break;
      total -= seconds.get(second) ?? 0;
      freeAt = Math.max(freeAt, (second + windowSeconds + 1) * 1_000);
    }
    return freeAt;
  }

  #count(account: string, second: number, requests: number): void {
    const seconds = this.#accounts.get(account) ?? new Map<number, number>();
    this.#accounts.set(account, seconds.set(second, (seconds.get(second) ?? 0) + requests));
  }

  #forget(now: number): void {
    for (const [hook, at] of this.#nextAt) if (at < now) this.#nextAt.delete(hook);
  }
}

/** The account whose limits a target counts towards: the user in the address of a hook of Zapier. */
export function accountOf(targetUrl: string): string {
  const { origin, pathname } = new URL(targetUrl);
  const [, user] = /\/hooks\/(?:standard|catch)\/([^/]+)\/[^/]+/.exec(pathname) ?? [];
  return user === undefined ? origin : `${origin} ${user}`;
}
