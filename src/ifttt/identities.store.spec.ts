import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { openTestStore } from '../../test/environment/postgres.js';
import { IdentitiesStore } from './identities.store.js';
import { ItemsStore } from './items.store.js';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});

afterAll(() => store.close());

describe('who IFTTT is to be told of', () => {
  it('given many identities of one feed, when news and tellings come at once, then none waits for the other for ever', async () => {
    const [identities, items] = [new IdentitiesStore(store.db), new ItemsStore(store.db)];
    const names = Array.from({ length: 400 }, (_, index) => `identity-${String((index * 151) % 400).padStart(3, '0')}`);
    for (const identity of names) await identities.see({ identity, slug: 'sale', feed: 'sales', fields: {} });
    let heard = 0;
    const hear = async (): Promise<void> => {
      for (let round = 0; round < 60; round += 1) {
        heard += 1;
        await items.add('sales', [{ id: `sale-${String(heard)}`, time: new Date().toISOString(), ingredients: {} }]);
      }
    };
    const tell = async (): Promise<void> => {
      for (let round = 0; round < 60; round += 1) await identities.told(await identities.untold(300));
    };

    await Promise.all([hear(), hear(), tell(), tell()]);

    const rest = await identities.untold(1_000);
    await identities.told(rest);
    expect(await identities.counts()).toMatchObject({ identities: names.length, untold: 0 });
  });
});
