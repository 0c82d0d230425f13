import { afterEach, describe, expect, it } from '@jest/globals';
import type { TransactionChange } from '#evm';
import { PatchbayError, type Feed } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { silent } from '../evm/testing/heard-logs.js';
import { TransactionsLive } from './transactions-live.js';

let live: TransactionsLive | undefined;

afterEach(() => live?.stop());

describe('changes of transactions for those who look', () => {
  it.each(['tail', 'read'] as const)(
    'given a store that is away for a moment when it is asked for its %s, when there are changes, then they are told',
    async (method) => {
      const feed = aFeed(method);
      const told: string[] = [];
      live = new TransactionsLive(feed, silent);
      live.onChanges((changes) => void told.push(...changes.map(({ id }) => id)));

      await Promise.all([live.start(), live.start()]);
      feed.add('first');
      await eventually(() => told.length === 1);
      feed.add('second');
      await eventually(() => told.length === 2);

      expect(feed.wasAway).toBe(true);
      expect(told).toEqual(['first', 'second']);
    },
  );
});

/** A feed that fails once. */
function aFeed(
  failing: 'tail' | 'read',
): Feed<TransactionChange> & { add(id: string): void; readonly wasAway: boolean } {
  const ids: string[] = [];
  const listeners = new Set<() => void>();
  let wasAway = false;
  const fail = (method: string): void => {
    if (method !== failing || wasAway) return;
    wasAway = true;
    throw new PatchbayError('store.unavailable');
  };
  return {
    get wasAway() {
      return wasAway;
    },
    add: (id) => {
      ids.push(id);
      for (const listener of listeners) listener();
    },
    tail: async () => {
      await Promise.resolve();
      fail('tail');
      return String(ids.length);
    },
    read: async (after = '0') => {
      await Promise.resolve();
      fail('read');
      // Only its id is looked at.
      return ids.slice(Number(after)).map((id, place) => ({
        item: { id } as TransactionChange,
        cursor: String(Number(after) + place + 1),
      }));
    },
    onMore: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
