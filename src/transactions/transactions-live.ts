import { setTimeout as delay } from 'node:timers/promises';
import type { TransactionChange } from '#evm';
import { followFeed, type Feed, type Logger } from '#sdk';

/** Until a store that is away is asked again. */
const againMs = 1_000;

/** Reads the feed of changes for as long as somebody looks, beginning with what happens then. */
export class TransactionsLive {
  readonly #listeners = new Set<(changes: readonly TransactionChange[]) => void>();
  #following: { readonly stop: AbortController; readonly begun: Promise<void> } | undefined;

  constructor(
    private readonly feed: Feed<TransactionChange>,
    private readonly log: Logger,
  ) {}

  /** @returns a function that stops it */
  onChanges(listener: (changes: readonly TransactionChange[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once changes from now on are told, however long the store is away. */
  async start(): Promise<void> {
    this.#following ??= this.#begin();
    await this.#following.begun;
  }

  stop(): void {
    this.#following?.stop.abort();
    this.#following = undefined;
  }

  #begin(): { readonly stop: AbortController; readonly begun: Promise<void> } {
    const stop = new AbortController();
    return { stop, begun: new Promise((resolve) => void this.#follow(stop.signal, resolve)) };
  }

  /** Those who look are told what they missed while the store was away. */
  async #follow(signal: AbortSignal, begun: () => void): Promise<void> {
    let after: string | undefined;
    let isTold = false;
    while (!signal.aborted) {
      try {
        after ??= await this.feed.tail();
        begun();
        for await (const page of followFeed(this.feed, { after, signal })) {
          after = page.at(-1)?.cursor ?? after;
          isTold = false;
          const changes = page.map(({ item }) => item);
          for (const listener of this.#listeners) listener(changes);
        }
      } catch (error) {
        if (!isTold) this.log.warn('Changes of transactions are not shown live for now', { error });
        isTold = true;
        await delay(againMs, undefined, { signal }).catch(() => undefined);
      }
    }
    begun();
  }
}
