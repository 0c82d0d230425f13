interface Undoing {
  readonly what: string;
  readonly undo: () => Promise<unknown>;
}

/** What was started, to be stopped in the opposite order, whatever happened in between. */
export class Cleanup {
  readonly #undoings: Undoing[] = [];
  #running: Promise<void> | undefined;

  add(what: string, undo: () => Promise<unknown>): void {
    this.#undoings.push({ what, undo });
  }

  /** Called twice (at the end and by Ctrl+C) it runs once. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #run(): Promise<void> {
    for (let next = this.#undoings.pop(); next !== undefined; next = this.#undoings.pop()) {
      await next.undo().catch((error: unknown) => console.error(`  ${next?.what} was not stopped in order:`, error));
    }
  }
}
