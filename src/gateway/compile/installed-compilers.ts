import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PatchbayError } from '#sdk';
import { byVersion, isInRange, lowestOf, parseRange, type VersionRange } from './version-range.js';

export interface InstalledCompiler {
  /** E.g. `0.8.37`. */
  readonly version: string;
  /** Folder of its package. */
  readonly folder: string;
}

const require = createRequire(import.meta.url);

/**
 * The compilers that the operator has installed: the npm package `solc`, and others of its versions under names like
 * `solc-0.7.6`. Newest first.
 */
export function installedCompilers(): readonly InstalledCompiler[] {
  const found = new Map<string, InstalledCompiler>();
  for (const folder of require.resolve.paths('solc') ?? []) {
    for (const name of foldersIn(folder)) {
      const version = versionOf(join(folder, name));
      if (version !== undefined && !found.has(version)) found.set(version, { version, folder: join(folder, name) });
    }
  }
  return [...found.values()].sort((one, other) => byVersion(one.version, other.version));
}

/** What a source demands of its compiler. */
export interface PragmaDemand {
  readonly file: string;
  readonly text: string;
}

/**
 * The newest installed compiler that is what was asked for; when nothing was, that all pragmas allow.
 *
 * @throws solidity.compilerMissing with the command that installs it
 */
export function chooseCompiler(
  installed: readonly InstalledCompiler[],
  asked: string | undefined,
  pragmas: readonly PragmaDemand[],
): InstalledCompiler {
  if (asked !== undefined) return chooseAsked(installed, asked);
  // What cannot be read here is left for the compiler to complain about.
  const demands = pragmas
    .map((pragma) => ({ ...pragma, range: parseRange(pragma.text) }))
    .filter((demand): demand is Demand => demand.range !== undefined);
  const chosen = installed.find(({ version }) => demands.every(({ range }) => isInRange(version, range)));
  if (chosen) return chosen;
  const unmet = demands.filter(({ range }) => !installed.some(({ version }) => isInRange(version, range)));
  if (unmet.length === 0) {
    throw missing(
      `No installed compiler suits all sources at once: ${listOf(demands)}`,
      installed,
      highestDemand(demands),
    );
  }
  throw missing(`No installed compiler suits ${listOf(unmet)}`, installed, highestDemand(unmet));
}

type Demand = PragmaDemand & { readonly range: VersionRange };

function chooseAsked(installed: readonly InstalledCompiler[], asked: string): InstalledCompiler {
  const range = parseRange(asked);
  if (!range) {
    throw new PatchbayError('request.invalid', {
      detail: `${JSON.stringify(asked.slice(0, 100))} is no version of solc`,
      fix: 'Write it as 0.8.24, or as 0.8 for the newest that is installed.',
      faults: [{ pointer: '#/compiler', detail: 'This is no version' }],
    });
  }
  const chosen = installed.find(({ version }) => isInRange(version, range));
  if (chosen) return chosen;
  throw missing(`solc ${asked} is not installed`, installed, lowestOf(range));
}

function missing(detail: string, installed: readonly InstalledCompiler[], wanted: string | undefined): PatchbayError {
  const have = installed.map(({ version }) => version).join(', ');
  const version = wanted ?? 'VERSION';
  return new PatchbayError('solidity.compilerMissing', {
    detail: `${detail}. Installed: ${have}`,
    fix: `Ask the operator of the hub to run: npm install solc-${version}@npm:solc@${version}`,
  });
}

/** Of several lower bounds only the highest can satisfy all. */
function highestDemand(demands: readonly Demand[]): string | undefined {
  return demands
    .map(({ range }) => lowestOf(range))
    .filter((version) => version !== undefined)
    .sort(byVersion)[0];
}

function listOf(demands: readonly Demand[]): string {
  const shown = demands.slice(0, 5).map(({ file, text }) => `${file} (${text})`);
  return `${shown.join(', ')}${demands.length > shown.length ? ' …' : ''}`;
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => /^solc(-\d+[.]\d+[.]\d+)?$/.test(name));
  } catch {
    return [];
  }
}

/** An alias may hold anything; only the package itself says what it is. */
function versionOf(folder: string): string | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
    const { name, version } = manifest;
    if (name !== 'solc' || typeof version !== 'string') return undefined;
    return /^\d+[.]\d+[.]\d+$/.test(version) ? version : undefined;
  } catch {
    return undefined;
  }
}
