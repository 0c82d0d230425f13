import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '../../../test/builders/eventually.js';
import { locksOutOfOrder } from '../../../test/builders/crossing.js';
import { openTestStore } from '../../../test/environment/postgres.js';
import { createLog } from '../log/log.js';
import type { Store } from '../store/store.js';
import { buryInstance, findDeadInstances, joinInstances, type Instance } from './instances.js';
import { createLeases, type Leases, type LeaseTimes } from './leases.js';

const log = createLog({ level: 'silent', format: 'json' });
const never = 2 ** 31 - 1;
let store: Store;
const toClose: (() => Promise<void>)[] = [];

beforeAll(async () => {
  store = await openTestStore();
});

afterEach(async () => {
  jest.useRealTimers();
  for (const close of toClose.splice(0).reverse()) await close();
});

afterAll(() => store.close());

async function aProcess(times?: LeaseTimes): Promise<{ instance: Instance; leases: Leases; lost: () => boolean }> {
  const instance = await joinInstances(store, { name: 'hub', roles: ['listener'], log, heartbeatMs: 50 });
  const leases = createLeases(store, instance, log, times);
  let isLost = false;
  instance.onLost(() => (isLost = true));
  toClose.push(async () => {
    await leases.close();
    await instance.leave();
  });
  return { instance, leases, lost: () => isLost };
}

