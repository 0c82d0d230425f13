import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { openTestStore } from '../../test/environment/postgres.js';
import type { BuiltInTrigger } from './built-in/built-in-trigger.js';
import type { Declarations } from './declarations.js';
import { IdentitiesStore, feedOfIdentity } from './identities.store.js';
import { ItemsStore } from './items.store.js';
import { TriggerPolls } from './trigger-polls.js';

const identity = 'applets-of-one-user';
const feed = feedOfIdentity(identity);

let store: Store;
let polls: TriggerPolls;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

beforeEach(async () => {
  await store.pool.query('truncate ifttt_identity, ifttt_item');
  const [identities, items] = [new IdentitiesStore(store.db), new ItemsStore(store.db)];
  polls = new TriggerPolls({
    declarations: {} as Declarations,
    builtIn: new Map([['tick', {} as BuiltInTrigger]]),
    items,
    identities,
  });
  await identities.see({ identity, slug: 'tick', feed, fields: {} });
  await items.add(feed, [{ id: 'a', time: new Date().toISOString(), ingredients: {} }]);
});

const stored = async () => {
  const { rows } = await store.pool.query(
    'select (select count(*)::int from ifttt_identity) as identities, (select count(*)::int from ifttt_item) as items',
  );
  return rows[0] as unknown;
};

describe('an identity that IFTTT has given up', () => {
  it('when it is forgotten, then its history goes with it', async () => {
    await polls.forget(identity);

    expect(await stored()).toEqual({ identities: 0, items: 0 });
  });

  it('given a history that cannot be emptied, when it is forgotten, then both stay, for the next try or the cleaning', async () => {
    await store.pool.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'not now'; end $$;
      create trigger refuse before delete on ifttt_item for each row execute function refuse()`);

    await expect(polls.forget(identity)).rejects.toThrow('not now');
    const left = await stored();
    await store.pool.query('drop function refuse cascade');

    expect(left).toEqual({ identities: 1, items: 1 });
  });
});
