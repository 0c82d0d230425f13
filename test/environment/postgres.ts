import { randomBytes } from 'node:crypto';
import pg from 'pg';
// Past the door: many specs need a database and none of the web framework and the queue that are loaded with the whole.
import { loadConfig } from '../../src/platform/config/config.loader.js';
import type { Config } from '../../src/platform/config/config.schema.js';
import { createLog } from '../../src/platform/log/log.js';
import { ensureEmbedded } from '../../src/platform/store/embedded.js';
import { migrate } from '../../src/platform/store/migrate.js';
import { openStore, type Store } from '../../src/platform/store/store.js';

const log = createLog({ level: 'silent', format: 'json' });
const template = 'patchbay_template';
const templateLock = 7_465_001;

/** A database of its own in the server that all specs of a test run share: empty but for the tables. */
export async function openTestStore(): Promise<Store> {
  const { config, drop } = await createTestDatabase();
  const store = await openStore({ config, log });
  return {
    ...store,
    close: async () => {
      await store.close();
      await drop();
    },
  };
}

export interface TestDatabase {
  /** For specs that start whole hubs; `DATABASE_URL` for child processes. */
  readonly url: string;
  readonly config: Config;
  drop(): Promise<void>;
}

export async function createTestDatabase(env: Readonly<Record<string, string>> = {}): Promise<TestDatabase> {
  const server = await ensureEmbedded({
    dataDir: testFolder(),
    log,
    settings: {
      ...{ fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' },
      // The hubs of all specs that run at once share it.
      max_connections: '400',
    },
  });
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(server, async (admin) => {
    await ensureTemplate(server, admin);
    await admin.query(`create database ${name} template ${template} strategy file_copy`);
  });
  const url = `postgresql://${server.user}@/${name}?host=${encodeURIComponent(server.host)}&port=${server.port}`;
  return {
    url,
    config: loadConfig({ ...env, DATABASE_URL: url, PATCHBAY_DATA_DIR: testFolder() }),
    drop: () => asAdmin(server, async (admin) => void (await admin.query(`drop database ${name} with (force)`))),
  };
}

type Server = Awaited<ReturnType<typeof ensureEmbedded>>;

/** The first spec makes it, those that start at the same time wait; one that did not come to its end is made anew. */
async function ensureTemplate(server: Server, admin: pg.Client): Promise<void> {
  await admin.query('select pg_advisory_lock($1)', [templateLock]);
  try {
    const { rowCount } = await admin.query('select from pg_database where datname = $1 and datistemplate', [template]);
    if (rowCount === 1) return;
    await admin.query(`drop database if exists ${template}`);
    await admin.query(`create database ${template}`);
    await migrate({ ...server, database: template }, { withQueue: true, log });
    await admin.query(`alter database ${template} is_template true`);
  } finally {
    await admin.query('select pg_advisory_unlock($1)', [templateLock]);
  }
}

async function asAdmin<T>(server: Server, act: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client(server);
  await admin.connect();
  try {
    return await act(admin);
  } finally {
    await admin.end();
  }
}

/** Where the servers of this test run keep their files; the global teardown ends what is left in it. */
export function testFolder(): string {
  const folder = process.env['PATCHBAY_TEST_DIR'];
  if (folder === undefined) throw new Error('The global setup of the tests did not run');
  return folder;
}
