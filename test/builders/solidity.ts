import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Abi } from '#evm';

export interface Artefact {
  readonly abi: Abi;
  readonly bytecode: string;
}

interface Compiler {
  compile(input: string, callbacks: { import(path: string): { contents: string } | { error: string } }): string;
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<
    Record<
      string,
      Record<string, { readonly abi: Abi; readonly evm: { readonly bytecode: { readonly object: string } } }>
    >
  >;
}

const require = createRequire(join(process.cwd(), 'package.json'));

/**
 * Compiles sources that import each other and what packages have, by the name of their package. A pragma that names another
 * patch of the same compiler is no obstacle.
 */
export function compileSolidity(
  compiler: 'solc' | 'solc-0.8.19' | 'solc-0.6.12',
  sources: Readonly<Record<string, string>>,
): (contract: string) => Artefact {
  const [, minor = '8'] = /0\.(\d+)\./.exec(compiler) ?? [];
  const prepare = (text: string): string =>
    text.replace(new RegExp(`pragma solidity \\^?0\\.${minor}\\.\\d+;`), `pragma solidity ^0.${minor}.0;`);
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(Object.entries(sources).map(([name, text]) => [name, { content: prepare(text) }])),
    settings: {
      optimizer: { enabled: true, runs: 200 },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  };
  const answer = (require(compiler) as Compiler).compile(JSON.stringify(input), {
    import: (path) => {
      const file = findSource(path);
      return file === undefined ? { error: `There is no ${path}` } : { contents: prepare(readFileSync(file, 'utf8')) };
    },
  });
  const { errors = [], contracts = {} } = JSON.parse(answer) as Output;
  const failure = errors.find(({ severity }) => severity === 'error');
  if (failure) throw new Error(failure.formattedMessage);
  return (name) => {
    const found = Object.values(contracts).find((ofFile) => ofFile[name])?.[name];
    if (!found) throw new Error(`No source has a contract ${name}`);
    return { abi: found.abi, bytecode: `0x${found.evm.bytecode.object}` };
  };
}

/** Ours by `contracts/…`, those of packages by the package; of the versions of OpenZeppelin 4 that one is installed. */
function findSource(path: string): string | undefined {
  const installed = path.replace(/^(@openzeppelin\/contracts)@4\.\d+\.\d+/, '$1-4.8.3');
  return [join(process.cwd(), 'node_modules', installed), join(process.cwd(), path)].find((file) => existsSync(file));
}
