import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PatchbayError, type Logger } from '#sdk';
import { DevChain } from '../../evm/testing/dev-chain.js';
import type { CompiledContract } from './compiled.js';
import { readUpload } from './read-upload.js';
import { compareRuntimeCode } from './runtime-code.js';
import { SolidityCompiler } from './solidity-compiler.js';
import type { SourceUpload } from './upload.js';

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const compiler = new SolidityCompiler({
  log: silent,
  importPackages: ['@openzeppelin/contracts'],
  // A compiler takes a second to load on an idle machine, and far longer on a busy one.
  limits: { timeoutMs: 110_000 },
});
afterAll(() => compiler.close());

function sources(files: Readonly<Record<string, string>>): SourceUpload {
  return { kind: 'sources', files: new Map(Object.entries(files)) };
}

async function failureOf(
  files: Readonly<Record<string, string>>,
  options: Parameters<SolidityCompiler['compile']>[1] = {},
): Promise<PatchbayError> {
  const outcome: unknown = await compiler.compile(sources(files), options).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(PatchbayError);
  return outcome as PatchbayError;
}

const head = '// SPDX-License-Identifier: MIT\npragma solidity ^0.8.20;\n';
const counter = `${head}
/// @title Counts
contract Counter {
  uint256 public immutable step;
  uint256 public count;
  constructor(uint256 step_) { step = step_; }
  /// @notice Counts on
  function next() external returns (uint256) { count += step; return count; }
}
interface ICounter { function next() external returns (uint256); }
`;

describe('compiling', () => {
  it('given a project of several files, when it is compiled, then all that its own files define is there', async () => {
    const { contracts, input, warnings } = await compiler.compile(
      sources({
        'contracts/Counter.sol': counter,
        'contracts/Shop.sol': `${head}import {Counter} from "./Counter.sol"; import "contracts/Prices.sol";
          contract Shop { function open() external { new Counter(Prices.one()); } }`,
        'contracts/Prices.sol': `${head}library Prices { function one() public pure returns (uint256) { return 1; } }`,
        'contracts/Shop.t.sol': `${head}import "forge-std/Test.sol"; contract ShopTest is Test {}`,
      }),
    );

    expect(contracts.map(({ file, name }) => `${file!}:${name}`)).toEqual([
      'contracts/Counter.sol:Counter',
      'contracts/Counter.sol:ICounter',
      'contracts/Prices.sol:Prices',
      'contracts/Shop.sol:Shop',
    ]);
    expect(contracts[0]).toMatchObject({
      bytecode: expect.stringMatching(/^0x[0-9a-f]+$/),
      immutables: [expect.objectContaining({ length: 32 }), expect.objectContaining({ length: 32 })],
      compiler: {
        version: expect.stringMatching(/^0\.8\.37\+commit\./),
        evmVersion: 'paris',
        optimizer: { enabled: true, runs: 200 },
      },
      docs: { devdoc: { title: 'Counts' }, userdoc: { methods: { 'next()': { notice: 'Counts on' } } } },
    });
    expect(contracts[1]).toMatchObject({ bytecode: undefined, runtimeBytecode: undefined });
    expect(Object.keys(contracts[3]!.links)).toEqual(['contracts/Prices.sol:Prices']);
    expect(JSON.parse(input)).toMatchObject({ language: 'Solidity', settings: { evmVersion: 'paris' } });
    expect(warnings).toEqual([]);
  });

  it('given the input of a compilation, when it is compiled again, then the code is the same', async () => {
    const first = await compiler.compile(sources({ 'Counter.sol': counter }));

    const upload = await readUpload({ json: JSON.parse(first.input) });
    const second = await compiler.compile(upload as SourceUpload);

    expect(second.contracts).toEqual(first.contracts);
    expect(second.input).toBe(first.input);
  });

  it('given the same sources many times, for one contract after another, when they are compiled, then once is enough', async () => {
    const narrow = new SolidityCompiler({ log: silent, limits: { queue: 0 } });
    const files = { 'Counter.sol': counter };
    try {
      const [first, ...others] = await Promise.all([1, 2, 3].map(() => narrow.compile(sources(files))));
      for (const other of others) expect(other).toEqual(first);
      expect((await narrow.compile(sources(files), { optimizerRuns: 1 })).contracts).not.toEqual(first!.contracts);
    } finally {
      await narrow.close();
    }
  });

  it('given options, when they are asked for, then they shape the code', async () => {
    const { contracts } = await compiler.compile(sources({ 'A.sol': counter, 'B.sol': `${head}contract B {}` }), {
      sources: ['A.sol'],
      evmVersion: 'cancun',
      optimizerRuns: 1,
    });

    expect(contracts.map(({ name }) => name)).toEqual(['Counter', 'ICounter']);
    expect(contracts[0]!.compiler).toMatchObject({ evmVersion: 'cancun', optimizer: { enabled: true, runs: 1 } });
    expect(await failureOf({ 'A.sol': counter }, { evmVersion: 'tokyo' })).toMatchObject({ code: 'request.invalid' });
    expect((await failureOf({ 'A.sol': counter }, { sources: ['C.sol'] })).fix).toBe('It has: A.sol');
  });

  it('given a warning, when the source is compiled, then it is handed on', async () => {
    const { warnings } = await compiler.compile(sources({ 'A.sol': 'pragma solidity ^0.8.0; contract A {}' }));

    expect(warnings).toEqual([expect.stringContaining('SPDX license identifier not provided')]);
  });

  it('given several faults, when the source is compiled, then each is told with file, line and column', async () => {
    const error = await failureOf({
      'contracts/A.sol': `${head}// ä and € are longer in bytes\ncontract A {\n  function f() external { x = 1; }\n  uint8 y = "b";\n}`,
    });

    expect(error.code).toBe('solidity.invalid');
    expect(error.detail).toMatch(/^contracts\/A\.sol:5:27: DeclarationError: Undeclared identifier\./);
    expect(error.faults).toEqual([expect.objectContaining({ file: 'contracts/A.sol', line: 5, column: 27 })]);
    const types = await failureOf({ 'A.sol': `${head}contract A { uint8 x = "b";\n address y = 1; }` });
    expect(types.faults.map(({ line, column }) => [line, column])).toEqual([
      [3, 24],
      [4, 14],
    ]);
  });

  it('given an instruction that the EVM version lacks, when it is compiled, then the fault says which version has it', async () => {
    const error = await failureOf({
      'A.sol': `${head}contract A { function f() external { assembly { mcopy(0, 0, 0) } } }`,
    });

    expect(error.faults[0]).toMatchObject({ line: 3, fix: 'Compile with the EVM version cancun or a later one.' });
  });
});

