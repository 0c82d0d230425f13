const hourMs = 3_600_000;

/** Calls within the last 24 hours, of all that use the org together. */
export class ApiUsage {
  readonly #now: () => Date;
  readonly #byHour = new Map<number, number>();
  limit: number;

  constructor(limit: number, now: () => Date) {
    this.limit = limit;
    this.#now = now;
  }

  get used(): number {
    const oldest = this.#hour() - 24;
    let used = 0;
    for (const [hour, calls] of this.#byHour) {
      if (hour > oldest) used += calls;
      else this.#byHour.delete(hour);
    }
    return used;
  }

  get isUsedUp(): boolean {
    return this.used >= this.limit;
  }

  count(): void {
    const hour = this.#hour();
    this.#byHour.set(hour, (this.#byHour.get(hour) ?? 0) + 1);
  }

  /** As if so many calls had been made today, by somebody. */
  set(used: number): void {
    this.#byHour.clear();
    this.#byHour.set(this.#hour(), used);
  }

  #hour(): number {
    return Math.floor(this.#now().getTime() / hourMs);
  }
}
