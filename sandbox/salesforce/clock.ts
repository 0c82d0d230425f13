export interface ClockChange {
  readonly advanceMs?: number;
  /** Stands still at this moment. */
  readonly freezeAt?: string;
  /** Goes on from the present moment of the machine. */
  readonly reset?: boolean;
}

/** The time of the org: that of the machine until it is told otherwise. Waiting in a poll is not affected. */
export class Clock {
  readonly #base: () => Date;
  #aheadMs = 0;
  #frozenAt: number | undefined;

  constructor(base: () => Date = () => new Date()) {
    this.#base = base;
  }

  now(): Date {
    return new Date((this.#frozenAt ?? this.#base().getTime()) + this.#aheadMs);
  }

  change({ advanceMs = 0, freezeAt, reset = false }: ClockChange): void {
    if (reset || freezeAt !== undefined) this.#aheadMs = 0;
    if (reset) this.#frozenAt = undefined;
    if (freezeAt !== undefined) this.#frozenAt = new Date(freezeAt).getTime();
    this.#aheadMs += advanceMs;
  }
}