describe('imports', () => {
  const a = (path: string): Record<string, string> => ({
    'contracts/A.sol': `${head}\nimport "${path}";\ncontract A {}`,
  });

  it.each([
    ['https://example.com/B.sol', /is not fetched/],
    ['/etc/B.sol', /is an absolute path/],
    ['file:///etc/passwd', /is not fetched/],
    ['../../B.sol', /lies outside of the upload/],
    ['./B.sol', /not found: there is no contracts\/B\.sol/],
    ['@openzeppelin/contracts/../../../package.json', /lies outside|not found/],
    ['@openzeppelin/contracts/Nothing.sol', /not found/],
    ['ethers/contracts/B.sol', /not found/],
  ])('given an import of %s, when it is compiled, then it is refused with file and line', async (path, message) => {
    const error = await failureOf(a(path));

    expect(error.code).toBe('solidity.invalid');
    expect(error.faults).toEqual([expect.objectContaining({ file: 'contracts/A.sol', line: 4, column: 8 })]);
    expect(error.faults[0]!.detail).toMatch(message);
  });

  it('given dependencies in the upload, when they are imported in the way of Hardhat or Foundry, then they are found', async () => {
    const b = `${head}import "./C.sol"; contract B is C {}`;
    const c = `${head}contract C {}`;
    const user = `${head}import "@some/pack/B.sol"; import "forge/B2.sol"; import "mapped/B3.sol"; contract A is B, B2, B3 {}`;
    const { contracts, input } = await compiler.compile(
      sources({
        'contracts/A.sol': user,
        'node_modules/@some/pack/B.sol': b,
        'node_modules/@some/pack/C.sol': c,
        'lib/forge/src/B2.sol': b.replaceAll('B', 'B2').replaceAll(/\bC\b/g, 'C2'),
        'lib/forge/src/C2.sol': c.replaceAll('C ', 'C2 '),
        'vendor/x/B3.sol': `${head}contract B3 {}`,
        'remappings.txt': '# ours\nmapped/=vendor/x/\n',
      }),
      { sources: ['contracts/A.sol'] },
    );

    expect(contracts.map(({ name }) => name)).toEqual(['A']);
    const { sources: units, settings } = JSON.parse(input);
    expect(Object.keys(units)).toContain('@some/pack/C.sol');
    expect(settings.remappings).toEqual(['mapped/=vendor/x/', 'forge/=lib/forge/src/']);
  });

  it('given the package of OpenZeppelin beside the hub, when its import is allowed, then a token compiles', async () => {
    const files = {
      'Token.sol': `${head}import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
        contract Token is ERC20("Token", "T") { constructor() { _mint(msg.sender, 1 ether); } }`,
    };
    const strict = new SolidityCompiler({ log: silent });

    const { contracts } = await compiler.compile(sources(files));

    expect(contracts.map(({ name }) => name)).toEqual(['Token']);
    await expect(strict.compile(sources(files))).rejects.toMatchObject({ code: 'solidity.invalid' });
  });
});

