import { describe, expect, it } from '@jest/globals';
import type { PublishedItem, UseService } from '#sdk';
import { callAction } from '../../test/builders/action-call.js';
import { publish } from './publish.action.js';

/** Keeps what is published, as the hub does. */
function anItemStore() {
  const items = new Map<string, PublishedItem>();
  const service = {
    async publish(item: PublishedItem) {
      const isNew = !items.has(item.id);
      if (isNew) items.set(item.id, item);
      return { isNew };
    },
  };
  // Only this one is asked for.
  const use = (() => service) as unknown as UseService;
  return { items, use };
}

describe('ifttt.publish', () => {
  const input = { trigger: 'whale_alert', ingredients: { amount: 25000, is_large: true, note: null } };

  it('given no id, when an attempt is repeated, then the item is there once, its ingredients as text', async () => {
    const { items, use } = anItemStore();

    const first = await callAction(publish, { with: input, use });
    const again = await callAction(publish, { with: input, use, attempt: 2 });

    expect(first).toEqual({ id: 'run-1:step-1', isNew: true });
    expect(again).toEqual({ id: 'run-1:step-1', isNew: false });
    expect([...items.values()]).toMatchObject([
      { slug: 'whale_alert', ingredients: { amount: '25000', is_large: 'true', note: '' } },
    ]);
  });

  it('given an id and a time, when it is published, then they are those of the item', async () => {
    const { items, use } = anItemStore();

    await callAction(publish, { with: { ...input, id: 17, time: '2026-01-31T12:00:00+01:00' }, use });

    expect([...items.values()]).toMatchObject([{ id: '17', time: '2026-01-31T12:00:00+01:00' }]);
  });

  it.each([
    ['a slug that IFTTT would not take', { ...input, trigger: 'Whale Alert' }],
    ['an ingredient with such a name', { ...input, ingredients: { 'Amount of it': 1 } }],
    ['no ingredients', { ...input, ingredients: {} }],
    ['a time that is none', { ...input, time: 'yesterday' }],
  ])('given %s, when the inputs are checked, then they are refused', (_, wrong) => {
    expect(publish.input.safeParse(wrong).success).toBe(false);
  });
});
