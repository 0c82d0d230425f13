import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { lstat, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Abi } from '#evm';

export interface Artefact {
  readonly abi: Abi;
  readonly bytecode: string;
}

/** Sources by the path that others import them under. */
export type Sources = Readonly<Record<string, string>>;

interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<
    Record<
      string,
      Record<string, { readonly abi: Abi; readonly evm: { readonly bytecode: { readonly object: string } } }>
    >
  >;
}

const modules = join(process.cwd(), 'node_modules');
const cacheFolder = join(modules, '.cache', 'patchbay-oracle');
const contracts08 = '@chainlink/contracts/src/v0.8';

/**
 * LinkToken, Operator and AuthorizedForwarder as their vendor publishes them, by name. It takes up to half a minute; what
 * was compiled once is kept in `node_modules/.cache`.
 */
export async function compileChainlink(): Promise<Readonly<Record<string, Artefact>>> {
  const paths = [
    `${contracts08}/shared/token/ERC677/LinkToken.sol`,
    `${contracts08}/operatorforwarder/Operator.sol`,
    `${contracts08}/operatorforwarder/AuthorizedForwarder.sol`,
  ];
  return await compile('solc-0.8.19', await readAll(paths));
}

/** Contracts of a spec; they may import `@chainlink/contracts/src/v0.8/…`. */
export async function compileConsumers(sources: Sources): Promise<Readonly<Record<string, Artefact>>> {
  return await compile('solc-0.8.19', sources);
}

/** The ancestor of Operator, which many chains still have. */
export async function compileOldOracle(): Promise<Artefact> {
  const compiled = await compile('solc-0.6.12', await readAll(['chainlink-contracts-0.4.2/src/v0.6/Oracle.sol']));
  return pick(compiled, 'Oracle');
}

/** The consumer beside this file. */
export async function compileOracleConsumer(): Promise<Artefact> {
  const path = new URL('OracleConsumer.sol', import.meta.url);
  const compiled = await compileConsumers({ 'OracleConsumer.sol': await readFile(path, 'utf8') });
  return pick(compiled, 'OracleConsumer');
}

export function pick(compiled: Readonly<Record<string, Artefact>>, name: string): Artefact {
  const artefact = compiled[name];
  if (!artefact) throw new Error(`${name} was not compiled`);
  return artefact;
}

/** MockV3Aggregator, which tells nothing of its answers, and EACAggregatorProxy, which most feeds are read through. */
export async function compileFeeds(): Promise<{ readonly mock: Artefact; readonly proxy: Artefact }> {
  const mocks = await compile('solc-0.8.19', await readAll([`${contracts08}/shared/mocks/MockV3Aggregator.sol`]));
  const proxies = await compile(
    'solc-0.6.12',
    await readAll(['chainlink-contracts-0.4.2/src/v0.6/EACAggregatorProxy.sol']),
  );
  return { mock: pick(mocks, 'MockV3Aggregator'), proxy: pick(proxies, 'EACAggregatorProxy') };
}

/** With the compiler that the project's own contracts are made by; they may be imported as `contracts/…`. */
export async function compileBesideOurs(sources: Sources): Promise<Readonly<Record<string, Artefact>>> {
  return await compile('solc', sources);
}

async function compile(compiler: string, wanted: Sources): Promise<Readonly<Record<string, Artefact>>> {
  const sources = await withImports(wanted);
  const outputs = Object.keys(wanted).map((path) => [path, { '*': ['abi', 'evm.bytecode.object'] }]);
  const input = JSON.stringify({
    language: 'Solidity',
    sources: Object.fromEntries(Object.entries(sources).map(([path, content]) => [path, { content }])),
    settings: { optimizer: { enabled: true, runs: 200 }, outputSelection: Object.fromEntries(outputs) as unknown },
  });
  const key = createHash('sha256').update(compiler).update(input).digest('hex').slice(0, 32);
  const file = join(cacheFolder, `${key}.json`);
  const kept = await readKept(file);
  if (kept) return kept;
  await mkdir(cacheFolder, { recursive: true });
  return await alone(`${file}.lock`, async () => {
    const meanwhile = await readKept(file);
    if (meanwhile) return meanwhile;
    const artefacts = artefactsOf(JSON.parse(await runCompiler(compiler, input)) as CompilerOutput);
    // Nobody may read half a file.
    const draft = `${file}.${randomUUID()}`;
    await writeFile(draft, JSON.stringify(artefacts));
    await rename(draft, file);
    return artefacts;
  });
}