/** Each struct holds the one before twice: the ABI of the last has 2^n parts. */
function doubling(times: number): string {
  const structs = Array.from(
    { length: times },
    (_, index) => `struct S${String(index + 1)}{S${String(index)} a;S${String(index)} b;}`,
  );
  return `${head}contract C{struct S0{uint a;}${structs.join('')}function f(S${String(times)} memory x)public{}}`;
}

describe('sources that cost too much', () => {
  it('given some hundred bytes that compile for minutes, when the processor time is over, then it ends', async () => {
    const strict = new SolidityCompiler({ log: silent, limits: { cpuSeconds: 2 } });
    const source = doubling(20);
    expect(source.length).toBeLessThan(700);

    try {
      await expect(strict.compile(sources({ 'C.sol': source }))).rejects.toMatchObject({
        code: 'solidity.tooExpensive',
        detail: 'Compiling these sources takes more than 2 seconds of processor time',
      });
    } finally {
      await strict.close();
    }
  });

  it('given the same, when the time by the clock is over, then it ends too', async () => {
    const strict = new SolidityCompiler({ log: silent, limits: { timeoutMs: 1_000 } });

    try {
      await expect(strict.compile(sources({ 'C.sol': doubling(20) }))).rejects.toMatchObject({
        code: 'solidity.tooExpensive',
        detail: 'Compiling these sources takes more than 1 seconds',
      });
    } finally {
      await strict.close();
    }
  });

  it('given a source that needs more memory than there is, when it is reached, then it ends; the next one compiles', async () => {
    const strict = new SolidityCompiler({ log: silent, limits: { memoryBytes: 48 * 1_048_576 } });

    try {
      await expect(strict.compile(sources({ 'C.sol': doubling(14) }))).rejects.toMatchObject({
        code: 'solidity.tooExpensive',
        detail: 'Compiling these sources takes more than 48 MB of memory',
      });
      expect((await strict.compile(sources({ 'A.sol': counter }))).contracts).toHaveLength(2);
    } finally {
      await strict.close();
    }
  });

  it('given a source that nests without end, when it is compiled, then it is a fault of the source, not of the hub', async () => {
    const error = await failureOf({
      'A.sol': `${head}contract A { uint x = ${'('.repeat(9_000)}1${')'.repeat(9_000)}; }`,
    });

    expect(['solidity.invalid', 'solidity.tooExpensive']).toContain(error.code);
  });

  it('given limits of size and of the queue, when they are passed, then each is told', async () => {
    const limits = { outputBytes: 1_000, sourceBytes: 2_000, queue: 0 };
    const strict = new SolidityCompiler({ log: silent, limits });

    const large = strict.compile(sources({ 'A.sol': counter + ' '.repeat(2_000) }));
    await expect(large).rejects.toMatchObject({ code: 'request.tooLarge' });
    const first = strict.compile(sources({ 'A.sol': counter })).catch((error: unknown) => error);
    const second = strict.compile(sources({ 'B.sol': counter }));
    await expect(second).rejects.toMatchObject({ code: 'hub.busy', retryAfterMs: 5_000 });
    expect(await first).toMatchObject({ code: 'solidity.tooExpensive', detail: expect.stringContaining('of output') });

    await strict.close();
    await expect(strict.compile(sources({ 'A.sol': counter }))).rejects.toMatchObject({ code: 'hub.stopping' });
  });
});

