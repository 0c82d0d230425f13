import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { crossing } from '../../test/builders/crossing.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { SyncStore } from './sync.store.js';

const scope = { sync: 'members', identity: '4f1c' };
const key = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const intent = { write: 'begun by the run that crashed' };

describe('a key that a sync holds', () => {
  let store: Store;
  let ledger: SyncStore;

  beforeEach(async () => {
    store = await openTestStore();
    ledger = new SyncStore(store.db);
  });
  afterEach(() => store.close());

  /** Nobody gives it back: whoever took it was killed, and its time is over. */
  async function crash(owner: string): Promise<void> {
    const row = await ledger.take(scope, key, owner);
    await ledger.intend(scope, row!, intent);
    await expire();
  }

  async function expire(): Promise<void> {
    await store.db
      .updateTable('sync_row')
      .set({ held_until: new Date(Date.now() - 1) })
      .where('key', '=', key)
      .execute();
  }

  it('given a run that holds it, when another one wants it, then it gets it only once it was given back', async () => {
    await ledger.take(scope, key, 'one');

    expect(await ledger.take(scope, key, 'two')).toBeUndefined();
    await ledger.release(scope, key, 'one');
    expect(await ledger.take(scope, key, 'two')).toMatchObject({ key });
  });

  it('given a run that crashed, when its next attempt wants it, then it has it at once, with what was begun', async () => {
    const row = await ledger.take(scope, key, 'crashed');
    await ledger.intend(scope, row!, intent);

    expect(await ledger.take(scope, key, 'crashed')).toMatchObject({ key, intent });
  });

  it('given a run that crashed and does not come back, when its time is over, then another one goes on with what was begun', async () => {
    await crash('crashed');

    expect(await ledger.take(scope, key, 'two')).toMatchObject({ key, intent });
    expect(await ledger.take(scope, key, 'three')).toBeUndefined();
  });

  it('given a key that was taken over, when the first one gives it back after all, then it stays with the other', async () => {
    await crash('slow');
    await ledger.take(scope, key, 'two');

    await ledger.release(scope, key, 'slow');
    await ledger.settle(scope, key, { state: 'agreed', owner: 'slow' });
    expect(await ledger.take(scope, key, 'three')).toBeUndefined();

    await ledger.settle(scope, key, { state: 'agreed', owner: 'two' });
    expect(await ledger.take(scope, key, 'three')).toMatchObject({ key });
  });

  it('given a key that another one has written meanwhile, when the first one wakes, then what was begun and agreed on stays', async () => {
    const slow = await ledger.take(scope, key, 'slow');
    await expire();
    const two = await ledger.take(scope, key, 'two');
    await ledger.intend(scope, two!, intent);

    await expect(ledger.intend(scope, slow!, { write: 'read long ago' })).rejects.toMatchObject({ code: 'hub.busy' });
    const { revision } = slow!;
    await ledger.settle(scope, key, { state: 'agreed', agreed: { read: 'long ago' }, owner: 'slow', revision });

    expect(await ledger.take(scope, key, 'two')).toMatchObject({ revision: 1, intent, agreed: undefined });
  });

  it('given a key that is being written, when one who only looks at it says so, then what was begun stays', async () => {
    const one = await ledger.take(scope, key, 'one');
    await ledger.intend(scope, one!, intent);

    await ledger.settle(scope, key, { state: 'differing', pass: 'check' });

    expect(await ledger.take(scope, key, 'one')).toMatchObject({ intent });
  });

  it('given two passes that come to the same keys, when one of them comes from the other end, then neither is a deadlock', async () => {
    const sighting = (of: string) => ({ key: of, revision: 0, recordId: undefined, agreed: {} });
    const row = (of: string) =>
      `insert into sync_row (sync, key, identity) values ('${scope.sync}', '${of}', '${scope.identity}')`;

    const failures = await crossing(store, {
      first: row('a'),
      act: () => ledger.adopt(scope, 'pass', [sighting('b'), sighting('a')]),
      second: row('b'),
    });

    expect(failures).toEqual([]);
  });
});
