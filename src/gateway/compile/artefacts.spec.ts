import { describe, expect, it } from '@jest/globals';
import type { CompiledContract } from './compiled.js';
import { listContents, readUpload } from './read-upload.js';
import { aZip, parts } from './testing/packing.js';

const abi = [
  { type: 'constructor', inputs: [{ name: 'cap', type: 'uint256' }], stateMutability: 'nonpayable' },
  { type: 'function', name: 'cap', inputs: [], outputs: [{ name: '', type: 'uint256' }], stateMutability: 'view' },
];
const code = '0x6001600255';
const runtime = `0x60${'00'.repeat(40)}`;
const unlinked = `0x73__$${'ab'.repeat(17)}$__63`;
const settings = {
  compilationTarget: { 'src/Cap.sol': 'Cap' },
  evmVersion: 'paris',
  optimizer: { enabled: true, runs: 999 },
};
const metadata = {
  compiler: { version: '0.8.24+commit.e11b9ed9' },
  language: 'Solidity',
  output: { abi, devdoc: { title: 'A cap' }, userdoc: {} },
  settings,
  sources: {},
  version: 1,
};
const immutableReferences = { '7': [{ start: 2, length: 32 }] };
const compiler = { version: '0.8.24+commit.e11b9ed9', evmVersion: 'paris', optimizer: { enabled: true, runs: 999 } };

async function contractsOf(files: Readonly<Record<string, unknown>>): Promise<readonly CompiledContract[]> {
  const texts = Object.entries(files).map(([name, value]) => [name, JSON.stringify(value)]);
  const upload = await readUpload(parts(Object.fromEntries(texts)));
  return upload.kind === 'artefacts' ? upload.contracts : [];
}

describe('artefacts of other tools', () => {
  it('given code that says nothing of its immutables, when it is read, then the words that solc leaves empty are theirs', async () => {
    const deployedBytecode = `0x6080${'7f'}${'00'.repeat(32)}6001${'07f0'}${'00'.repeat(32)}57f0${'7f'}${'00'.repeat(32)}`;
    const [silent] = await contractsOf({ 'Cap.json': { contractName: 'Cap', abi, bytecode: code, deployedBytecode } });
    const [telling] = await contractsOf({
      'Cap.json': { contractName: 'Cap', abi, bytecode: code, deployedBytecode, immutableReferences: {} },
    });

    expect(silent!.immutables).toEqual([
      { start: 3, length: 32 },
      { start: 74, length: 32 },
    ]);
    expect(telling!.immutables).toEqual([]);
  });

  it('given an artefact of Hardhat, when it is read, then both codes and the places of libraries are there', async () => {
    const [contract] = await contractsOf({
      'Cap.json': {
        _format: 'hh-sol-artifact-1',
        contractName: 'Cap',
        sourceName: 'contracts/Cap.sol',
        abi,
        bytecode: unlinked,
        deployedBytecode: runtime,
        linkReferences: { 'contracts/L.sol': { L: [{ start: 1, length: 20 }] } },
        deployedLinkReferences: {},
      },
    });

    expect(contract).toEqual({
      name: 'Cap',
      file: 'contracts/Cap.sol',
      abi,
      bytecode: unlinked,
      runtimeBytecode: runtime,
      immutables: [],
      links: { 'contracts/L.sol:L': [{ start: 1, length: 20 }] },
      metadata: undefined,
      compiler: undefined,
      docs: undefined,
    });
  });

  it('given a build-info, when it is read, then every contract of its output is there', async () => {
    const output = {
      contracts: {
        'src/Cap.sol': {
          Cap: {
            abi,
            evm: {
              bytecode: { object: code.slice(2) },
              deployedBytecode: { object: runtime.slice(2), immutableReferences },
            },
            metadata: JSON.stringify(metadata),
            devdoc: { title: 'A cap' },
          },
          ICap: { abi: [], evm: { bytecode: { object: '' } } },
        },
      },
    };

    const contracts = await contractsOf({
      'b1.json': { id: 'b1', input: { language: 'Solidity', sources: {} }, output },
    });

    expect(contracts.map(({ name, file }) => `${file!}:${name}`)).toEqual(['src/Cap.sol:Cap', 'src/Cap.sol:ICap']);
    expect(contracts[0]).toMatchObject({ bytecode: code, immutables: [{ start: 2, length: 32 }], compiler });
    expect(contracts[1]!.bytecode).toBeUndefined();
  });

  it('given an artefact of Foundry, when it is read, then its name comes from the metadata', async () => {
    const [contract] = await contractsOf({
      'Anything.json': {
        abi,
        bytecode: { object: code, sourceMap: '', linkReferences: {} },
        deployedBytecode: { object: runtime, linkReferences: {}, immutableReferences },
        methodIdentifiers: {},
        metadata,
      },
    });

    expect(contract).toMatchObject({
      name: 'Cap',
      file: 'src/Cap.sol',
      bytecode: code,
      runtimeBytecode: runtime,
      immutables: [{ start: 2, length: 32 }],
      compiler,
      docs: { devdoc: { title: 'A cap' } },
    });
  });

  it('given an artefact of Truffle, when it is read, then its documentation and immutables are there', async () => {
    const [contract] = await contractsOf({
      'Cap.json': {
        contractName: 'Cap',
        abi,
        metadata: JSON.stringify(metadata),
        bytecode: '0x73__Lib___________________________________63',
        deployedBytecode: runtime,
        immutableReferences,
        sourcePath: 'project:/contracts/Cap.sol',
        userdoc: { notice: 'Caps' },
        schemaVersion: '3.4.16',
      },
    });

    expect(contract).toMatchObject({
      name: 'Cap',
      bytecode: '0x73__Lib___________________________________63',
      immutables: [{ start: 2, length: 32 }],
      docs: { userdoc: { notice: 'Caps' } },
    });
  });

  it('given what Remix writes, when it is read, then artefact and metadata are told apart', async () => {
    const data = {
      bytecode: { object: code.slice(2), linkReferences: {} },
      deployedBytecode: { object: runtime.slice(2) },
    };

    const contracts = await contractsOf({
      'Cap.json': { deploy: { 'VM:-': {} }, data, abi },
      'Cap_metadata.json': metadata,
    });

    expect(contracts[0]).toMatchObject({ name: 'Cap', bytecode: code, runtimeBytecode: runtime });
    expect(contracts[1]).toMatchObject({ name: 'Cap', bytecode: undefined, compiler });
  });

  it('given an archive of artefacts with other JSON among them, when it is read, then the artefacts are found', async () => {
    const zip = aZip([
      { name: 'out/Cap.json', content: JSON.stringify({ abi, bytecode: code }) },
      { name: 'out/Cap.dbg.json', content: '{ "_format": "hh-sol-dbg-1", "buildInfo": "x" }' },
      { name: 'package.json', content: '{ "name": "cap" }' },
    ]);

    expect(listContents(await readUpload(parts({ zip })))).toEqual({
      sources: [],
      contracts: [{ name: 'Cap', file: undefined }],
    });
  });

  it('given an ABI alone or in a body of JSON, when it is read, then it is an interface without code', async () => {
    const [bare] = await contractsOf({ 'my-token.json': abi });
    const body = await readUpload({ json: { name: 'Cap', abi: JSON.stringify(abi), bytecode: code.slice(2) } });

    expect(bare).toMatchObject({ name: 'my_token', file: undefined, bytecode: undefined, abi });
    expect(body).toMatchObject({ kind: 'artefacts', contracts: [{ name: 'Cap', bytecode: code, abi }] });
  });

  it('given a function that only Solidity can call, when the ABI is read, then it is left out', async () => {
    const internal = { type: 'function', name: 'add', inputs: [{ name: 's', type: 'Sets.Set storage' }], outputs: [] };

    const [contract] = await contractsOf({ 'Sets.json': [internal, ...abi] });

    expect(contract!.abi).toEqual(abi);
  });
});