describe('comparing with the chain', () => {
  let chain: DevChain;
  beforeAll(async () => {
    chain = await DevChain.start();
  });
  afterAll(() => chain.stop());

  const counterOf = async (source: string): Promise<CompiledContract> =>
    (await compiler.compile(sources({ 'Counter.sol': source }))).contracts[0]!;

  it('given a contract with immutables on chain, when sources are compared, then only what was deployed matches', async () => {
    const compiled = await counterOf(counter);
    const hash = await chain.send({ data: `${compiled.bytecode!}${'7'.padStart(64, '0')}`, gas: '0x1c9c380' });
    const { contractAddress } = await chain.receipt(hash);
    const onChain = await chain.call<string>('eth_getCode', [contractAddress, 'latest']);

    expect(onChain).not.toBe(compiled.runtimeBytecode);
    expect(compareRuntimeCode(compiled, onChain)).toBe('exact');
    expect(compareRuntimeCode(await counterOf(`${counter}// another comment`), onChain)).toBe('partial');
    expect(compareRuntimeCode(await counterOf(counter.replace('count += step', 'count -= step')), onChain)).toBe(
      'different',
    );
    expect(compareRuntimeCode(compiled, '0x')).toBe('different');
  });

  it('given a library and a contract that is linked to it, when they are deployed, then their addresses do not count', async () => {
    const text = `${head}library L { function one() public pure returns (uint256) { return 1; } }
      contract U { function two() external pure returns (uint256) { return L.one() + 1; } }`;
    const [library, user] = (await compiler.compile(sources({ 'U.sol': text }))).contracts;
    const address = '5fbdb2315678afecb367f032d93f642f64180aa3';
    const linked = (code: string): string => code.replaceAll(/__.{38}/g, address);

    expect(library!.name).toBe('L');
    expect(compareRuntimeCode(library!, library!.runtimeBytecode!.replace(/^0x730{40}/, `0x73${address}`))).toBe(
      'exact',
    );
    expect(user!.runtimeBytecode).toMatch(/__\$/);
    expect(compareRuntimeCode(user!, linked(user!.runtimeBytecode!))).toBe('exact');
  });

  it('given a contract that makes another, when a comment of the other changes, then the instructions still match', async () => {
    const factory = (comment: string): string =>
      `${head}contract F { function make() external { new P(); } } contract P { uint256 x; ${comment} }`;
    const one = (await compiler.compile(sources({ 'F.sol': factory('') }))).contracts[0]!;
    const other = (await compiler.compile(sources({ 'F.sol': factory('/* more */') }))).contracts[0]!;

    expect(compareRuntimeCode(one, other.runtimeBytecode!)).toBe('partial');
  });
});

// Last, for the other compilers take the place of the one that all the rest is compiled with.
describe('choosing a compiler', () => {
  const versionOf = async (pragma: string, asked?: string): Promise<string> => {
    const text = `// SPDX-License-Identifier: MIT\npragma solidity ${pragma};\ncontract A { uint256 x; }`;
    const { contracts } = await compiler.compile(
      sources({ 'A.sol': text }),
      asked === undefined ? {} : { compiler: asked },
    );
    return contracts[0]!.compiler!.version.replace(/\+.*/, '');
  };

  it('given two versions, when nothing is asked, then the newest that the pragma allows compiles', async () => {
    expect(await versionOf('^0.8.20')).toBe('0.8.37');
    expect(await versionOf('>=0.8.0', '0.8')).toBe('0.8.37');
    expect(await versionOf('0.8.24')).toBe('0.8.24');
    expect(await versionOf('>=0.7.0 <0.8.30')).toBe('0.8.24');
    expect(await versionOf('^0.8.0', 'v0.8.24+commit.e11b9ed9')).toBe('0.8.24');
  });

  it('given a version that is not installed, when it is needed, then the command that installs it is named', async () => {
    const old = await failureOf({ 'A.sol': 'pragma solidity ^0.7.6; contract A {}' });
    const asked = await failureOf({ 'A.sol': counter }, { compiler: '0.8.20' });

    expect(old.code).toBe('solidity.compilerMissing');
    expect(old.detail).toBe('No installed compiler suits A.sol (^0.7.6). Installed: 0.8.37, 0.8.24, 0.8.19, 0.6.12');
    expect(old.fix).toContain('npm install solc-0.7.6@npm:solc@0.7.6');
    expect(asked).toMatchObject({
      code: 'solidity.compilerMissing',
      fix: expect.stringContaining('solc-0.8.20@npm:solc@0.8.20'),
    });
    expect(await failureOf({ 'A.sol': counter }, { compiler: '../solc' })).toMatchObject({ code: 'request.invalid' });
  });
});
