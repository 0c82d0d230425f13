import type { PublishedItem, PublishedItems } from '#sdk';
import { feedOfSlug } from './identities.store.js';
import type { ItemsStore } from './items.store.js';

/** What steps of flows publish, as triggers of IFTTT find it. */
export class StoredPublishedItems implements PublishedItems {
  constructor(private readonly items: ItemsStore) {}

  async publish({ slug, id, time, ingredients }: PublishedItem): Promise<{ readonly isNew: boolean }> {
    const [isNew = false] = await this.items.add(feedOfSlug(slug), [{ id, time, ingredients }]);
    return { isNew };
  }
}
