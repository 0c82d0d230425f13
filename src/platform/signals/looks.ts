import type { Signals } from './signals.js';

export interface LooksOptions {
  readonly look: () => Promise<void>;
  /** There will be another look all the same. */
  readonly failed: (error: unknown) => void;
  /** From the end of one look to the next one that nobody asked for. */
  readonly everyMs: number;
  /** What signals that there is something new, here or in another process. */
  readonly hears?: { readonly signals: Pick<Signals, 'on' | 'setInterest'>; readonly topic: string };
}

/**
 * Looks after something, one look at a time: as soon as it is asked to, and now and then, because a signal may get lost. A
 * look that is asked for while one is under way follows it, however often it is asked for.
 */
export class Looks {
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isLooking = false;
  #isDue = false;
  #isStarted = false;
  #isStopped = false;
  #stopHearing: () => void = () => undefined;

  constructor(private readonly options: LooksOptions) {}

  /** Resolves when the first look has ended. */
  start(): Promise<void> {
    const { hears } = this.options;
    if (hears !== undefined) {
      this.#stopHearing = hears.signals.on(hears.topic, () => void this.ask());
      hears.signals.setInterest(hears.topic, true);
    }
    this.#isStarted = true;
    return this.ask();
  }

  /** Resolves when a look that began after this has ended; never rejects. Once they are stopped there is none. */
  ask(): Promise<void> {
    this.#isDue = true;
    if (!this.#isLooking) {
      this.#isLooking = true;
      this.#looking = this.#lookWhileDue();
    }
    return this.#looking;
  }

  /** Resolves when no look is under way any more; none begins after it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#stopHearing();
    await this.#looking;
  }

  async #lookWhileDue(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#isDue && !this.#isStopped) {
      this.#isDue = false;
      try {
        await this.options.look();
      } catch (error) {
        this.options.failed(error);
      }
    }
    this.#isLooking = false;
    if (this.#isStarted && !this.#isStopped) {
      this.#timer = setTimeout(() => void this.ask(), this.options.everyMs).unref();
    }
  }
}
