import { sql, type RawBuilder } from 'kysely';
import { PatchbayError, type Logger } from '#sdk';
import type { Store } from '../store/store.js';
import type { Instance } from './instances.js';

/** The right to do something alone, for as long as `signal` is not aborted. */
export interface Lease {
  readonly name: string;
  /** Grows with every holder. A write that names it cannot come from an earlier one. */
  readonly epoch: string;
  /** Aborted some seconds before the lease could pass to somebody else. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

export interface Leases {
  /** The lease, unless somebody else (or this process already) holds it. */
  acquire(name: string): Promise<Lease | undefined>;
  /** Whether anybody holds it now. */
  isHeld(name: string): Promise<boolean>;
  /** Releases whatever is held. */
  close(): Promise<void>;
}

export interface LeaseTimes {
  readonly lengthMs: number;
  readonly renewMs: number;
  /** How long before its end a lease that could not be renewed is given up. */
  readonly marginMs: number;
}

const usualTimes: LeaseTimes = { lengthMs: 15_000, renewMs: 5000, marginMs: 3000 };

interface Held {
  readonly name: string;
  readonly epoch: string;
  readonly lost: AbortController;
  deadline: NodeJS.Timeout | undefined;
}

export function createLeases(store: Store, instance: Instance, log: Logger, times: LeaseTimes = usualTimes): Leases {
  const held = new Map<string, Held>();
  const length = sql`${times.lengthMs} * interval '1 millisecond'`;
  const renewal = setInterval(() => void renew(), times.renewMs);
  renewal.unref();
  instance.onLost(() => [...held.values()].forEach((lease) => lose(lease, 'the process was taken for dead')));

  async function acquire(name: string): Promise<Lease | undefined> {
    if (held.has(name)) return undefined;
    const asked = performance.now();
    const { rows } = await sql<{ epoch: string }>`
      insert into lease (name, holder, epoch, until)
      select ${name}, ${instance.id}, 1, now() + ${length}
      where exists (select from instance where id = ${instance.id})
      on conflict (name) do update set holder = excluded.holder, epoch = lease.epoch + 1, until = excluded.until
      where lease.holder is null or lease.until < now() or not exists (select from instance where id = lease.holder)
      returning epoch
    `.execute(store.db);
    const [row] = rows;
    if (row === undefined) return undefined;
    const lease: Held = { name, epoch: row.epoch, lost: new AbortController(), deadline: undefined };
    held.set(name, lease);
    extend(lease, asked);
    log.debug('A lease was acquired', { lease: name, epoch: row.epoch });
    return { name, epoch: row.epoch, signal: lease.lost.signal, release: () => release([lease]) };
  }

  async function isHeld(name: string): Promise<boolean> {
    const { rows } = await sql`
      select from lease
      where name = ${name} and until > now() and exists (select from instance where id = lease.holder)
    `.execute(store.db);
    return rows.length > 0;
  }

  /** All of them in one statement: a process may hold hundreds. */
  async function renew(): Promise<void> {
    const leases = [...held.values()];
    if (leases.length === 0) return;
    const asked = performance.now();
    try {
      const { rows } = await sql<{ name: string }>`
        with due as (
          select lease.name from ${rowsOf(leases)}
          where lease.holder = ${instance.id} and exists (select from instance where id = ${instance.id})
          order by lease.name for no key update of lease)
        update lease set until = now() + ${length} from due where lease.name = due.name
        returning lease.name
      `.execute(store.db);
      const renewed = new Set(rows.map((row) => row.name));
      for (const lease of leases) {
        if (renewed.has(lease.name)) extend(lease, asked);
        else lose(lease, 'another process has taken over');
      }
    } catch (error) {
      // Each lease has its own deadline; until then the database may come back.
      log.warn('The leases could not be renewed', { error });
    }
  }

  /** Counted from before the question was sent, so that our own deadline is never later than the database's. */
  function extend(lease: Held, asked: number): void {
    if (held.get(lease.name) !== lease) return;
    clearTimeout(lease.deadline);
    const remainingMs = times.lengthMs - times.marginMs - (performance.now() - asked);
    lease.deadline = setTimeout(() => lose(lease, 'it could not be renewed in time'), Math.max(remainingMs, 0));
    lease.deadline.unref();
  }

  function lose(lease: Held, reason: string): void {
    if (!forget(lease)) return;
    log.warn('A lease was lost', { lease: lease.name, reason });
    lease.lost.abort(new PatchbayError('lease.lost', { detail: `The lease ${lease.name} was lost: ${reason}.` }));
  }

  function forget(lease: Held): boolean {
    clearTimeout(lease.deadline);
    return held.get(lease.name) === lease && held.delete(lease.name);
  }

  async function release(leases: readonly Held[]): Promise<void> {
    const mine = leases.filter(forget);
    if (mine.length === 0) return;
    await sql`
      with due as (select lease.name from ${rowsOf(mine)} order by lease.name for no key update of lease)
      update lease set holder = null, until = now() from due where lease.name = due.name
    `.execute(store.db);
  }

  return {
    acquire,
    isHeld,
    close: async () => {
      clearInterval(renewal);
      await release([...held.values()]);
    },
  };
}

/** To be locked in the order of their names: a renewal may be under way when all of them are given back. */
function rowsOf(leases: readonly Held[]): RawBuilder<unknown> {
  const [names, epochs] = [leases.map(({ name }) => name), leases.map(({ epoch }) => epoch)];
  return sql`unnest(${names}::text[], ${epochs}::bigint[]) as mine (name, epoch)
    join lease on lease.name = mine.name and lease.epoch = mine.epoch`;
}
