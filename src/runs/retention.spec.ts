import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { silentLog } from '../../test/builders/action-call.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { RetentionService } from './retention.service.js';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});

afterAll(() => store.close());

describe('what is old and done', () => {
  it('given a run whose reversal has failed, when it is cleaned, then it stays until that is dealt with', async () => {
    const run = {
      flow: 'a',
      version: 'v',
      event_id: randomUUID(),
      kind: 'event',
      state: 'completed',
      finished_at: new Date(Date.now() - 100 * 86_400_000),
    } as const;
    const [reversed, reversal, other] = [randomUUID(), randomUUID(), randomUUID()];
    const repeated = { ...run, kind: 'reverted', id: reversal, parent_id: reversed, state: 'failed' } as const;
    await store.db
      .insertInto('run')
      .values([{ ...run, id: reversed }, repeated, { ...run, id: other }])
      .execute();
    const retention = new RetentionService({ db: store.db, runDays: 30, eventDays: 30, log: silentLog });
    const left = async () => (await store.db.selectFrom('run').select('id').execute()).map(({ id }) => id).sort();

    await retention.clean();
    expect(await left()).toEqual([reversed, reversal].sort());

    await store.db.updateTable('run').set({ state: 'completed' }).where('id', '=', reversal).execute();
    await retention.clean();
    expect(await left()).toEqual([]);
  });
});
