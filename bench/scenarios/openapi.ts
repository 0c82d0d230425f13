import { nowMs } from '../processes/part-process.js';
import { loadNow, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchHub } from '../setup/hub.js';
import { median } from '../statistics.js';

const functions = 60;
const interfaces = 9;
const warmCalls = 50;

/** How long a description of a large contract takes, made and kept. */
export async function openapi(bench: Bench, backend: Backend): Promise<Line[]> {
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, { backend, databaseUrl: database.url, flows: {} });
  await hub.start();
  const load = loadNow();
  bench.say(`${interfaces} interfaces of ${functions} functions`);
  const cold: number[] = [];
  const warm: number[] = [];
  let lost = 0;
  for (let number = 0; number < interfaces; number += 1) {
    const name = `large-${number}`;
    await hub.call('POST', '/api/interfaces', { name, abi: largeAbi(number), bytecode: '0x6000' });
    const { ms, operations } = await describe(hub, name);
    cold.push(ms);
    // One for each function, and one that deploys.
    lost += Math.max(0, functions + 1 - operations);
  }
  for (let call = 0; call < warmCalls; call += 1) warm.push((await describe(hub, 'large-0')).ms);
  await hub.stop();
  const line = { scenario: 'openapi', backend: '', unit: 'ms', load, target: { is: 'under', value: 50 } } as const;
  const what = `OpenAPI of ${functions} functions`;
  const [first = Number.NaN, ...later] = cold;
  return [
    {
      ...line,
      what: `${what}, the first of all that the hub makes`,
      value: first,
      faults: { lost, doubled: 0, reordered: 0 },
    },
    { ...line, what: `${what}, the first of an interface`, value: median(later) },
    { ...line, what: `${what}, again`, value: median(warm) },
  ];
}

/** The time until all of it was received; reading it is the receiver's business. */
async function describe(hub: BenchHub, name: string): Promise<{ ms: number; operations: number }> {
  const startedAtMs = nowMs();
  const response = await fetch(`${hub.url}/api/interfaces/${name}/openapi.json`, {
    headers: { authorization: `Bearer ${hub.key}` },
  });
  const text = await response.text();
  const ms = nowMs() - startedAtMs;
  const { paths = {} } = JSON.parse(text) as { readonly paths?: Readonly<Record<string, object>> };
  return { ms, operations: Object.values(paths).reduce((sum, path) => sum + operationsOf(path), 0) };
}

function operationsOf(path: object): number {
  return Object.keys(path).filter((key) => key === 'get' || key === 'post').length;
}

/** Half of the functions read; every third takes or gives an order, which is a tuple with a list of tuples in it. */
function largeAbi(variant: number): object[] {
  const order = {
    name: 'order',
    type: 'tuple',
    internalType: 'struct Shop.Order',
    components: [
      { name: 'id', type: 'uint256' },
      { name: 'buyer', type: 'address' },
      { name: 'memo', type: 'string' },
      {
        name: 'lines',
        type: 'tuple[]',
        internalType: 'struct Shop.Line[]',
        components: [
          { name: 'sku', type: 'bytes32' },
          { name: 'amount', type: 'uint128' },
          { name: 'prices', type: 'uint256[3]' },
        ],
      },
    ],
  };
  const plain = [
    { name: 'account', type: 'address' },
    { name: 'amount', type: 'uint256' },
    { name: 'data', type: 'bytes' },
  ];
  return Array.from({ length: functions }, (_, number) => ({
    type: 'function',
    name: `action${variant}x${number}`,
    stateMutability: number % 2 === 0 ? 'view' : 'nonpayable',
    inputs: number % 3 === 0 ? [order, { name: 'isUrgent', type: 'bool' }] : plain,
    outputs: number % 2 === 0 ? [number % 3 === 0 ? order : { name: '', type: 'uint256' }] : [],
  }));
}