describe('broken artefacts', () => {
  it.each<[string, unknown, string]>([
    ['a type that is none', [{ type: 'function', name: 'f', inputs: [{ type: 'uint257' }] }], '#/0/inputs/0/type'],
    ['a kind that is none', [{ type: 'method', name: 'f' }], '#/0/type'],
    ['a function without a name', [{ type: 'function', inputs: [] }], '#/0/name'],
    ['a name that is none', [{ type: 'event', name: 'a b', inputs: [] }], '#/0/name'],
    ['parameters that are none', [{ type: 'function', name: 'f', inputs: 'uint256' }], '#/0/inputs'],
    ['a tuple without parts', [{ type: 'error', name: 'E', inputs: [{ type: 'tuple[]' }] }], '#/0/inputs/0/components'],
    ['no list', { f: 1 }, '#'],
  ])('given an ABI with %s, when it is read, then the fault has its place', async (_, broken, pointer) => {
    await expect(readUpload({ json: { abi: broken } })).rejects.toMatchObject({
      code: 'upload.invalid',
      faults: [expect.objectContaining({ pointer })],
    });
  });

  it('given tuples without end, when the ABI is read, then it is refused', async () => {
    let parameter: unknown = { name: 'x', type: 'uint256' };
    for (let depth = 0; depth < 500; depth++) parameter = { name: 'x', type: 'tuple', components: [parameter] };

    await expect(
      readUpload({ json: { abi: [{ type: 'function', name: 'f', inputs: [parameter] }] } }),
    ).rejects.toMatchObject({
      detail: expect.stringContaining('Tuples may be 16 deep'),
    });
  });

  it('given an ABI that nothing names, when it is read, then it is just a contract', async () => {
    expect(await readUpload({ json: { abi } })).toMatchObject({ contracts: [{ name: 'Contract' }] });
  });

  it.each<[string, unknown, RegExp]>([
    [
      'code that is no text in hexadecimal',
      { abi, bytecode: '0x12zz' },
      /bytecode of the request is no hexadecimal text/,
    ],
    ['code of half a byte', { abi, bytecode: '0x123' }, /is no hexadecimal text/],
    ['places outside of the code', { abi, deployedBytecode: '0x00', immutableReferences }, /places outside/],
    ['a name that is none', { abi, contractName: '../x' }, /is no name of a contract/],
    ['a bytecode alone', { bytecode: code }, /no ABI/],
    ['another language', { language: 'Yul', sources: { a: { content: '' } } }, /only Solidity is compiled/],
    [
      'sources to fetch',
      { language: 'Solidity', sources: { 'a.sol': { urls: ['https://x'] } } },
      /does not hold the content of a\.sol/,
    ],
    ['sources that lead out', { language: 'Solidity', sources: { '../a.sol': { content: '' } } }, /leads out/],
    ['nothing that is known', { hello: 1 }, /None of the JSON/],
  ])('given a document with %s, when it is read, then it is refused', async (_, json, message) => {
    await expect(readUpload({ json })).rejects.toMatchObject({
      code: 'upload.invalid',
      detail: expect.stringMatching(message),
    });
  });
});
