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

export interface FollowOptions {
  /** Where to begin; `undefined` with the oldest entry that is kept. */
  readonly after: string | undefined;
  readonly signal: AbortSignal;
  /** Entries at a time. Default 200. */
  readonly limit?: number;
  /** Looks without being called, because a call may get lost. Default 1,000. */
  readonly lookEveryMs?: number;
}

/** The entries of a feed, in pages, as they come; ends when the signal is aborted. */
export async function* followFeed<Item>(
  feed: Feed<Item>,
  { after, signal, limit = 200, lookEveryMs = 1_000 }: FollowOptions,
): AsyncGenerator<readonly FeedEntry<Item>[]> {
  let hasMore = true;
  let wake = (): void => undefined;
  const call = (): void => {
    hasMore = true;
    wake();
  };
  const stop = feed.onMore(call);
  const timer = setInterval(call, lookEveryMs);
  signal.addEventListener('abort', call);
  try {
    for (let cursor = after; !signal.aborted;) {
      hasMore = false;
      const page = await feed.read(cursor, limit);
      cursor = page.at(-1)?.cursor ?? cursor;
      if (page.length > 0) yield page;
      // While the page was handled nobody was asked; a full one has a next one.
      if (page.length === limit || hasMore) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    stop();
    clearInterval(timer);
    signal.removeEventListener('abort', call);
  }
}
