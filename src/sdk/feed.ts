/** One entry of a {@link Feed} and the place after it. */
export interface FeedEntry<Item> {
  readonly item: Item;
  /** Sorts as text in the order of the feed. */
  readonly cursor: string;
}

/**
 * A durable list that only grows, in the order in which its entries were committed: whoever reads on from a cursor misses
 * nothing, also when entries are written by several processes at once.
 */
export interface Feed<Item> {
  /** The entries after the cursor, oldest first; `undefined` begins with the oldest that is kept. */
  read(after: string | undefined, limit: number): Promise<readonly FeedEntry<Item>[]>;
  /** The place after the newest entry. */
  tail(): Promise<string>;
  /** Called when there may be more to read; it may be called for nothing. @returns a function that stops it */
  onMore(listener: () => void): () => void;
}
