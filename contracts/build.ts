import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import solc from 'solc';

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

/** Oldest instruction set that is still common, so that the bytecode is accepted by private and rollup chains too. */
const evmVersion = 'paris';

const root = join(process.cwd(), 'contracts');
const sourceFolders = ['tokens'];

const sources = Object.fromEntries(
  sourceFolders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith('.sol'))
      .map((file) => [`${folder}/${file}`, { content: readFileSync(join(root, folder, file), 'utf8') }]),
  ),
);

const output = JSON.parse(
  (solc as { compile(input: string): string }).compile(
    JSON.stringify({
      language: 'Solidity',
      sources,
      settings: {
        evmVersion,
        optimizer: { enabled: true, runs: 200 },
        outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
      },
    }),
  ),
) as CompilerOutput;

const failures = (output.errors ?? []).filter((error) => error.severity === 'error');
if (failures.length > 0) {
  throw new Error(failures.map((failure) => failure.formattedMessage).join('\n'));
}

mkdirSync(join(root, 'abi'), { recursive: true });
for (const [file, contracts] of Object.entries(output.contracts ?? {})) {
  const name = basename(file, '.sol');
  const contract = contracts[name];
  if (!contract) throw new Error(`${file} must define the contract ${name}`);
  const artefact = { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` };
  writeFileSync(join(root, 'abi', `${name}.json`), `${JSON.stringify(artefact, null, 2)}\n`);
}
