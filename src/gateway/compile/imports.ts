import { posix } from 'node:path';
import { PatchbayError, type Fault } from '#sdk';
import type { PackageSources } from './package-sources.js';
import { findRemapping, formatRemapping, type Remapping } from './remappings.js';
import { placeOf, scanSolidity, type ScannedSource, type SourceMention } from './solidity-scanner.js';

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
}

const maxFaults = 20;

/**
 * Follows the imports of the sources to compile, so that solc gets exactly the files it needs and is never asked to
 * look for one. Only files of the upload and of allowed packages are found.
 *
 * Files below `node_modules/` get the name by which they are imported, as Hardhat does it.
 *
 * @throws solidity.invalid with every import that leads nowhere, by file and line
 */
export async function resolveImports(options: ResolveOptions): Promise<ResolvedSources> {
  const units = new Map<string, SourceUnit>();
  const used = new Set<Remapping>(options.remappings);
  const faults: Fault[] = [];
  const queue: SourceUnit[] = [];
  const add = (found: FoundSource): string | undefined => {
    const known = units.get(found.name);
    if (known)
      return known.text === found.text ? undefined : `Two different files of the upload answer to ${found.name}`;
    const unit = { ...found, scanned: scanSolidity(found.text) };
    units.set(unit.name, unit);
    queue.push(unit);
    return undefined;
  };

  for (const path of options.targets) add({ name: path, path, text: options.files.get(path)! });
  for (let unit = queue.shift(); unit; unit = queue.shift()) {
    for (const mention of unit.scanned.imports) {
      const found = await findImport(unit, mention.text, options, used);
      const problem = typeof found === 'string' ? found : add(found);
      if (problem !== undefined && faults.length < maxFaults) faults.push(faultOf(unit, mention, problem));
    }
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

type FoundSource = Omit<SourceUnit, 'scanned'>;

/** @returns the source, or why there is none */
async function findImport(
  importer: SourceUnit,
  importPath: string,
  options: ResolveOptions,
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

  const remapping = findRemapping([...options.remappings, ...options.guesses], importer.name, plain);
  if (remapping) used.add(remapping);
  const name = remapping ? remapping.target + plain.slice(remapping.prefix.length) : plain;
  for (const path of candidatesOf(importer, importPath, name, isRelative && !remapping, options.files)) {
    const text = options.files.get(path);
    if (text !== undefined) return { name, path, text };
  }
  const text = await options.packages.find(name);
  if (text !== undefined) return { name, path: undefined, text };
  return `Source "${importPath}" not found: there is no ${name} in the upload`;
}

function candidatesOf(
  importer: SourceUnit,
  importPath: string,
  name: string,
  isRelative: boolean,
  files: ReadonlyMap<string, string>,
): readonly string[] {
  if (isRelative) {
    // What lies beside a file of a package is looked for there, whatever solc calls both.
    return importer.path === undefined ? [] : [posix.join(posix.dirname(importer.path), importPath)];
  }
  return [name, ...modulesOf(importer.path ?? '', files).map((folder) => `${folder}${name}`)];
}

/** Folders named node_modules: those above the importing file from the nearest to the root, then all others. */
function modulesOf(path: string, files: ReadonlyMap<string, string>): readonly string[] {
  const folders = path.split('/').slice(0, -1);
  const above = folders.map((_, depth) => `${folders.slice(0, folders.length - depth).join('/')}/node_modules/`);
  const all = new Set(
    [...files.keys()].map((file) => /^(?:.*[/])?node_modules[/]/.exec(file)?.[0]).filter((f) => f !== undefined),
  );
  const rest = [...all].filter((folder) => !above.includes(folder)).sort();
  return [...above, 'node_modules/', ...rest];
}

function faultOf(unit: SourceUnit, mention: SourceMention, detail: string): Fault {
  const file = unit.path ?? unit.name;
  return {
    pointer: `#/sources/${file.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    detail,
    file,
    ...placeOf(unit.text, mention.offset),
  };
}
