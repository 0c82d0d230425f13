import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Lease, Leases, Store } from '#platform';
import { PatchbayError } from '#sdk';
import { silentLog } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { overlaid } from '../../test/builders/overlaid.js';
import { openTestStore } from '../../test/environment/postgres.js';
import type { BuiltInTrigger, WatchContext } from './built-in/built-in-trigger.js';
import { IdentitiesStore, feedOfIdentity } from './identities.store.js';
import { ItemsStore } from './items.store.js';
import { WatchesService } from './watches.service.js';

const identity = 'applets-of-one-user';
const feed = feedOfIdentity(identity);
const item = (id: string, position: string) => ({ id, time: new Date().toISOString(), position, ingredients: {} });

let store: Store;
let identities: IdentitiesStore;
let items: ItemsStore;
let running: WatchesService[];

beforeAll(async () => {
  store = await openTestStore();
  identities = new IdentitiesStore(store.db);
  items = new ItemsStore(store.db);
});
afterAll(() => store.close());

beforeEach(async () => {
  running = [];
  await store.pool.query('truncate ifttt_identity, ifttt_item');
  await identities.see({ identity, slug: 'tick', feed, fields: {} });
});
afterEach(() => Promise.all(running.map((service) => service.stop())));

/** A process that takes the lease for its own. @returns what its watch was begun with, again and again */
function aProcess(known = identities): { readonly begun: (WatchContext & { fail(error: unknown): void })[] } {
  const begun: (WatchContext & { fail(error: unknown): void })[] = [];
  const trigger = {
    watch: (context: WatchContext) =>
      new Promise<void>((resolve, reject) => {
        begun.push({ ...context, fail: reject });
        context.signal.addEventListener('abort', () => resolve());
      }),
  } as BuiltInTrigger;
  const lease = { signal: new AbortController().signal, release: () => Promise.resolve() } as Lease;
  const service = new WatchesService({
    builtIn: new Map([['tick', trigger]]),
    identities: known,
    items,
    trim: () => Promise.resolve(),
    leases: { acquire: () => Promise.resolve(lease) } as unknown as Leases,
    log: silentLog,
  });
  running.push(service);
  service.start();
  return { begun };
}

const stored = async () => ({
  items: (await items.newest(feed, 10)).map(({ id }) => id),
  cursor: (await store.pool.query<{ cursor: string }>('select cursor from ifttt_identity')).rows[0]?.cursor,
});

describe('a watch for IFTTT', () => {
  it('given a process that slept while another took over, when it wakes, then it brings back nothing that was retracted', async () => {
    const first = aProcess();
    const slow = await eventually(() => first.begun[0]);
    await slow.deliver([item('a', '1')], 'block 1');
    const other = aProcess();
    const watch = await eventually(() => other.begun[0]);
    await watch.deliver([item('b', '2')], 'block 2');
    await watch.retract('2', 'block 1 again');

    await expect(slow.deliver([item('orphaned', '2')], 'block 2')).rejects.toMatchObject({ code: 'lease.lost' });
    await expect(slow.deliver([], 'block 2')).rejects.toMatchObject({ code: 'lease.lost' });

    expect(await stored()).toEqual({ items: ['a'], cursor: 'block 1 again' });
  });

  it('given a place that was stored although the answer was lost, when the watch is begun again, then it goes on from there', async () => {
    let isLost = false;
    const shaky = overlaid(identities, {
      move: async (...given) => {
        await identities.move(...given);
        if (isLost) return;
        isLost = true;
        throw new PatchbayError('store.unavailable');
      },
    });
    const { begun } = aProcess(shaky);
    const before = await eventually(() => begun[0]);
    await before.deliver([item('a', '1')], 'block 1').catch(before.fail);

    const after = await eventually(() => begun[1]);
    expect(after.cursor).toBe('block 1');
    await after.deliver([item('b', '2')], 'block 2');

    expect(await stored()).toEqual({ items: ['b', 'a'], cursor: 'block 2' });
    expect([...(await identities.untold(10)).keys()]).toEqual([identity]);
  });
});
