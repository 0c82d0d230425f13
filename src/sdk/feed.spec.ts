import { describe, expect, it } from '@jest/globals';
import { followFeed, type Feed } from './feed.js';

class Numbers implements Feed<number> {
  readonly items: number[] = [];
  readonly listeners = new Set<() => void>();

  read(after: string | undefined, limit: number) {
    const from = after === undefined ? 0 : Number(after);
    return Promise.resolve(
      this.items.slice(from, from + limit).map((item, index) => ({ item, cursor: String(from + index + 1) })),
    );
  }

  tail() {
    return Promise.resolve(String(this.items.length));
  }

  onMore(listener: () => void) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  add(...items: number[]): void {
    this.items.push(...items);
    for (const listener of this.listeners) listener();
  }
}

describe('following a feed', () => {
  it.each([
    ['it calls', 60_000, (feed: Numbers) => feed.add(4)],
    ['its call gets lost', 5, (feed: Numbers) => feed.items.push(4)],
  ])('given a feed, when more comes and %s, then everything is read once and in order', async (_, lookEveryMs, add) => {
    const feed = new Numbers();
    feed.items.push(1, 2, 3);
    const stop = new AbortController();
    const read: number[] = [];

    for await (const page of followFeed(feed, { after: '1', signal: stop.signal, limit: 1, lookEveryMs })) {
      read.push(...page.map(({ item }) => item));
      if (read.length === 2) setImmediate(() => add(feed));
      if (read.length === 3) stop.abort();
    }

    expect(read).toEqual([2, 3, 4]);
    expect(feed.listeners.size).toBe(0);
  });

  it('given nothing to read, when it is stopped, then it ends', async () => {
    const stop = new AbortController();
    setImmediate(() => stop.abort());
    for await (const page of followFeed(new Numbers(), { after: undefined, signal: stop.signal })) {
      throw new Error(String(page.length));
    }
  });
});
