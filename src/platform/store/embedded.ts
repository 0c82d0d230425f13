import { execFile } from 'node:child_process';
import { chown, mkdir, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { PatchbayError, type Logger } from '#sdk';
import { placeCluster, type ClusterPlace } from './cluster-place.js';
import { findPostgres, type PostgresPackage } from './postgres-package.js';
import {
  findPostmaster,
  isPostmaster,
  removeForeignLock,
  startPostmaster,
  type Postmaster,
  type ServerSettings,
} from './postmaster.js';

const startMs = 60_000;
/** Sessions of a killed server, or another hub that starts one just now, are in the way for a moment only. */
const passingComplaint = /shared memory block|lock file/;
const passingMs = 10_000;
const watchMs = 300;
const answerMs = 10_000;
/** Connections of this process that were closed a moment ago may still be listed. */
const listedMs = 1_500;
/** Nobody listens at the socket any more, or the server is being stopped already. */
const goneCodes = new Set(['ECONNREFUSED', 'ENOENT', '57P01', '57P03']);

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly log: Logger;
  readonly settings?: ServerSettings;
  /** How long the server may take to say who is connected; one that says nothing is left running. */
  readonly answerMs?: number;
}

export interface EmbeddedServer {
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** Stops the server, unless another process of the hub is still connected to it. */
  close(): Promise<void>;
}

/**
 * The hub's own PostgreSQL: started, or adopted when one already runs on this folder, and started again whenever it
 * ends while the hub is up. Several processes with the same data folder share one server.
 *
 * @throws store.unavailable when it cannot be started
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { log } = options;
  const server = await prepare(options);
  let postmaster = await ensureRunning(server);
  const connection = { host: postmaster.host, port: postmaster.port, user: 'patchbay', database: 'postgres' };
  let checking: Promise<void> = Promise.resolve();
  let isBusy = false;

  const watch = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    checking = restartIfEnded().finally(() => (isBusy = false));
  }, watchMs);
  watch.unref();

  async function restartIfEnded(): Promise<void> {
    if (await isPostmaster(postmaster.pid, server.place.cluster)) return;
    log.warn('The database server has ended and is started again');
    try {
      postmaster = await ensureRunning(server);
    } catch (error) {
      log.error('The database server cannot be started; it is tried again', { error });
    }
  }

  return {
    connection,
    close: async () => {
      clearInterval(watch);
      await checking;
      if (await isUnused(connection, options.answerMs)) await stopServer(postmaster.pid, server.place.cluster);
    },
  };
}

/** Starts or finds the server and leaves it to itself: for tests, which share one and stop it at the end. */
export async function ensureEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer['connection']> {
  const { host, port } = await ensureRunning(await prepare(options));
  return { host, port, user: 'patchbay', database: 'postgres' };
}

interface PreparedServer {
  readonly program: PostgresPackage;
  readonly place: ClusterPlace;
  readonly settings: ServerSettings;
}

async function prepare({ dataDir, log, settings = {} }: EmbeddedOptions): Promise<PreparedServer> {
  const place = await placeCluster(dataDir, log);
  const program = await findPostgres(place.runAs);
  if (!(await exists(place.cluster))) await createCluster(program, place, settings);
  return { program, place, settings };
}

/** Made under another name and then moved, so that an interrupted or a simultaneous start never leaves half a cluster. */
async function createCluster(
  program: PostgresPackage,
  { cluster, runAs }: ClusterPlace,
  settings: ServerSettings,
): Promise<void> {
  const unfinished = `${cluster}.${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  if (runAs) await chown(unfinished, runAs.uid, runAs.gid);
  const options = ['--username=patchbay', '--auth=trust', '--encoding=UTF8', '--no-instructions'];
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const safety = settings['fsync'] === 'off' ? ['--no-sync'] : [];
  try {
    await promisify(execFile)(program.initdb, ['-D', unfinished, ...options, ...locale, ...safety], {
      cwd: '/',
      env: { LC_ALL: 'C' },
      ...runAs,
    });
    await rename(unfinished, cluster);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (await exists(cluster)) return;
    const { stderr = '', message } = error as Error & { readonly stderr?: string };
    throw unavailable(`A database cannot be created in ${cluster}: ${stderr.trim() || message}`, error);
  }
}

async function ensureRunning({ program, place, settings }: PreparedServer): Promise<Postmaster> {
  const started = Date.now();
  let complaint: string | undefined;
  let isStarting = false;
  while (Date.now() < started + startMs) {
    const found = await findPostmaster(place.cluster);
    if (found?.isReady) return found;
    if (found === undefined && !isStarting) {
      const isPassing = passingComplaint.test(complaint ?? '') && Date.now() < started + passingMs;
      if (complaint !== undefined && !isPassing) break;
      await removeForeignLock(place.cluster);
      const { ended } = await startPostmaster(program, place, settings);
      isStarting = true;
      void ended.then((reason) => {
        complaint = reason;
        isStarting = false;
      });
    }
    await delay(complaint === undefined ? 15 : 150);
  }
  throw unavailable(`The hub's own PostgreSQL does not start: ${complaint ?? 'it is not ready in time'}`);
}

/** A server that does not answer may be busy with what others ask of it. */
async function isUnused(connection: EmbeddedServer['connection'], withinMs = answerMs): Promise<boolean> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: withinMs, query_timeout: withinMs });
  client.on('error', () => undefined);
  try {
    await client.connect();
    for (const deadline = Date.now() + listedMs; ; await delay(30)) {
      const { rowCount } = await client.query(
        `select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() limit 1`,
      );
      if (rowCount === 0) return true;
      if (Date.now() > deadline) return false;
    }
  } catch (error) {
    return goneCodes.has((error as { readonly code?: string }).code ?? '');
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** SIGINT is PostgreSQL's fast shutdown: it ends open sessions and checkpoints. */
export async function stopServer(pid: number, cluster: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    if (!(await isPostmaster(pid, cluster))) return;
    process.kill(pid, signal);
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await delay(10)) {
      if (!(await isPostmaster(pid, cluster))) return;
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function unavailable(detail: string, cause?: unknown): PatchbayError {
  return new PatchbayError('store.unavailable', {
    detail,
    fix: 'Look at server.log beside the database, or set DATABASE_URL to a PostgreSQL server of your own.',
    cause,
  });
}
