/**
 * Compiles the contracts into `contracts/abi`. `--check` writes nothing and fails when a file is not what would be written.
 * What did not change since is not compiled: `abi/sources.json` keeps a hash of everything each compiler was given.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, normalize } from 'node:path';

interface Compiler {
  compile(input: string): string;
}

interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<
        Record<string, { readonly abi: unknown; readonly evm: { readonly bytecode: { readonly object: string } } }>
      >
    >
  >;
}

interface Group {
  readonly compiler: string;
  /** By the name that imports use. */
  readonly sources: Readonly<Record<string, string>>;
  /** Files of which the contract named after them is wanted. */
  readonly wanted: readonly string[];
}

/** Oldest instruction set that is still common, so that the bytecode is accepted by private and rollup chains too. */
const evmVersion = 'paris';

const require = createRequire(import.meta.url);
const root = join(process.cwd(), 'contracts');
const abiFolder = join(root, 'abi');
const packages = join(process.cwd(), 'node_modules');

const chainlink = '@chainlink/contracts/src/v0.8';
const groups: readonly Group[] = [
  ownGroup(['tokens', 'oracle', 'registry']),
  packageGroup('solc-0.8.19', [
    `${chainlink}/shared/token/ERC677/LinkToken.sol`,
    `${chainlink}/operatorforwarder/Operator.sol`,
    `${chainlink}/operatorforwarder/AuthorizedForwarder.sol`,
  ]),
];

const isCheck = process.argv.includes('--check');
const hashesFile = join(abiFolder, 'sources.json');
const known = readHashes();
const hashes: Record<string, string> = {};
for (const group of groups) {
  const names = group.wanted.map((file) => basename(file, '.sol'));
  const hash = hashOf(group);
  hashes[group.compiler] = hash;
  if (known[group.compiler] === hash && names.every((name) => existsSync(join(abiFolder, `${name}.json`)))) continue;
  if (isCheck) {
    console.error(`contracts/abi/{${names.join(',')}}.json are out of date: run node dist/contracts/build.js.`);
    process.exitCode = 1;
    continue;
  }
  const artefacts = compile(group);
  mkdirSync(abiFolder, { recursive: true });
  for (const [name, artefact] of artefacts) writeFileSync(join(abiFolder, `${name}.json`), pretty(artefact));
  console.log(`Compiled ${names.join(', ')}.`);
}
if (!isCheck) writeFileSync(hashesFile, pretty(hashes));

function ownGroup(folders: readonly string[]): Group {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith('.sol'))
      .map((file) => `${folder}/${file}`),
  );
  const sources = Object.fromEntries(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  return { compiler: 'solc', sources, wanted: files };
}

/** These files of packages, and all that they import. */
function packageGroup(compiler: string, wanted: readonly string[]): Group {
  const sources: Record<string, string> = {};
  const open = [...wanted];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (sources[name] !== undefined) continue;
    const source = readFileSync(join(packages, onDisk(name)), 'utf8');
    sources[name] = source;
    for (const [, imported = ''] of source.matchAll(/^\s*import\s[^;]*?["']([^"']+)["'];/gm)) {
      open.push(imported.startsWith('.') ? normalize(join(dirname(name), imported)) : imported);
    }
  }
  return { compiler, sources, wanted };
}

/**
 * npm cannot install two versions of a package under one name, so that each has its version in the name of its folder. Of
 * those that are asked for one is installed; what is used of it (`Address.isContract`) is the same in all of 4.x.
 */
function onDisk(name: string): string {
  return name.replace(/^(@openzeppelin\/contracts)@4\.\d+\.\d+/, '$1-4.8.3');
}

function inputOf({ sources }: Group): string {
  return JSON.stringify({
    language: 'Solidity',
    sources: Object.fromEntries(Object.entries(sources).map(([name, content]) => [name, { content }])),
    settings: {
      evmVersion,
      optimizer: { enabled: true, runs: 200 },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  });
}

function hashOf(group: Group): string {
  const { version } = require(`${group.compiler}/package.json`) as { readonly version: string };
  return createHash('sha256')
    .update(`${version}\n${inputOf(group)}`)
    .digest('hex');
}

function compile(group: Group): Map<string, unknown> {
  const compiler = require(group.compiler) as Compiler;
  const output = JSON.parse(compiler.compile(inputOf(group))) as CompilerOutput;
  const failures = (output.errors ?? []).filter((error) => error.severity === 'error');
  if (failures.length > 0) throw new Error(failures.map((failure) => failure.formattedMessage).join('\n'));
  return new Map(
    group.wanted.map((file) => {
      const name = basename(file, '.sol');
      const contract = output.contracts?.[file]?.[name];
      if (!contract) throw new Error(`${file} must define the contract ${name}`);
      return [name, { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` }];
    }),
  );
}

function readHashes(): Readonly<Record<string, string>> {
  return existsSync(hashesFile) ? (JSON.parse(readFileSync(hashesFile, 'utf8')) as Record<string, string>) : {};
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
