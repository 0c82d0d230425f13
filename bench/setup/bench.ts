import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createLog, loadConfig, openStore, type Store } from '#platform';
import type { Cleanup } from './cleanup.js';
import { startRedis } from './redis.js';
import { cpuMs } from './usage.js';

export interface Backend {
  readonly name: 'postgres' | 'redis';
  /** Absent: the queue lives in PostgreSQL. */
  readonly redisUrl: string | undefined;
}

/** What every scenario is given: a folder, a PostgreSQL server as the hub starts one for itself, and a place to tidy up. */
export interface Bench {
  readonly folder: string;
  /** Where hubs leave a CPU profile; absent: nowhere. */
  readonly profileFolder: string | undefined;
  readonly isQuick: boolean;
  readonly cleanup: Cleanup;
  say(text: string): void;
  createDatabase(): Promise<Database>;
  openBackend(name: Backend['name']): Promise<Backend>;
  /** Of the database server and all its processes. */
  postgresCpuMs(): Promise<number | undefined>;
}

export interface Database {
  readonly url: string;
  count(table: string, where?: string): Promise<number>;
  /** The one number that the query gives; 0 for null. */
  number(query: string): Promise<number>;
}

export async function openBench(options: Pick<Bench, 'profileFolder' | 'isQuick'>, cleanup: Cleanup): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-bench-'));
  cleanup.add('folder', () => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  // A database server that was started by root belongs to another user, who must be able to enter.
  await chmod(folder, 0o755);
  const dataDir = join(folder, 'server');
  await mkdir(dataDir, { mode: 0o755 });
  const log = createLog({ level: 'error', format: 'json' });
  const server = await openStore({ config: loadConfig({ PATCHBAY_DATA_DIR: dataDir }), log });
  cleanup.add('PostgreSQL', () => server.close());
  const postmaster = Number(
    (await readFile(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8')).split('\n')[0],
  );
  let databases = 0;
  let redis: Promise<string> | undefined;
  return {
    ...options,
    folder,
    cleanup,
    say: (text) => void process.stderr.write(`  ${text}\n`),
    createDatabase: () => createDatabase(server, `bench_${(databases += 1)}`),
    openBackend: async (name) => {
      if (name === 'postgres') return { name, redisUrl: undefined };
      redis ??= startRedis(folder, cleanup);
      return { name, redisUrl: await redis };
    },
    postgresCpuMs: () => cpuMs(postmaster),
  };
}

async function createDatabase(server: Store, name: string): Promise<Database> {
  await server.pool.query(`create database ${name}`);
  const { user = '', host = '', port = 5432 } = server.connection;
  const url = `postgresql://${user}@/${name}?host=${encodeURIComponent(host)}&port=${port}`;
  const number = async (query: string): Promise<number> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      const { rows } = await client.query<[unknown]>({ text: query, rowMode: 'array' });
      return Number(rows[0]?.[0]);
    } finally {
      await client.end();
    }
  };
  return { url, number, count: (table, where = 'true') => number(`select count(*) from ${table} where ${where}`) };
}
