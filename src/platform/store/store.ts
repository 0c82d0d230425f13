import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import type { Logger } from '#sdk';
import type { Config } from '../config/config.schema.js';
import { openEmbedded, type EmbeddedServer } from './embedded.js';
import { migrate } from './migrate.js';
import { createPool, guardedPool, patience, type StoreConnection } from './pool.js';
import type { Database } from './schema.js';

export interface Store {
  readonly db: Kysely<Database>;
  readonly pool: pg.Pool;
  readonly connection: StoreConnection;
  close(): Promise<void>;
}

/**
 * Opens the database, the hub's own one unless `DATABASE_URL` names another, and brings its tables up to date.
 * bigint columns are read as text, timestamps as Date. A restart of the database fails what is under way with
 * `store.unavailable`; afterwards the store works on.
 *
 * @throws store.unavailable, store.newerSchema
 */
export async function openStore({
  config,
  log,
}: {
  readonly config: Pick<Config, 'dataDir' | 'store' | 'queue'>;
  readonly log: Logger;
}): Promise<Store> {
  const { url, poolSize } = config.store;
  const server = url === undefined ? await openEmbedded({ dataDir: config.dataDir, log }) : undefined;
  const connection = { ...patience, ...(server?.connection ?? { connectionString: url?.reveal() ?? '' }) };
  try {
    await migrate(connection, { withQueue: config.queue.redisUrl === undefined, log });
  } catch (error) {
    await server?.close();
    throw error;
  }
  return storeOver(connection, { poolSize, log, server });
}

function storeOver(
  connection: StoreConnection,
  { poolSize, log, server }: { poolSize: number; log: Logger; server: EmbeddedServer | undefined },
): Store {
  const pool = createPool(
    {
      ...connection,
      max: poolSize,
      statement_timeout: 15_000,
      // Longer than the server's own limit, which leaves the connection usable: this one is for a server that is gone.
      query_timeout: 20_000,
      idle_in_transaction_session_timeout: 60_000,
    },
    log,
  );
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: guardedPool(pool) }) });
  return {
    db,
    pool,
    connection,
    close: async () => {
      await db.destroy();
      if (!pool.ended) await pool.end();
      await server?.close();
    },
  };
}
