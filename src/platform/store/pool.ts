import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { PatchbayError, type Logger } from '#sdk';

/** How to reach the database; also for clients of one's own, which LISTEN and session locks need. */
export type StoreConnection = Readonly<
  Pick<
    pg.PoolConfig,
    | 'connectionString'
    | 'host'
    | 'port'
    | 'user'
    | 'database'
    | 'keepAlive'
    | 'keepAliveInitialDelayMillis'
    | 'connectionTimeoutMillis'
  >
>;

/** Without these a connection whose packets vanish silently hangs for minutes or hours. */
export const patience = {
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  connectionTimeoutMillis: 5000,
} as const;

/** A pool that survives every failure of its connections. */
export function createPool(options: pg.PoolConfig, log: Logger): pg.Pool {
  // The pool waits for what this promises, though its types do not say so.
  // eslint-disable-next-line @typescript-eslint/no-misused-promises
  const pool = new pg.Pool({ application_name: 'patchbay', onConnect: trustIndexes, ...options });
  const notice = (error: Error) => log.debug('A database connection was lost', { error });
  pool.on('error', notice);
  // A connection in use reports its end to whoever holds it; without a listener of its own it would end the process.
  pool.on('connect', (client) => client.on('error', notice));
  return pool;
}

/**
 * Every statement of the hub has an index. Without statistics, as on the first day and after a burst, the planner would
 * read whole tables instead, and keep to it.
 */
async function trustIndexes(client: pg.ClientBase): Promise<void> {
  await client.query('set enable_seqscan = off; set jit = off');
}

/**
 * The pool as Kysely uses it: a connection that failed is thrown away rather than lent again, and what means "the
 * database cannot be reached" is `store.unavailable`.
 */
export function guardedPool(pool: pg.Pool): PostgresPool {
  return {
    connect: async () => guardedClient(await pool.connect().catch(rethrowStoreError)),
    end: () => pool.end(),
  };
}

function guardedClient(client: pg.PoolClient): PostgresPoolClient {
  let isBroken = false;
  const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
    try {
      return await client.query(text, [...parameters]);
    } catch (error) {
      isBroken ||= isStoreUnavailable(error);
      return rethrowStoreError(error);
    }
  };
  // Kysely's second signature is for cursors, which nothing here streams with.
  return { query: query as PostgresPoolClient['query'], release: () => client.release(isBroken) };
}

/** @throws store.unavailable when that is what the error means, else the error itself */
export function rethrowStoreError(error: unknown): never {
  if (error instanceof PatchbayError || !isStoreUnavailable(error)) throw error;
  throw new PatchbayError('store.unavailable', {
    detail: `The database cannot be reached: ${error instanceof Error ? error.message : String(error)}`,
    cause: error,
  });
}

/** Classes 08 (connection), 53 (resources) and 57P (the server is going down); without a code the answer never came. */
export function isStoreUnavailable(error: unknown): boolean {
  if (error instanceof PatchbayError) return error.code === 'store.unavailable';
  // A fault of our own must not be waited for.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) return false;
  return !(error instanceof pg.DatabaseError) || /^(08|53|57P)/.test(error.code ?? '');
}
