import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { silentLog } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { SyncStore } from './sync.store.js';
import { SyncsQueries } from './syncs.queries.js';
import { SyncsService, type SyncsParts } from './syncs.service.js';

const scope = { sync: 'members', identity: '4f1c' };

describe('the backfill of a sync', () => {
  let store: Store;
  let ledger: SyncStore;
  let service: SyncsService;
  /** Of the file as it is now. */
  let selection: string;
  /** What was asked for with a key that is new, e.g. `A`; in order. */
  let begun: string[];
  let keys: Set<string>;
  let looks: number;

  beforeEach(async () => {
    store = await openTestStore();
    ledger = new SyncStore(store.db);
    [selection, begun, keys, looks] = ['A', [], new Set(), 0];
    service = start();
  });
  afterEach(async () => {
    await service.stop();
    await store.close();
  });

  function start(): SyncsService {
    const known = () => {
      looks += 1;
      return [{ compiled: { name: scope.sync, identity: scope.identity, selection, ...rest } }];
    };
    const rest = { checkedBy: 'members-check', isEnabled: true, flows: [] };
    const parts = {
      syncs: known,
      queries: new SyncsQueries(store.db),
      areListening: () => Promise.resolve(true),
      start: (_flow: string, _event: unknown, key: string) => {
        if (!keys.has(key)) begun.push(selection);
        keys.add(key);
        return Promise.resolve({ runs: [key] });
      },
      log: silentLog,
    };
    const started = new SyncsService(parts as unknown as SyncsParts);
    started.start();
    return started;
  }

  async function crash(): Promise<void> {
    await service.stop();
    service = start();
    await looked();
  }

  /** A look that began after this has ended. */
  async function looked(): Promise<void> {
    const before = looks;
    await eventually(() => looks > before + 1);
  }

  async function change(to: string): Promise<void> {
    const before = begun.length;
    selection = to;
    await eventually(() => begun.length > before, { withinMs: 10_000 });
  }

  const open = () => ledger.openPass(scope, selection, `run of ${[...keys].at(-1) ?? ''}`);

  async function finish(): Promise<void> {
    await ledger.endPass(scope, await open());
  }

  it('given a selection that was changed and changed back, then each change begins one, however often', async () => {
    await eventually(() => begun.length > 0);
    await finish();
    for (const to of ['B', 'A', 'B', 'A']) {
      await change(to);
      await finish();
    }
    await crash();

    expect(begun).toEqual(['A', 'B', 'A', 'B', 'A']);
  });

  it('given a selection that is changed back before its change was brought in order, then that begins one', async () => {
    await eventually(() => begun.length > 0);
    await finish();
    await change('B');
    await open();
    await change('A');

    expect(begun).toEqual(['A', 'B', 'A']);
  });

  it('given a process that crashes once one is asked for, under way or at its end, then none is begun twice', async () => {
    await eventually(() => begun.length > 0);
    await crash();
    await open();
    await crash();
    await finish();
    await crash();
    await change('B');
    await crash();
    await open();
    await crash();
    await finish();
    await crash();

    expect(begun).toEqual(['A', 'B']);
  });
});
