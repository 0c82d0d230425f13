/**
 * Writes everything that follows from the code: reference pages, the schema for editors, the picture of the rooms.
 * `--check` writes nothing and fails when a file is not what would be written.
 */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { Catalog } from '#catalog';
import { flowJsonSchema } from '#engine';
import { builtInConnectors } from '../connectors/index.js';
import { architecturePicture } from './pages/architecture-picture.js';
import { asyncApiPage } from './pages/asyncapi-page.js';
import { configurationPages } from './pages/configuration-page.js';
import { connectorPage, connectorTable } from './pages/connector-page.js';
import { errorPage } from './pages/error-page.js';
import { openApiPage } from './pages/openapi-page.js';
import { replaceBetweenMarks, type Page } from './pages/page.js';
import { templateHelpersPage } from './pages/template-helpers-page.js';

const pages = [
  errorPage(),
  ...configurationPages(),
  templateHelpersPage(),
  ...builtInConnectors.map(connectorPage),
  flowSchemaPage(),
  await openApiPage(),
  asyncApiPage(),
  await readme(),
  await partOf('ARCHITECTURE.md', 'picture', await architecturePicture()),
];

const formatted = await Promise.all(pages.map(inHouseStyle));
if (process.argv.includes('--check')) await check(formatted);
else await write(formatted);

/** Generated pages pass the same format check as those written by hand. */
async function inHouseStyle({ path, content }: Page): Promise<Page> {
  if (!path.endsWith('.md')) return { path, content };
  return { path, content: await format(content, { ...(await resolveConfig(path)), filepath: path }) };
}

async function write(wanted: readonly Page[]): Promise<void> {
  for (const { path, content } of wanted) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  console.log(`Wrote ${wanted.length} files.`);
}

async function check(wanted: readonly Page[]): Promise<void> {
  const stale: string[] = [];
  for (const { path, content } of wanted) {
    if ((await readText(path)) !== content) stale.push(path);
  }
  const leftOver = (await pagesOfConnectors()).filter((path) => !wanted.some((page) => page.path === path));
  if (stale.length + leftOver.length === 0) {
    console.log(`${wanted.length} generated files are fresh.`);
    return;
  }
  for (const path of stale) console.error(`${path} is out of date: run npm run generate.`);
  for (const path of leftOver) console.error(`${path} belongs to no connector: delete it.`);
  process.exitCode = 1;
}

async function pagesOfConnectors(): Promise<string[]> {
  const files = await readdir('docs/connectors').catch(() => []);
  return files.map((file) => `docs/connectors/${basename(file)}`);
}

/** What the first line of each example flow points to. */
function flowSchemaPage(): Page {
  const schema = flowJsonSchema(new Catalog(builtInConnectors));
  return { path: 'docs/flow.schema.json', content: `${JSON.stringify(schema, undefined, 2)}\n` };
}

/** The flow on the first screen is the one that runs. */
async function readme(): Promise<Page> {
  const flow = (await readFile('flows/large-transfer.yaml', 'utf8')).replace(/^# yaml-language-server.*\n+/, '');
  const withTable = await partOf('README.md', 'connectors', connectorTable(builtInConnectors));
  return {
    path: withTable.path,
    content: replaceBetweenMarks(withTable.content, 'flow', `\`\`\`yaml\n${flow.trim()}\n\`\`\``),
  };
}

async function partOf(path: string, mark: string, text: string): Promise<Page> {
  return { path, content: replaceBetweenMarks(await readFile(path, 'utf8'), mark, text) };
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