/** Ends the sessions that hold instance locks, as a restart of the database does. */
async function cutConnections(): Promise<void> {
  await store.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'patchbay-instance' and datname = current_database()`,
  );
}

/** Sessions that hold the lock of an instance. */
async function heldLocks(id: string): Promise<readonly number[]> {
  const { rows } = await store.pool.query<{ pid: number }>(
    `select pid from pg_locks where locktype = 'advisory' and objid = $1::bigint::oid and granted
     and database = (select oid from pg_database where datname = current_database())`,
    [id],
  );
  return rows.map(({ pid }) => pid);
}

describe('leases', () => {
  it('given two processes, when both want a lease, then one has it until it lets go', async () => {
    const [first, second] = [await aProcess(), await aProcess()];

    const lease = await first.leases.acquire('chain/1');

    expect(lease?.epoch).toBe('1');
    expect(await second.leases.isHeld('chain/1')).toBe(true);
    expect(await second.leases.acquire('chain/1')).toBeUndefined();
    expect(await first.leases.acquire('chain/1')).toBeUndefined();
    await lease?.release();
    expect(await second.leases.isHeld('chain/1')).toBe(false);
    expect((await second.leases.acquire('chain/1'))?.epoch).toBe('2');
  });

  it('given many processes, when all want the same leases at once, then each lease has one holder', async () => {
    const processes = await Promise.all([aProcess(), aProcess(), aProcess()]);
    const names = Array.from({ length: 20 }, (_, n) => `many/${n}`);

    const leases = await Promise.all(names.flatMap((name) => processes.map(({ leases }) => leases.acquire(name))));

    expect(leases.filter((lease) => lease !== undefined)).toHaveLength(names.length);
  });

  it('given a frozen holder, when its lease passes, then another takes over and the holder had stopped before', async () => {
    const frozen = await aProcess({ lengthMs: 3_500, renewMs: never, marginMs: 3_000 });
    const other = await aProcess();
    const lease = await frozen.leases.acquire('frozen');
    let stoppedAt = 0;
    lease?.signal.addEventListener('abort', () => (stoppedAt = performance.now()));

    const taken = await eventually(() => other.leases.acquire('frozen'));

    expect(taken.epoch).toBe('2');
    expect(stoppedAt).toBeGreaterThan(0);
    expect(stoppedAt).toBeLessThan(performance.now());
    expect(lease?.signal.reason).toMatchObject({ code: 'lease.lost' });
  });

  it('given a healthy holder, when more time passes than a lease is long, then it still holds it', async () => {
    const { instance } = await aProcess();
    const other = await aProcess();
    const times = { lengthMs: 60_000, renewMs: 20_000, marginMs: 10_000 };
    const endOfLease = async () =>
      (await store.db.selectFrom('lease').select('until').where('name', '=', 'kept').executeTakeFirstOrThrow()).until;
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date'] });
    const leases = createLeases(store, instance, log, times);
    const lease = await leases.acquire('kept');

    for (let passedMs = 0; passedMs < 2 * times.lengthMs; passedMs += times.renewMs) {
      const end = await endOfLease();
      jest.advanceTimersByTime(times.renewMs);
      await eventually(async () => (await endOfLease()) > end);
      expect(await other.leases.acquire('kept')).toBeUndefined();
    }

    expect(lease?.signal.aborted).toBe(false);
    await leases.close();
  });

  it('given several leases, when they are renewed or given back, then they are locked in the order of their names', async () => {
    const { instance } = await aProcess();
    const times = { lengthMs: 60_000, renewMs: 20_000, marginMs: 10_000 };
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date'] });
    const leases = createLeases(store, instance, log, times);
    for (const name of ['several/b', 'several/a']) await leases.acquire(name);
    const lock = (name: string): string => `select from lease where name = '${name}' for update`;
    const rows = { first: lock('several/a'), other: lock('several/b') };

    const whenRenewed = await locksOutOfOrder(store, rows, () =>
      Promise.resolve(void jest.advanceTimersByTime(times.renewMs)),
    );
    const whenGivenBack = await locksOutOfOrder(store, rows, () => leases.close());

    expect([whenRenewed, whenGivenBack]).toEqual([false, false]);
  });

  it('given a holder that is buried, when another asks, then it gets the lease and the holder learns of it', async () => {
    const [buried, other] = [await aProcess(), await aProcess()];
    const lease = await buried.leases.acquire('inherited');

    await buryInstance(store, buried.instance.id);

    expect((await other.leases.acquire('inherited'))?.epoch).toBe('2');
    await eventually(() => buried.lost());
    expect(lease?.signal.aborted).toBe(true);
    expect(await buried.leases.acquire('something-else')).toBeUndefined();
  });
});

describe('instances', () => {
  it('given a process that ended without a word, when the others look, then it is dead, and the living are not', async () => {
    const living = await aProcess();
    const { id } = await store.db
      .insertInto('instance')
      .values({ name: 'killed', roles: ['worker'] })
      .returning('id')
      .executeTakeFirstOrThrow();

    const dead = await eventually(async () => {
      const found = await findDeadInstances(store, { graceMs: 30 });
      return found.length > 0 && found;
    });

    expect(dead).toEqual([id]);
    expect(await findDeadInstances(store, { graceMs: 60_000 })).toEqual([]);
    expect(living.lost()).toBe(false);
    await buryInstance(store, id);
    expect(await findDeadInstances(store, { graceMs: 30 })).toEqual([]);
  });

  it('given a frozen process that keeps its connection, when it is silent for too long, then it is dead', async () => {
    const instance = await joinInstances(store, { name: 'frozen', roles: ['worker'], log, heartbeatMs: never });
    toClose.push(() => instance.leave());

    expect(await findDeadInstances(store, { graceMs: 0 })).toEqual([]);
    const dead = await eventually(async () => {
      const found = await findDeadInstances(store, { silenceMs: 100 });
      return found.length > 0 && found;
    });

    expect(dead).toEqual([instance.id]);
  });

  it('given a restart of the database, when the process is back, then it is the same instance', async () => {
    const { instance, lost } = await aProcess();
    const before = await heldLocks(instance.id);

    await cutConnections();

    // The session that ended holds its lock a moment longer than its connection.
    await eventually(async () => (await heldLocks(instance.id)).some((pid) => !before.includes(pid)));
    expect(await findDeadInstances(store, { graceMs: 0, silenceMs: 5000 })).toEqual([]);
    expect(lost()).toBe(false);
  });

  it('given a process that leaves, when the others look, then nothing of it is left', async () => {
    const instance = await joinInstances(store, { name: 'brief', roles: ['api'], log });

    await instance.leave();

    const rows = await store.db.selectFrom('instance').select('id').where('id', '=', instance.id).execute();
    expect(rows).toEqual([]);
  });
});
