import { describe, expect, it } from '@jest/globals';
import type { Abi, AbiFragment, AbiParameter } from '#evm';
import { describeContract, describeContracts, describeInterface } from './openapi-from-abi.js';

const place = { publicUrl: 'http://hub.example' };
const line: AbiParameter = {
  name: 'lines',
  type: 'tuple[]',
  components: [
    { name: 'sku', type: 'uint256' },
    { name: 'notes', type: 'bytes32[3]' },
  ],
};
const order: AbiParameter = { name: 'order', type: 'tuple', components: [{ name: 'buyer', type: 'address' }, line] };

function aFunction(name: string, overrides: Partial<AbiFragment> = {}): AbiFragment {
  return { type: 'function', name, inputs: [], outputs: [], stateMutability: 'nonpayable', ...overrides };
}

function aContract(abi: Abi, reference = 'shop', isOnDefaultNetwork = true) {
  const address = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
  return { reference, address, network: 'local', isOnDefaultNetwork, abi, docs: undefined };
}

function pathsOf(document: object): Record<string, Record<string, Record<string, unknown>>> {
  return (document as { paths: Record<string, Record<string, Record<string, unknown>>> }).paths;
}

describe('the description of a contract', () => {
  it('given sixty functions with structs, when they are described, then it takes less than 50 ms', () => {
    const inputs = [order, { name: 'memo', type: 'string' }, { name: 'amounts', type: 'uint128[4]' }];
    const abi = Array.from({ length: 60 }, (_, index) =>
      aFunction(`f${index}`, { inputs, outputs: [order], stateMutability: index % 2 === 0 ? 'view' : 'nonpayable' }),
    );
    // Processor time: others may be busy on the same machine.
    const times = Array.from({ length: 10 }, () => {
      const before = process.cpuUsage();
      expect(Object.keys(pathsOf(describeContract(aContract([...abi]), place)))).toHaveLength(60);
      return process.cpuUsage(before).user / 1_000;
    });
    expect(times.sort((one, other) => one - other)[5]).toBeLessThan(50);
  });

  it('given overloads that look alike, when they are described, then paths and ids differ', () => {
    const paths = pathsOf(
      describeContract(
        aContract([
          aFunction('set', { inputs: [{ name: 'a', type: 'uint256[]' }] }),
          aFunction('set', { inputs: [{ name: 'a', type: 'uint256' }] }),
          aFunction('set_uint256'),
          aFunction('verify'),
        ]),
        place,
      ),
    );

    expect(Object.keys(paths)).toEqual([
      '/api/contracts/shop/set(uint256%5B%5D)',
      '/api/contracts/shop/set(uint256)',
      '/api/contracts/shop/set_uint256',
      '/api/contracts/shop/verify()',
    ]);
    expect(Object.values(paths).map(({ post }) => post?.['operationId'])).toEqual([
      'set_uint256s',
      'set_uint256',
      'set_uint256_2',
      'verify',
    ]);
  });

  it('given inputs that are called like options, when they are described, then the options have their prefix', () => {
    const inputs = ['from', 'block', 'network'].map((name) => ({ name, type: 'uint256' }));
    const [path] = Object.values(
      pathsOf(
        describeContract(aContract([aFunction('get', { inputs, stateMutability: 'view' })], 'shop', false), place),
      ),
    );
    const parameters = path?.['get']?.['parameters'] as { name: string; required: boolean }[];

    expect(parameters.map(({ name, required }) => [name, required])).toEqual([
      ['from', true],
      ['block', true],
      ['network', true],
      ['pb-from', false],
      ['pb-block', false],
      ['pb-network', true],
    ]);
  });

  it('given two contracts of one kind, when all are described, then no id is used twice', () => {
    const abi = [aFunction('set'), aFunction('get', { stateMutability: 'view' })];
    const document = describeContracts([aContract(abi, 'shop-a'), aContract(abi, 'shop_a')], place);
    const ids = Object.values(pathsOf(document)).flatMap((operations) =>
      Object.values(operations).map(({ operationId }) => operationId),
    );

    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
  });

  it('given an interface, when it is described, then it can be deployed and any address can be called', () => {
    const abi = [{ type: 'constructor', inputs: [order] }, aFunction('set')];
    const known = { name: 'shop', version: 3, abi, docs: undefined };
    const paths = pathsOf(describeInterface({ ...known, isDeployable: true }, place));

    expect(Object.keys(paths)).toEqual(['/api/interfaces/shop/deploy', '/api/contracts/{address}/set']);
    expect(JSON.stringify(paths['/api/contracts/{address}/set'])).toContain('"enum":["shop@3"]');
    expect(Object.keys(pathsOf(describeInterface({ ...known, isDeployable: false }, place)))).toHaveLength(1);
  });
});
