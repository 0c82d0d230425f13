import type { Store } from '#platform';
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
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    await client.query('begin');
    await client.query(first);
    let isDone = false;
    const acting = failureOf(act()).finally(() => (isDone = true));
    await eventually(async () => {
      const waiting = await pool.query('select from pg_locks where not granted and $1 = any(pg_blocking_pids(pid))', [
        rows[0]?.pid,
      ]);
      return isDone || waiting.rowCount !== 0;
    });
    const failure = await failureOf(client.query(second));
    await client.query(failure.length === 0 ? 'commit' : 'rollback');
    return [...failure, ...(await acting)];
  } finally {
    // Whatever failed before its end, nothing else may find its transaction open.
    client.release(true);
  }
}

async function failureOf(act: Promise<unknown>): Promise<string[]> {
  return await act.then(
    () => [],
    (error: unknown) => [error instanceof Error ? error.message : String(error)],
  );
}
