import type { TransactionChange } from '#evm';
import { followFeed, type Feed, type Logger } from '#sdk';

/** Reads the feed of changes for as long as somebody looks, beginning with what happens then. */
export class TransactionsLive {
  readonly #listeners = new Set<(changes: readonly TransactionChange[]) => void>();
  #stop: AbortController | undefined;

  constructor(
    private readonly feed: Feed<TransactionChange>,
    private readonly log: Logger,
  ) {}

  /** @returns a function that stops it */
  onChanges(listener: (changes: readonly TransactionChange[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once changes from now on are told. */
  async start(): Promise<void> {
    if (this.#stop) return;
    const stop = (this.#stop = new AbortController());
    try {
      const tail = await this.feed.tail();
      void this.#follow(tail, stop);
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = undefined;
  }

  async #follow(tail: string, stop: AbortController): Promise<void> {
    try {
      for await (const page of followFeed(this.feed, { after: tail, signal: stop.signal })) {
        const changes = page.map(({ item }) => item);
        for (const listener of this.#listeners) listener(changes);
      }
    } catch (error) {
      this.log.warn('Changes of transactions are not shown live for now', { error });
      if (this.#stop === stop) this.#stop = undefined;
    }
  }
}
