import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { anEvent } from '../../test/builders/stored-runs.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { IntakeStore } from './intake.store.js';
import { RunsQueries } from './runs.queries.js';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});

afterAll(() => store.close());

describe('reading stored events page by page', () => {
  it('given events within one millisecond and one of a later one, then each is read once and the reading ends', async () => {
    const intake = new IntakeStore(store.pool);
    const wanted = ['a', 'b', 'c', 'd', 'e'].map((key) => anEvent(key));
    await intake.store({ events: wanted.slice(0, 3), runs: [], cursors: [] });
    await intake.store({ events: wanted.slice(3), runs: [], cursors: [] });
    const queries = new RunsQueries(store.db);

    const read: string[] = [];
    let after = { time: new Date(0).toISOString(), id: '00000000-0000-0000-0000-000000000000' };
    for (let page = 0; page < wanted.length; page++) {
      const events = await queries.events({ after, limit: 2 });
      const last = events.at(-1);
      if (last === undefined) break;
      read.push(...events.map(({ id }) => id));
      after = { time: last.acceptedAt, id: last.id };
    }

    expect(read.toSorted()).toEqual(wanted.map(({ id }) => id).toSorted());
  });
});
