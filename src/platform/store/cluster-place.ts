import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PatchbayError, type Logger } from '#sdk';

/** PostgreSQL refuses to run as root, so a hub started as root lends it another user. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

export interface ClusterPlace {
  readonly cluster: string;
  readonly sockets: string;
  readonly logFile: string;
  readonly runAs: RunAs | undefined;
}

/** Where packages and clusters go that the unprivileged user could not reach otherwise. */
export const systemHome = '/var/lib/patchbay';

/**
 * Decides where the hub's own cluster lives: `postgres` in the data folder. When the hub runs as root and the
 * unprivileged user may not enter that folder (below a 0700 home, say), it lives under /var/lib/patchbay, and
 * `postgres.location` in the data folder names the place. Once decided, a place is kept.
 */
export async function placeCluster(dataDir: string, log: Logger): Promise<ClusterPlace> {
  await mkdir(dataDir, { recursive: true, mode: isRoot() ? 0o711 : 0o700 });
  const folder = await realpath(dataDir);
  const runAs = isRoot() ? await userFor(join(folder, 'postgres', 'data')) : undefined;
  const home = await homeOf(folder, runAs, log);
  await mkdir(home, { recursive: true, mode: 0o711 });
  const cluster = join(home, 'data');
  if (runAs === undefined) await assertOwn(cluster);
  return { cluster, sockets: await socketFolder(home, runAs), logFile: join(home, 'server.log'), runAs };
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The owner of an existing cluster, so that a hub that is run with and without sudo keeps one; else `nobody`. */
async function userFor(cluster: string): Promise<RunAs> {
  const existing = await stat(cluster).catch(() => undefined);
  if (existing && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid };
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(accounts) ?? [];
  return { uid: Number(uid ?? 65_534), gid: Number(gid ?? 65_534) };
}

async function homeOf(folder: string, runAs: RunAs | undefined, log: Logger): Promise<string> {
  const usual = join(folder, 'postgres');
  if (runAs === undefined) return usual;
  const note = join(folder, 'postgres.location');
  const noted = await readFile(note, 'utf8').catch(() => undefined);
  if (noted !== undefined) return noted.trim();
  if (await canEnter(folder, runAs)) return usual;
  const home = join(systemHome, shortHash(folder));
  log.warn('The database is kept outside the data folder, which its user may not enter', { dataDir: folder, home });
  await writeFile(note, `${home}\n`);
  return home;
}

/** Whether the user may pass through every folder down to this one, by the permission bits. */
export async function canEnter(folder: string, { uid, gid }: RunAs): Promise<boolean> {
  const { mode, uid: owner, gid: group } = await stat(folder);
  const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
  if ((mode & bit) === 0) return false;
  return folder === dirname(folder) || canEnter(dirname(folder), { uid, gid });
}

async function assertOwn(cluster: string): Promise<void> {
  const existing = await stat(cluster).catch(() => undefined);
  if (existing === undefined || existing.uid === process.getuid?.()) return;
  throw new PatchbayError('store.unavailable', {
    detail: `The database in ${cluster} belongs to another user (id ${existing.uid}).`,
    fix: 'Start the hub as that user or as root, or choose another PATCHBAY_DATA_DIR.',
  });
}

/** Socket addresses are limited to about a hundred bytes; a longer folder gets a short private one instead. */
async function socketFolder(home: string, runAs: RunAs | undefined): Promise<string> {
  const usual = join(home, 'socket');
  const folder = fits(usual) ? usual : join(await shortTemporaryFolder(runAs), `patchbay-${shortHash(home)}`);
  await mkdir(folder, { mode: 0o700 }).catch(ignoreExisting);
  const found = await lstat(folder);
  const owners = [process.getuid?.(), runAs?.uid];
  if (!found.isDirectory() || !owners.includes(found.uid)) {
    throw new PatchbayError('store.unavailable', {
      detail: `The folder ${folder} is needed for the database socket but belongs to somebody else.`,
      fix: 'Remove it, or choose a shorter PATCHBAY_DATA_DIR.',
    });
  }
  await chmod(folder, 0o700);
  if (runAs) await chown(folder, runAs.uid, runAs.gid);
  return folder;
}

async function shortTemporaryFolder(runAs: RunAs | undefined): Promise<string> {
  const usual = await realpath(tmpdir()).catch(() => '/tmp');
  const isUsable =
    fits(join(usual, 'patchbay-0123456789ab')) && (runAs === undefined || (await canEnter(usual, runAs)));
  return isUsable ? usual : '/tmp';
}

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, '.s.PGSQL.5432')) <= 100;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function ignoreExisting(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'EEXIST') throw error;
  return undefined;
}
