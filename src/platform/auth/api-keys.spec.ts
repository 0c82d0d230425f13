import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Secret } from '#sdk';

import { LateAnswers } from '../../../test/builders/late-answers.js';
import { openTestStore } from '../../../test/environment/postgres.js';
import type { Store } from '../store/store.js';
import { ApiKeys } from './api-keys.js';

let store: Store;
let keys: ApiKeys;

beforeAll(async () => {
  store = await openTestStore();
  keys = new ApiKeys(store.db);
});

afterAll(() => store.close());

describe('the admin key', () => {
  it('given no key, when the hub starts twice, then one is made and told once; a configured one replaces the one before', async () => {
    const { key } = await keys.ensureAdminKey();
    expect(await keys.authenticate(key ?? '')).toMatchObject({ scopes: ['admin'] });
    expect(await keys.ensureAdminKey()).toEqual({});
    expect(await keys.ensureAdminKey(new Secret('first-configured'))).toEqual({});
    expect(await keys.authenticate('first-configured')).toMatchObject({ scopes: ['admin'] });
    await keys.ensureAdminKey(new Secret('second-configured'));

    const fresh = new ApiKeys(store.db);
    expect(await fresh.authenticate('second-configured')).toMatchObject({ scopes: ['admin'] });
    expect(await fresh.authenticate('first-configured')).toBeUndefined();
  });

  it('given a key that expires, when its time is over, then it no longer works', async () => {
    const { key } = await keys.create({ name: 'brief', scopes: ['admin'], expiresAt: new Date(Date.now() - 1000) });

    expect(await keys.authenticate(key)).toBeUndefined();
  });
});

describe('a key that is revoked', () => {
  it('given it is being looked up meanwhile, when the answer from before arrives late, then it is not believed again', async () => {
    const late = new LateAnswers();
    const slow = new ApiKeys(store.db.withPlugin(late));
    const { key, info } = await slow.create({ name: 'short', scopes: ['admin'] });
    const arrived = late.holdNext();
    const asked = slow.authenticate(key);
    await arrived;

    await slow.revoke(info.id);
    expect(await slow.authenticate(key)).toBeUndefined();
    late.release();

    expect(await asked).toMatchObject({ name: 'short' });
    expect(slow.recall(key)).toBeUndefined();
    expect(await slow.authenticate(key)).toBeUndefined();
  });
});
