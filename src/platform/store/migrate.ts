import { Kysely, Migrator, PostgresDialect } from 'kysely';
import { PatchbayError, type Logger } from '#sdk';
import { migrateQueue } from '../queue/queue-schema.js';
import { migrations } from './migrations/index.js';
import { createPool, patience, type StoreConnection } from './pool.js';

const table = 'patchbay_migration';
const oldestServer = 14;

/**
 * Brings the tables up to date. Several processes may do so at once: the first works, the others wait for it.
 *
 * @throws store.newerSchema when the tables come from a newer Patchbay
 */
export async function migrate(
  connection: StoreConnection,
  { withQueue, log }: { readonly withQueue: boolean; readonly log: Logger },
): Promise<void> {
  const pool = createPool({ ...connection, ...patience, max: 1 }, log);
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await assertServer(pool);
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
      migrationTableName: table,
      migrationLockTableName: `${table}_lock`,
    });
    await assertNotNewer(await migrator.getMigrations());
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) throw error as unknown;
    if (results.length > 0) log.info('The database tables were brought up to date', { steps: results.length });
    if (withQueue) await migrateQueue(pool);
  } finally {
    await db.destroy();
    if (!pool.ended) await pool.end();
  }

  async function assertNotNewer(known: readonly { readonly name: string }[]): Promise<void> {
    const { rows: present } = await pool.query(`select to_regclass($1) as found`, [table]);
    if ((present[0] as { found: unknown }).found === null) return;
    const { rows } = await pool.query<{ name: string }>(`select name from ${table} order by name`);
    const unknown = rows.map((row) => row.name).filter((name) => !known.some((migration) => migration.name === name));
    if (unknown.length === 0) return;
    throw new PatchbayError('store.newerSchema', {
      detail: `The database has tables that this version does not know: ${unknown.join(', ')}.`,
      fix: 'Start the newer version again, or restore a backup from before the upgrade.',
    });
  }

  async function assertServer(server: typeof pool): Promise<void> {
    const { rows } = await server.query<{ server_version_num: string }>('show server_version_num').catch(unreachable);
    const major = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
    if (major >= oldestServer) return;
    throw new PatchbayError('config.invalid', {
      detail: `DATABASE_URL leads to PostgreSQL ${major}; the hub needs ${oldestServer} or newer.`,
    });
  }
}

function unreachable(error: unknown): never {
  throw new PatchbayError('store.unavailable', {
    detail: `The database cannot be reached: ${error instanceof Error ? error.message : String(error)}`,
    fix: 'Check DATABASE_URL and that the server runs.',
    cause: error,
  });
}
