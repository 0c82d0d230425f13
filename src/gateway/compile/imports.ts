import { posix } from 'node:path';
import { PatchbayError, pointerTo, type Fault } from '#sdk';
import { formatBytes } from './entry-name.js';
import type { PackageSources } from './package-sources.js';
import { findRemapping, formatRemapping, type Remapping } from './remappings.js';
import { placeOf, scanSolidity, type ScannedSource, type SourceMention } from './solidity-scanner.js';
import { tooLarge } from './upload.js';

/** A source under the name by which solc knows it. */
export interface SourceUnit {
  readonly name: string;
  /** In the upload; undefined for a file of an installed package. */
  readonly path: string | undefined;
  readonly text: string;
  readonly scanned: ScannedSource;
}

export interface ResolvedSources {
  readonly units: ReadonlyMap<string, SourceUnit>;
  /** Those that solc needs to find the same files, as it writes them. */
  readonly remappings: readonly string[];
}

export interface ResolveOptions {
  /** Every file that may be imported, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Where to begin: paths of the files to compile. */
  readonly targets: readonly string[];
  /** Of the project: always handed to solc. */
  readonly remappings: readonly Remapping[];
  /** Guessed from `lib/`: handed to solc when an import needs them. */
  readonly guesses: readonly Remapping[];
  readonly packages: PackageSources;
  /** All files together that solc would get. */
  readonly maxBytes: number;
}

const maxFaults = 20;
/** The whole package of OpenZeppelin has a sixth of this. */
const maxImports = 5_000;

/**
 * Follows the imports of the sources to compile, so that solc gets exactly the files it needs and is never asked to
 * look for one. Only files of the upload and of allowed packages are found.
 *
 * Files below `node_modules/` get the name by which they are imported, as Hardhat does it.
 *
 * @throws solidity.invalid with the imports that lead nowhere, by file and line; request.tooLarge
 */
export async function resolveImports(options: ResolveOptions): Promise<ResolvedSources> {
  const units = new Map<string, SourceUnit>();
  const used = new Set<Remapping>(options.remappings);
  const faults: Fault[] = [];
  const queue: SourceUnit[] = [];
  const places = {
    ...options,
    known: [...options.remappings, ...options.guesses],
    modules: moduleFolders(options.files),
  };
  let bytes = 0;
  let imports = 0;
  const add = (found: FoundSource): string | undefined => {
    const known = units.get(found.name);
    if (known?.text === found.text) return undefined;
    if (known) return `Two different files of the upload answer to ${found.name}`;
    bytes += Buffer.byteLength(found.text);
    if (bytes > options.maxBytes) {
      throw tooLarge(`The sources and all they import have more than ${formatBytes(options.maxBytes)}`, fewer);
    }
    const unit = { ...found, scanned: scanSolidity(found.text) };
    units.set(unit.name, unit);
    queue.push(unit);
    return undefined;
  };

  for (const path of options.targets) add({ name: path, path, text: options.files.get(path)! });
  for (let unit = queue.shift(); unit; unit = queue.shift()) {
    imports += unit.scanned.imports.length;
    if (imports > maxImports) throw tooLarge(`The sources have more than ${String(maxImports)} imports`, fewer);
    for (const mention of unit.scanned.imports) {
      const found = await findImport(unit, mention.text, places, used);
      const problem = typeof found === 'string' ? found : add(found);
      if (problem !== undefined) faults.push(faultOf(unit, mention, problem));
      if (faults.length === maxFaults) break;
    }
    if (faults.length === maxFaults) break;
  }
  if (faults.length > 0) {
    throw new PatchbayError('solidity.invalid', {
      detail: `${faults[0]!.file!}:${String(faults[0]!.line)}: ${faults[0]!.detail}`,
      fix: 'Put every imported file into the upload, under the path by which it is imported or below node_modules or lib.',
      faults,
    });
  }
  return { units, remappings: [...used].map(formatRemapping) };
}

const fewer = 'Name fewer files with `source`.';

interface Places extends ResolveOptions {
  readonly known: readonly Remapping[];
  readonly modules: readonly string[];
}

type FoundSource = Omit<SourceUnit, 'scanned'>;

/** @returns the source, or why there is none */
async function findImport(
  importer: SourceUnit,
  importPath: string,
  places: Places,
  used: Set<Remapping>,
): Promise<FoundSource | string> {
  if (/^[a-z][a-z0-9+.-]*:/i.test(importPath)) {
    return `Source "${importPath}" is not fetched: imports may only name files of the upload`;
  }
  if (importPath.startsWith('/') || importPath.includes('\\')) {
    return `Source "${importPath}" is an absolute path: imports may only name files of the upload`;
  }
  const isRelative = /^[.]{1,2}[/]/.test(importPath);
  const plain = isRelative ? posix.join(posix.dirname(importer.name), importPath) : importPath;
  if (plain.split('/').includes('..')) return `Source "${importPath}" lies outside of the upload`;

  const remapping = findRemapping(places.known, importer.name, plain);
  if (remapping) used.add(remapping);
  const name = remapping ? remapping.target + plain.slice(remapping.prefix.length) : plain;
  for (const path of candidatesOf(importer, importPath, name, isRelative && !remapping, places.modules)) {
    const text = places.files.get(path);
    if (text !== undefined) return { name, path, text };
  }
  const text = await places.packages.find(name);
  if (text !== undefined) return { name, path: undefined, text };
  return `Source "${importPath}" not found: there is no ${name} in the upload`;
}

function candidatesOf(
  importer: SourceUnit,
  importPath: string,
  name: string,
  isRelative: boolean,
  modules: readonly string[],
): readonly string[] {
  if (isRelative) {
    // What lies beside a file of a package is looked for there, whatever solc calls both.
    return importer.path === undefined ? [] : [posix.join(posix.dirname(importer.path), importPath)];
  }
  const above = foldersAbove(importer.path ?? '').map((folder) => `${folder}node_modules/`);
  return [name, ...[...above, ...modules].map((folder) => folder + name)];
}

/** From the nearest to the root. */
function foldersAbove(path: string): readonly string[] {
  const folders = path.split('/').slice(0, -1);
  return folders.map((_, depth) => `${folders.slice(0, folders.length - depth).join('/')}/`);
}

/** Every folder named node_modules, that of the root first. */
function moduleFolders(files: ReadonlyMap<string, string>): readonly string[] {
  const folders = [...files.keys()].map((file) => /^(?:.*[/])?node_modules[/]/.exec(file)?.[0]);
  return [...new Set(['node_modules/', ...folders.filter((folder) => folder !== undefined).sort()])];
}

function faultOf(unit: SourceUnit, mention: SourceMention, detail: string): Fault {
  const file = unit.path ?? unit.name;
  return {
    pointer: pointerTo(['sources', file]),
    detail,
    file,
    ...placeOf(unit.text, mention.offset),
  };
}
