// Compiles TypeScript to dist/ with SWC and copies what lies beside it. Only what changed is touched, so that every
// command can afford to call this first. Types are checked elsewhere (`npm run check`).
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = ['src', 'connectors', 'sandbox', 'bench', 'scripts', 'contracts'];
// What runs in a thread or process of its own is plain JavaScript: it is started by its path, from the sources as from dist.
const assets = /[.](json|yaml|hbs|html|css|svg|sql|worker[.]mjs)$/;
// What a changed compiler setting changes: everything.
const settings = ['.swcrc', 'scripts/build.mjs', 'package-lock.json'];

/** @returns how many files there are and how many of them were out of date */
export async function build() {
  const sources = (await Promise.all(folders.map((folder) => list(join(root, folder))))).flat();
  // An installed package has dist only.
  if (!sources.some((file) => file.endsWith('.ts'))) return { total: 0, changed: 0 };

  const settingsAt = Math.max(...(await Promise.all(settings.map((file) => modifiedAt(join(root, file))))));
  const jobs = sources.filter(isWanted).map((source) => ({ source, target: targetOf(source) }));
  const stale = (
    await Promise.all(
      jobs.map(async (job) => {
        const [source, target] = await Promise.all([modifiedAt(job.source), modifiedAt(job.target)]);
        return target < Math.max(source, settingsAt) ? job : undefined;
      }),
    )
  ).filter((job) => job !== undefined);

  if (stale.length > 0) await Promise.all(stale.map(await compiler()));
  await removeLeftOvers(new Set(jobs.map(({ target }) => target)));
  return { total: jobs.length, changed: stale.length };
}

function isWanted(file) {
  // What a room lends to specs is no part of what runs.
  if (/[\\/]testing[\\/]/.test(file)) return false;
  if (file.endsWith('.ts')) return !/[.](spec|d)[.]ts$/.test(file);
  return assets.test(file);
}

function targetOf(source) {
  return join(root, 'dist', source.slice(root.length).replace(/[.]ts$/, '.js'));
}

async function compiler() {
  const { transformFile } = await import('@swc/core');
  const options = { ...JSON.parse(await readFile(join(root, '.swcrc'), 'utf8')), swcrc: false };
  return async ({ source, target }) => {
    await mkdir(dirname(target), { recursive: true });
    if (!source.endsWith('.ts')) return replace(target, await readFile(source));
    const { code, map } = await transformFile(source, { ...options, sourceFileName: pathToFileURL(source).href });
    if (map !== undefined) await replace(`${target}.map`, map);
    await replace(
      target,
      map === undefined ? code : `${code}//# sourceMappingURL=${target.split(/[\\/]/).pop()}.map\n`,
    );
    if (code.startsWith('#!')) await chmod(target, 0o755);
  };
}

/** Two commands may build at once; neither may ever read half a file. */
async function replace(file, content) {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, content);
  await rename(draft, file);
}

/** A file that was renamed or deleted must not live on in dist. */
async function removeLeftOvers(targets) {
  const built = (await Promise.all(folders.map((folder) => list(join(root, 'dist', folder))))).flat();
  const isLeftOver = (file) =>
    !targets.has(file.replace(/[.]map$/, '')) && /[.](js|map|json|yaml|hbs|html|css|svg|sql|worker[.]mjs)$/.test(file);
  await Promise.all(built.filter(isLeftOver).map((file) => rm(file, { force: true })));
}

async function list(folder) {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('node_modules'));
}

async function modifiedAt(file) {
  return (await stat(file).catch(() => ({ mtimeMs: 0 }))).mtimeMs;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const startedAt = performance.now();
  const { total, changed } = await build();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`Built ${changed} of ${total} files in ${seconds} s.`);
}
