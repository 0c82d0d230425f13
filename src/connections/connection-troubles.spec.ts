import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { PatchbayError } from '#sdk';
import { LateAnswers } from '../../test/builders/late-answers.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { ConnectionTroubles } from './connection-troubles.js';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(() => store.pool.query('truncate connection_trouble'));

describe('what is known of the troubles', () => {
  it('given a look from before a trouble, when its answer is late, then the trouble is not taken for over', async () => {
    const late = new LateAnswers();
    const troubles = new ConnectionTroubles(store.db.withPlugin(late));
    const over: string[] = [];
    troubles.onOver((name) => void over.push(name));
    const arrived = late.holdNext();
    const looking = troubles.refresh();
    await arrived;

    await troubles.note('main', new PatchbayError('connection.unauthorised'));
    late.release();
    await looking;

    expect(over).toEqual([]);
    expect(troubles.of('main')).toBeDefined();
  });

  it('given a look from before a trouble was over, when its answer is late, then the trouble does not come back', async () => {
    const late = new LateAnswers();
    const troubles = new ConnectionTroubles(store.db.withPlugin(late));
    await troubles.note('main', new PatchbayError('connection.unauthorised'));
    const arrived = late.holdNext();
    const looking = troubles.refresh();
    await arrived;

    await troubles.settle('main');
    late.release();
    await looking;

    expect(troubles.of('main')).toBeUndefined();
  });
});
