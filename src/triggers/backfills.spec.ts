import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLeases, createLog, joinInstances, type Instance, type Leases, type Store } from '#platform';
import { PatchbayError, type BackfillContext } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { BackfillsService, type BackfillsParts } from './backfills.service.js';

type Reading = BackfillContext<unknown, unknown, unknown>;

const log = createLog({ level: 'silent', format: 'json' });
const away = () => Promise.reject(new PatchbayError('store.unavailable'));

describe('a backfill', () => {
  let store: Store;
  let instance: Instance;
  let leases: Leases;
  let service: BackfillsService;
  let backfill: (context: Reading) => Promise<void>;
  let release: () => Promise<void>;
  let accepting: Promise<void>;
  /** The flow files were read. */
  let areKnown: boolean;
  let asked: number;
  /** The next change of a backfill is. */
  let refused: boolean;

  beforeAll(async () => {
    store = await openTestStore();
    instance = await joinInstances(store, { name: 'hub', roles: ['listener'], log });
    leases = createLeases(store, instance, log);
  });

  afterAll(async () => {
    await leases.close();
    await instance.leave();
    await store.close();
  });

  beforeEach(() => {
    release = () => Promise.resolve();
    refused = false;
    accepting = Promise.resolve();
    areKnown = true;
    asked = 0;
    const ask = (): boolean => {
      asked += 1;
      return areKnown;
    };
    const sourceOf = (known: object): object => {
      if (ask()) return known;
      throw new PatchbayError('flow.notFound');
    };
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
      sources: { of: () => sourceOf(source), areKnown: () => ask() },
      connections: { clientFor: () => Promise.resolve(undefined) },
      intake: {
        accept: async (intake: { heard: readonly unknown[] }) => {
          await accepting;
          return intake.heard.map(() => ({ isKept: true }));
        },
      },
      leases: {
        acquire: async (name: string) => {
          const lease = await leases.acquire(name);
          return lease && { ...lease, release: () => lease.release().then(release) };
        },
      },
      signals: { on: () => () => undefined, setInterest: () => undefined, publish: () => undefined },
      log,
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

  it('given flow files that could not be read yet, then it waits for them', async () => {
    backfill = () => Promise.resolve();
    const { id } = await service.request({ flow: 'example', from: '1', startsRuns: true });
    areKnown = false;
    asked = 0;
    service.start();
    await eventually(() => asked > 0);
    await service.stop();

    expect(await service.get(id)).toMatchObject({ state: 'running' });
    await service.cancel(id);
  });

  it('given a process that slept while another one went on, when it wakes up, then it takes nothing back', async () => {
    let wakeUp = (): void => undefined;
    accepting = new Promise((resolve) => (wakeUp = resolve));
    let ended: unknown;
    let isOver = false;
    backfill = async ({ emit, progress }) => {
      progress(4, 9);
      ended = await emit({ id: 'a', event: {} }, { cursor: '4' }).catch((error: unknown) => error);
      isOver = true;
      throw ended;
    };
    const { id } = await service.request({ flow: 'example', from: '1', startsRuns: true });
    service.start();
    await eventually(async () => (await leaseOf(id)).length > 0);
    await store.pool.query(`update lease set epoch = epoch + 1, until = now() + interval '1 hour' where name = $1`, [
      `backfill ${id}`,
    ]);
    await store.pool.query(`update backfill set cursor = '9', done = 8, total = 9, events = 3 where id = $1`, [id]);
    wakeUp();
    await eventually(() => isOver);

    expect(ended).toMatchObject({ code: 'lease.lost' });
    expect(await service.get(id)).toMatchObject({ done: 8, events: 3 });
    await service.cancel(id);
  });

  async function leaseOf(id: string): Promise<readonly unknown[]> {
    return (await store.pool.query('select from lease where name = $1', [`backfill ${id}`])).rows;
  }
});
