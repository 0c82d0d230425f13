import { PatchbayError } from '#sdk';

export interface BudgetSettings {
  /** Share of the calls of a day that backfills and comparisons may use. */
  readonly background: number;
  /** Share of the calls of a day that is left for people and other programs: background work stops before it. */
  readonly reserve: number;
}

export type CallPurpose = 'work' | 'background';

export interface BudgetState {
  /** Calls of the org within 24 hours, by whomever; undefined until Salesforce has told. */
  readonly used: number | undefined;
  readonly limit: number | undefined;
  readonly usedInBackground: number;
  /** RFC 3339; until then the connection makes no calls, but for one a minute that looks whether it may again. */
  readonly pausedUntil?: string;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/**
 * What is left of the API calls of an org, from what Salesforce says with every answer, and the circuit that keeps all
 * flows of the connection away once it allows no more. Counted by the hub since its start: Salesforce does not tell who
 * used what.
 */
export class ApiBudget {
  readonly #settings: BudgetSettings;
  readonly #now: () => number;
  readonly #background = new Map<number, number>();
  #usage: { readonly used: number; readonly limit: number } | undefined;
  #pause: { readonly error: PatchbayError; readonly until: number; probeAt: number } | undefined;

  constructor(settings: BudgetSettings, now: () => number = Date.now) {
    this.#settings = settings;
    this.#now = now;
  }

  /** Lets a call through and counts it. @throws salesforce.limit when it has to wait */
  admit(purpose: CallPurpose): void {
    this.#checkPause();
    if (purpose === 'work') return;
    const { background, reserve } = this.#settings;
    if (this.#usage !== undefined) {
      const { used, limit } = this.#usage;
      if (this.#usedInBackground() >= background * limit) {
        throw atEnd(`its share of ${Math.floor(background * limit)} calls within 24 hours is used`);
      }
      if (used >= (1 - reserve) * limit) throw atEnd(`${used} of the ${limit} calls of the org are used`);
    }
    const hour = Math.floor(this.#now() / hourMs);
    this.#background.set(hour, (this.#background.get(hour) ?? 0) + 1);
  }

  /** Takes down the header `Sforce-Limit-Info` of an answer. */
  heard(header: string | undefined): void {
    const [, used, limit] = /(?:^|[;\s])api-usage=(\d+)\/(\d+)/.exec(header ?? '') ?? [];
    if (used !== undefined && limit !== undefined) this.#usage = { used: Number(used), limit: Number(limit) };
  }

  /** Salesforce allows no more calls to anybody: the whole connection waits. */
  pause(error: PatchbayError): void {
    const now = this.#now();
    this.#pause = { error, until: now + (error.retryAfterMs ?? minuteMs), probeAt: now + minuteMs };
  }

  /** A call was answered, so that calls are allowed. */
  resume(): void {
    this.#pause = undefined;
  }

  get state(): BudgetState {
    const isPaused = this.#pause !== undefined && this.#pause.until > this.#now();
    return {
      used: this.#usage?.used,
      limit: this.#usage?.limit,
      usedInBackground: this.#usedInBackground(),
      ...(isPaused ? { pausedUntil: new Date(this.#pause?.until ?? 0).toISOString() } : {}),
    };
  }

  #checkPause(): void {
    if (this.#pause === undefined) return;
    const now = this.#now();
    const { error, until, probeAt } = this.#pause;
    if (now >= until) return;
    if (now >= probeAt) {
      this.#pause.probeAt = now + minuteMs;
      return;
    }
    throw new PatchbayError('salesforce.limit', {
      detail: `The connection pauses, because Salesforce allows no more calls: ${error.detail}`,
      fix: 'The calls of an org are counted together: see who uses them under Setup, System Overview.',
      retryAfterMs: until - now,
    });
  }

  #usedInBackground(): number {
    const oldest = Math.floor(this.#now() / hourMs) - 24;
    let used = 0;
    for (const [hour, calls] of this.#background) {
      if (hour > oldest) used += calls;
      else this.#background.delete(hour);
    }
    return used;
  }
}

function atEnd(reason: string): PatchbayError {
  return new PatchbayError('salesforce.limit', {
    detail: `Background work on this org waits: ${reason}`,
    fix: 'It goes on by itself; apiBudget of the connection says how much it may use.',
    retryAfterMs: 15 * minuteMs,
  });
}
