import pg from 'pg';
// Past the door: specs of the platform cross what they have in hand.
import type { Store } from '../../src/platform/store/store.js';
import { eventually } from './eventually.js';

/** What two did that want the same rows, one of them in the order that is given here. */
export interface Crossing {
  /** A statement of the first, within its transaction. */
  readonly first: string;
  /** The other one, which begins when the first has its rows. */
  readonly act: () => Promise<unknown>;
  /** What the first wants once the other one waits for it, or is done. */
  readonly second: string;
}

/** What fails is told: where each waits for the other, the database ends one of them with `deadlock detected`. */
export async function crossing({ pool }: Store, { first, act, second }: Crossing): Promise<string[]> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(first);
    let isDone = false;
    const acting = failureOf(act()).finally(() => (isDone = true));
    await eventually(async () => isDone || (await isWaitedFor(client, pool)));
    const failure = await failureOf(client.query(second));
    await client.query(failure.length === 0 ? 'commit' : 'rollback');
    return [...failure, ...(await acting)];
  } finally {
    // Whatever failed before its end, nothing else may find its transaction open.
    client.release(true);
  }
}

/**
 * Whether a statement that waits for a row has locked another one before. Two statements that lock the same rows in
 * different orders wait for each other, and one of them fails: so the row that comes first must be waited for first.
 *
 * @param rows a statement each that locks the row, the one that comes first and the other one
 */
export async function locksOutOfOrder(
  store: Store,
  rows: { readonly first: string; readonly other: string },
  act: () => Promise<unknown>,
): Promise<boolean> {
  const holder = await store.pool.connect();
  try {
    await holder.query('begin');
    await holder.query(rows.first);
    const acting = act();
    acting.catch(() => undefined);
    await eventually(() => isWaitedFor(holder, store.pool));
    const isLocked = await isLockedByAnother(store, rows.other);
    await holder.query('rollback');
    await acting;
    return isLocked;
  } finally {
    // Nothing else may find its transaction open.
    holder.release(true);
  }
}

async function isLockedByAnother(store: Store, lock: string): Promise<boolean> {
  const client = await store.pool.connect();
  try {
    await client.query(`begin; set local lock_timeout = '1s'`);
    await client.query(lock);
    return false;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '55P03') return true;
    throw error;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

async function isWaitedFor(holder: pg.PoolClient, pool: pg.Pool): Promise<boolean> {
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
  const { rowCount } = await pool.query(
    'select from pg_stat_activity where datname = current_database() and $1::int = any(pg_blocking_pids(pid))',
    [rows[0]?.pid],
  );
  return rowCount !== 0;
}

async function failureOf(act: Promise<unknown>): Promise<string[]> {
  return await act.then(
    () => [],
    (error: unknown) => [error instanceof Error ? error.message : String(error)],
  );
}
