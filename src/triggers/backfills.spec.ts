import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createLeases,
  createLog,
  createMetrics,
  joinInstances,
  type Instance,
  type Leases,
  type Store,
} from '#platform';
import { IntakeService, IntakeStore, RunsHere } from '#runs';
import { PatchbayError, type BackfillContext } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { overlaid } from '../../test/builders/overlaid.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { aFlow } from '../engine/testing/flow-runs.js';
import { BackfillsService, type BackfillsParts } from './backfills.service.js';

type Reading = BackfillContext<unknown, unknown, unknown>;

const log = createLog({ level: 'silent', format: 'json' });
const flow = aFlow(`
steps:
  - { id: tell, uses: test.notify, with: { text: '{{event.text}}' } }
`);
const away = () => Promise.reject(new PatchbayError('store.unavailable'));

describe('a backfill', () => {
  let store: Store;
  let instance: Instance;
  let leases: Leases;
  let intake: IntakeService;
  let parts: BackfillsParts;
  let service: BackfillsService;
  let backfill: (context: Reading) => Promise<void>;
  let release: () => Promise<void>;
  let accepting: Promise<void>;
  let acquiring: Promise<void>;
  let isAcquiring: boolean;
  /** The flow files were read. */
  let areKnown: boolean;
  let asked: number;
  /** The next change of a backfill is. */
  let refused: boolean;

  beforeAll(async () => {
    store = await openTestStore();
    instance = await joinInstances(store, { name: 'hub', roles: ['listener'], log });
    leases = createLeases(store, instance, log);
    intake = new IntakeService({
      ...{ store: new IntakeStore(store.pool), env: {}, metrics: createMetrics() },
      ...{ here: new RunsHere(log), wake: () => undefined },
    });
  });

  afterAll(async () => {
    await leases.close();
    await instance.leave();
    await store.close();
  });

  beforeEach(() => {
    release = () => Promise.resolve();
    refused = false;
    accepting = acquiring = Promise.resolve();
    isAcquiring = false;
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
      ...{ written: {}, movesValue: false, twin: undefined, flows: [flow] },
      trigger: { backfill: (context: Reading) => backfill(context) },
    };
    const given = {
      db,
      sources: { of: () => sourceOf(source), areKnown: () => ask() },
      connections: { clientFor: () => Promise.resolve(undefined) },
      intake: overlaid(intake, {
        accept: async (heard) => {
          await accepting;
          return intake.accept(heard);
        },
      }),
      leases: {
        acquire: async (name: string) => {
          isAcquiring = true;
          await acquiring;
          const lease = await leases.acquire(name);
          return lease && { ...lease, release: () => lease.release().then(release) };
        },
      },
      signals: { on: () => () => undefined, setInterest: () => undefined, publish: () => undefined },
      log,
      use: undefined,
    };
    parts = given as unknown as BackfillsParts;
    service = new BackfillsService(parts);
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

  it('given one that another process cancels, when it hears more, then no event of that is stored and no run started', async () => {
    const other = new BackfillsService(parts);
    let isAtGate = false;
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    backfill = async ({ emit }) => {
      await emit({ id: 'before', event: { text: 'x' } }, { cursor: '1' });
      isAtGate = true;
      await gate;
      await emit({ id: 'after', event: { text: 'x' } }, { cursor: '2' });
    };
    const { id } = await service.request({ flow: 'example', from: '1', startsRuns: true });
    service.start();
    await eventually(() => isAtGate);
    await other.cancel(id);
    open();
    await eventually(async () => (await leaseOf(id)).length === 0);

    const { rows } = await store.pool.query(
      `select e.key, count(r.id)::int as runs from event e left join run r on r.event_id = e.id
        where e.key in ('before', 'after') group by e.key`,
    );
    expect(rows).toEqual([{ key: 'before', runs: 1 }]);
    expect(await service.get(id)).toMatchObject({ state: 'cancelled', events: 1 });
  });

  it('given one that is cancelled while it is about to begin, then it does not begin', async () => {
    let begun = 0;
    backfill = () => Promise.resolve(void (begun += 1));
    const begin = await aboutToBegin();
    await service.cancel(begin.id);
    begin.open();
    await service.stop();

    expect(begun).toBe(0);
    expect(await leaseOf(begin.id)).toEqual([]);
  });

  it('given another process that reads on while it is about to begin, then it goes on where that one was', async () => {
    const cursors: (string | undefined)[] = [];
    backfill = ({ cursor }) => Promise.resolve(void cursors.push(cursor));
    const begin = await aboutToBegin();
    await store.pool.query(`update backfill set cursor = '5' where id = $1`, [begin.id]);
    begin.open();
    await eventually(async () => (await service.get(begin.id)).state === 'completed');

    expect(cursors).toEqual(['5']);
  });

  /** It was found, and its lease is not there yet. */
  async function aboutToBegin(): Promise<{ readonly id: string; open(): void }> {
    let open = (): void => undefined;
    acquiring = new Promise((resolve) => (open = resolve));
    const { id } = await service.request({ flow: 'example', from: '1', startsRuns: true });
    service.start();
    await eventually(() => isAcquiring);
    return { id, open };
  }

  async function leaseOf(id: string): Promise<readonly unknown[]> {
    return (await store.pool.query('select from lease where name = $1 and holder is not null', [`backfill ${id}`]))
      .rows;
  }
});
