import { execFile, spawn } from 'node:child_process';
import { open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClusterPlace } from './cluster-place.js';
import type { PostgresPackage } from './postgres-package.js';

/** A running server, as its lock file describes it. */
export interface Postmaster {
  readonly pid: number;
  readonly isReady: boolean;
  readonly host: string;
  readonly port: number;
}

export type ServerSettings = Readonly<Record<string, string>>;

const port = 5432;
const maxLogBytes = 10 * 2 ** 20;

/** Small when idle; enough connections for several processes of the hub. No TCP at all: the socket is the way in. */
const serverSettings: ServerSettings = {
  listen_addresses: '',
  max_connections: '200',
  shared_buffers: '64MB',
  max_wal_size: '512MB',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] ',
};

/** The server of this cluster, whoever started it; undefined when none runs. */
export async function findPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const [pid, , , portText, host, , , status] = await readLock(cluster);
  if (pid === undefined || !(await isPostmaster(Number(pid), cluster))) return undefined;
  return { pid: Number(pid), isReady: status?.trim() === 'ready', host: host ?? '', port: Number(portText) };
}

/** Whether the process is alive and serves this cluster; process ids are used again, lock files survive a power cut. */
export async function isPostmaster(pid: number, cluster: string): Promise<boolean> {
  const command = await commandOf(pid);
  return command.includes('postgres') && command.includes(cluster);
}

async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const { stdout } = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'command=']).catch(() => ({
    stdout: '',
  }));
  return stdout;
}

async function readLock(cluster: string): Promise<readonly string[]> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  return text === '' ? [] : text.split('\n');
}

/**
 * Removes a lock file whose process id now belongs to another program: PostgreSQL would take that program for a
 * server and refuse to start. Other stale locks it clears away itself, without a race.
 */
export async function removeForeignLock(cluster: string): Promise<void> {
  const [pid] = await readLock(cluster);
  if (pid === undefined || !isAlive(Number(pid)) || (await isPostmaster(Number(pid), cluster))) return;
  const [unchanged] = await readLock(cluster);
  if (unchanged === pid) await unlink(join(cluster, 'postmaster.pid'));
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export interface StartedPostmaster {
  /** Resolves when the process has ended, with the reason its log gives. */
  readonly ended: Promise<string>;
}

/** Starts a server that outlives this process: a killed hub leaves it running, and the next one adopts it. */
export async function startPostmaster(
  program: PostgresPackage,
  { cluster, sockets, logFile, runAs }: ClusterPlace,
  settings: ServerSettings,
): Promise<StartedPostmaster> {
  const written = await stat(logFile).catch(() => undefined);
  if (written && written.size > maxLogBytes) await rename(logFile, `${logFile}.old`);
  const output = await open(logFile, 'a');
  const { size } = await output.stat();
  const all = { ...serverSettings, unix_socket_directories: sockets, port: String(port), ...settings };
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  try {
    const child = spawn(program.postgres, ['-D', cluster, ...options], {
      // In a session of its own, Ctrl+C in the terminal reaches the hub first, which then stops the server in order.
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
      cwd: '/',
      env: { LC_ALL: 'C' },
      ...runAs,
    });
    child.unref();
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', () => void lastComplaint(logFile, size).then(resolve));
    });
    return { ended };
  } finally {
    await output.close();
  }
}

async function lastComplaint(logFile: string, from: number): Promise<string> {
  const text = (await readFile(logFile).catch(() => Buffer.alloc(0))).subarray(from).toString('utf8').trim();
  const complaints = [...text.matchAll(/(?:FATAL|PANIC|error):\s+(.*)/g)];
  return complaints.at(-1)?.[1] ?? text.split('\n').at(-1) ?? '';
}