async function readKept(file: string): Promise<Readonly<Record<string, Artefact>> | undefined> {
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  return kept === undefined ? undefined : (JSON.parse(kept) as Record<string, Artefact>);
}

/** Specs of several processes want the same at once, and a compiler takes much memory: one works, the others wait for it. */
async function alone<T>(lock: string, work: () => Promise<T>): Promise<T> {
  // A link that points to the number of its process comes into being whole, unlike a file that holds it.
  const take = () => symlink(String(process.pid), lock).then(() => true);
  const isOurs = () =>
    take().catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return false;
    });
  for (; !(await isOurs()); await delay(100)) {
    if (await isAbandoned(lock).catch(() => false)) await rm(lock, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** Its process is gone; or another one has its number by now, which shows by the age. */
async function isAbandoned(lock: string): Promise<boolean> {
  const [owner, { mtimeMs }] = await Promise.all([readlink(lock), lstat(lock)]);
  if (Date.now() - mtimeMs > 90_000) return true;
  try {
    return !process.kill(Number(owner), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function artefactsOf({ errors = [], contracts = {} }: CompilerOutput): Readonly<Record<string, Artefact>> {
  const failures = errors.filter(({ severity }) => severity === 'error');
  if (failures.length > 0) throw new Error(failures.map(({ formattedMessage }) => formattedMessage).join('\n'));
  return Object.fromEntries(
    Object.values(contracts)
      .flatMap((file) => Object.entries(file))
      .map(([name, { abi, evm }]) => [name, { abi, bytecode: `0x${evm.bytecode.object}` }]),
  );
}

/** In a process of its own, because the compiler never gives back the memory it took. */
async function runCompiler(compiler: string, input: string): Promise<string> {
  const script = `
    const solc = require(${JSON.stringify(join(modules, compiler))});
    let input = '';
    process.stdin.setEncoding('utf8').on('data', (part) => (input += part)).on('end', () => {
      process.stdout.write(solc.compile(input), () => process.exit(0));
    });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  // One that ends before it has read all is told by how it ended.
  child.stdin.on('error', () => undefined).end(input);
  const exit = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>;
  const [output, [code, signal]] = await Promise.all([text(child.stdout), exit]);
  if (code !== 0) throw new Error(`The compiler ${compiler} ended with ${String(code ?? signal)}`);
  return output;
}

const imported = /^\s*import\s(?:[^;]*?from\s*)?["']([^"']+)["']/gm;

async function withImports(wanted: Sources): Promise<Sources> {
  const found: Record<string, string> = { ...wanted };
  const open = Object.keys(found);
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const [, target = ''] of (found[path] ?? '').matchAll(imported)) {
      const resolved = target.startsWith('.') ? posix.join(dirname(path), target) : target;
      if (resolved in found) continue;
      found[resolved] = await readSource(resolved);
      open.push(resolved);
    }
  }
  return found;
}

async function readAll(paths: readonly string[]): Promise<Sources> {
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readSource(path)] as const)));
}

async function readSource(path: string): Promise<string> {
  // Sources name a version of their library; one is installed, which has what all of them use.
  const folder = path.replace(/^@openzeppelin\/contracts@[\d.]+\//, '@openzeppelin/contracts-4.8.3/');
  const isOurs = path.startsWith('contracts/');
  const source = await readFile(isOurs ? join(process.cwd(), path) : join(modules, folder), 'utf8');
  return source.replace(/^pragma solidity 0\.6\.6;/m, 'pragma solidity ^0.6.6;');
}
