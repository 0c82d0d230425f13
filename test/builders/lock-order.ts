import pg from 'pg';
import type { Store } from '../../src/platform/store/store.js';
import { eventually } from './eventually.js';

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
    const { rows: own } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
    const acting = act();
    acting.catch(() => undefined);
    await eventually(async () => {
      const { rowCount } = await store.pool.query(
        `select from pg_stat_activity where datname = current_database() and $1::int = any(pg_blocking_pids(pid))`,
        [own[0]?.pid],
      );
      return rowCount !== 0;
    });
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
