import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLog, type Lease, type Store } from '#platform';
import { PatchbayError, type BackfillContext } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { BackfillsService, type BackfillsParts } from './backfills.service.js';

type Reading = BackfillContext<unknown, unknown, unknown>;

const away = () => Promise.reject(new PatchbayError('store.unavailable'));

describe('a backfill', () => {
  let store: Store;
  let service: BackfillsService;
  let backfill: (context: Reading) => Promise<void>;
  let release: () => Promise<void>;
  /** The next change of a backfill is. */
  let refused: boolean;

  beforeAll(async () => {
    store = await openTestStore();
  }, 60_000);

  afterAll(() => store.close());

  beforeEach(() => {
    release = () => Promise.resolve();
    refused = false;
    const db = new Proxy(store.db, {
      get: (target, key) => {
        if (key !== 'updateTable' || !refused) return (Reflect.get(target, key) as () => unknown).bind(target);
        refused = false;
        throw new PatchbayError('store.unavailable');
      },
    });
    const source = {
      ...{ id: 'test.heard/a', heardAs: 'test.heard/a', uses: 'test.heard', connection: undefined, input: {} },
      ...{ written: {}, movesValue: false, twin: undefined, flows: [] },
      trigger: { backfill: (context: Reading) => backfill(context) },
    };
    const parts = {
      db,
      sources: { of: () => source },
      connections: { clientFor: () => Promise.resolve(undefined) },
      intake: {
        accept: (intake: { heard: readonly unknown[] }) => Promise.resolve(intake.heard.map(() => ({ isKept: true }))),
      },
      leases: {
        acquire: (name: string): Promise<Lease> =>
          Promise.resolve({ name, epoch: '1', signal: new AbortController().signal, release: () => release() }),
      },
      signals: { on: () => () => undefined, setInterest: () => undefined, publish: () => undefined },
      log: createLog({ level: 'silent', format: 'json' }),
      use: undefined,
    };
    service = new BackfillsService(parts as unknown as BackfillsParts);
  });

  afterEach(() => service.stop());

  it('given a store that is away when it is interrupted, then nothing is thrown at nobody, and it goes on where it was', async () => {
    const begun: (string | undefined)[] = [];
    backfill = async ({ cursor, emit }) => {
      begun.push(cursor);
      await emit({ id: `after ${cursor}`, event: {} }, { cursor: '5' });
      if (begun.length > 1) return;
      release = () => {
        release = () => Promise.resolve();
        return away();
      };
      throw new PatchbayError('store.unavailable');
    };
    const { id } = await service.request({ flow: 'example', from: '1', startsRuns: true });
    service.start();
    await eventually(async () => (await service.get(id)).state === 'completed');

    expect(begun).toEqual([undefined, '5']);
  });

  it('given a store that is away when a fault is to be noted, then it is noted the next time', async () => {
    let times = 0;
    backfill = () => {
      times += 1;
      if (times === 1) refused = true;
      return Promise.reject(new PatchbayError('evm.unknownContract'));
    };
    const { id } = await service.request({ flow: 'example', from: '1', startsRuns: true });
    service.start();
    await eventually(async () => (await service.get(id)).state === 'failed');

    expect(times).toBe(2);
  });
});
