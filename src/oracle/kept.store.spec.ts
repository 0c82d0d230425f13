import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Store } from '#platform';
import { openTestStore } from '../../test/environment/postgres.js';
import { KeptStore } from './kept.store.js';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

it('given what was kept for a step, when it is kept again and grows old, then the last one counts for a month', async () => {
  const kept = new KeptStore(store.db);
  await kept.keep('run-1-price', '{"a":1}');
  await kept.keep('run-1-price', '{"a":2}');
  await kept.keep('run-2-price', '{}');
  await sql`update oracle_kept set at = now() - interval '31 days' where key = 'run-2-price'`.execute(store.db);

  await kept.trim();

  await expect(kept.find('run-1-price')).resolves.toBe('{"a":2}');
  await expect(kept.find('run-2-price')).resolves.toBeUndefined();
});
