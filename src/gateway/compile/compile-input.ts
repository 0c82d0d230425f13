import { PatchbayError } from '#sdk';
import { isDependency } from './entry-name.js';
import { resolveImports, type ResolvedSources } from './imports.js';
import type { InstalledCompiler, PragmaDemand } from './installed-compilers.js';
import type { PackageSources } from './package-sources.js';
import { sourcesOf } from './read-upload.js';
import { libraryRemappings, parseRemapping, projectRemappings } from './remappings.js';
import { refusal, type SourceUpload } from './upload.js';
import { byVersion } from './version-range.js';

export interface CompileOptions {
  /** Paths of the files whose contracts are wanted. Default: all that are neither dependencies, nor tests, nor scripts. */
  readonly sources?: readonly string[];
  /** E.g. `0.8` or `0.8.24`. Default: the newest installed that the pragmas allow. */
  readonly compiler?: string;
  readonly evmVersion?: string;
  readonly optimizerRuns?: number;
  /** `prefix=folder/`, before those of the project. */
  readonly remappings?: readonly string[];
}

/** Everything about a compilation but the compiler. */
export interface CompilePlan extends ResolvedSources {
  readonly targets: readonly string[];
  readonly pragmas: readonly PragmaDemand[];
  readonly settings: Readonly<Record<string, unknown>>;
  /** For when neither the settings nor the options name one. */
  readonly defaultEvmVersion: string | undefined;
}

/** Oldest first. */
const evmVersions = [
  'homestead',
  'tangerineWhistle',
  'spuriousDragon',
  'byzantium',
  'constantinople',
  'petersburg',
  'istanbul',
  'berlin',
  'london',
  'paris',
  'shanghai',
  'cancun',
  'prague',
  'osaka',
] as const;

/** Oldest instruction set that is still common, so that private and rollup chains run the code too. */
const defaultEvmVersion = 'paris';
/** The first compiler that knows it; older ones have a default that is older still. */
const defaultKnownSince = '0.8.18';
const defaultRuns = 200;
const maxRuns = 4_294_967_295;
const maxRemappings = 500;

/** Settings of a standard-JSON input that shape the code. Others would only cost time, or ask for other output. */
const keptSettings = ['optimizer', 'evmVersion', 'viaIR', 'metadata', 'libraries', 'remappings'];

const wantedOutput = [
  'abi',
  'devdoc',
  'userdoc',
  'metadata',
  'evm.bytecode.object',
  'evm.bytecode.linkReferences',
  'evm.deployedBytecode.object',
  'evm.deployedBytecode.immutableReferences',
  'evm.deployedBytecode.linkReferences',
];

/** @throws solidity.invalid for imports that lead nowhere, upload.invalid, request.invalid for options, request.tooLarge */
export async function planCompilation(
  upload: SourceUpload,
  options: CompileOptions,
  packages: PackageSources,
  maxBytes: number,
): Promise<CompilePlan> {
  checkOptions(options);
  const files = sourcesOf(upload);
  const settings = upload.kind === 'standard-json' ? upload.input.settings : {};
  const remappings = [
    ...(options.remappings ?? []).map((text) => parseRemapping(text, 'the options')),
    ...(upload.kind === 'sources'
      ? projectRemappings(upload.files)
      : textsOf(settings['remappings']).map((text) => parseRemapping(text, 'the standard-JSON input'))),
  ];
  if (remappings.length > maxRemappings) {
    throw refusal(`There are more than ${String(maxRemappings)} remappings`, 'Keep those that the sources use.');
  }
  const targets = targetsOf(files, options.sources);
  const guesses = upload.kind === 'sources' ? libraryRemappings(files, remappings) : [];
  const resolved = await resolveImports({ files, targets, remappings, guesses, packages, maxBytes });
  return {
    ...resolved,
    targets,
    pragmas: [...resolved.units.values()].flatMap(({ name, scanned }) =>
      scanned.pragmas.map(({ text }) => ({ file: name, text })),
    ),
    settings: upload.kind === 'standard-json' ? inputSettings(settings, options) : { optimizer: optimizer(options) },
    defaultEvmVersion: upload.kind === 'sources' ? defaultEvmVersion : undefined,
  };
}

/** The standard-JSON input, byte for byte the same for the same plan and compiler. */
export function writeInput(plan: CompilePlan, compiler: InstalledCompiler, options: CompileOptions): string {
  const knowsDefault = byVersion(compiler.version, defaultKnownSince) <= 0;
  const evmVersion =
    options.evmVersion ?? plan.settings['evmVersion'] ?? (knowsDefault ? plan.defaultEvmVersion : undefined);
  const units = [...plan.units.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  return JSON.stringify({
    language: 'Solidity',
    sources: Object.fromEntries(units.map(({ name, text }) => [name, { content: text }])),
    settings: {
      ...inOrder({ ...plan.settings, remappings: plan.remappings, evmVersion }),
      outputSelection: Object.fromEntries(plan.targets.map((file) => [file, { '*': wantedOutput }])),
    },
  });
}

function checkOptions({ evmVersion, optimizerRuns }: CompileOptions): void {
  if (evmVersion !== undefined && !(evmVersions as readonly string[]).includes(evmVersion)) {
    throw new PatchbayError('request.invalid', {
      detail: `${JSON.stringify(evmVersion.slice(0, 100))} is no version of the EVM`,
      fix: `Choose one of ${evmVersions.join(', ')}.`,
      faults: [{ pointer: '#/evm', detail: 'This version is not known' }],
    });
  }
  if (optimizerRuns === undefined) return;
  if (Number.isInteger(optimizerRuns) && optimizerRuns >= 0 && optimizerRuns <= maxRuns) return;
  throw new PatchbayError('request.invalid', {
    detail: `The optimizer cannot work for ${String(optimizerRuns)} runs`,
    fix: 'Write how often the code will run as a whole number; 200 is usual.',
    faults: [{ pointer: '#/runs', detail: `This is no whole number from 0 to ${String(maxRuns)}` }],
  });
}

function targetsOf(files: ReadonlyMap<string, string>, asked: readonly string[] | undefined): readonly string[] {
  const own = [...files.keys()].filter((file) => !isDependency(file)).sort();
  if (asked === undefined || asked.length === 0) {
    const shipped = own.filter((file) => !/[.][ts][.]sol$/i.test(file));
    return shipped.length > 0 ? shipped : own.length > 0 ? own : [...files.keys()].sort();
  }
  const unknown = asked.find((file) => !files.has(file));
  if (unknown === undefined) return [...new Set(asked)].sort();
  throw new PatchbayError('upload.invalid', {
    detail: `There is no ${JSON.stringify(unknown.slice(0, 200))} in the upload`,
    fix: `It has: ${own.slice(0, 20).join(', ')}${own.length > 20 ? ' …' : ''}`,
    faults: [{ pointer: '#/source', detail: 'There is no such file' }],
  });
}

/** As given, so that what was deployed elsewhere compiles to the same code here; options only where they were asked for. */
function inputSettings(given: Readonly<Record<string, unknown>>, options: CompileOptions): Record<string, unknown> {
  const kept = inOrder(given);
  return options.optimizerRuns === undefined ? kept : { ...kept, optimizer: optimizer(options) };
}

function inOrder(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    keptSettings.filter((key) => settings[key] !== undefined).map((key) => [key, settings[key]]),
  );
}

function optimizer({ optimizerRuns = defaultRuns }: CompileOptions): { enabled: boolean; runs: number } {
  return { enabled: true, runs: optimizerRuns };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
