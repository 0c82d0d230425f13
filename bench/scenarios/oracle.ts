import { setTimeout as delay } from 'node:timers/promises';
import { operator, oracleSigner } from '../../sandbox/chain/demo-oracle.js';
import type { BareOracleOptions } from '../processes/bare-oracle.js';
import { addFaults, loadNow, noFaults, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchChain } from '../setup/chain.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { OracleQuestions, type Answering } from '../setup/oracle.js';
import { Part } from '../setup/part.js';
import { median } from '../statistics.js';

const rounds = 3;
const bursts = 10;

const flow = `
name: numbers
trigger:
  uses: oracle.request
  connection: bench
  with: { job: 6c3f7a52-0f1e-4f0b-9d53-5a1b7c9e2d40, confirmations: 0 }
steps:
  - uses: oracle.fulfill
    connection: bench
    with: { request: "{{event.request}}", type: uint256, value: "{{event.params.pair}}" }
`;

const configuration = (chain: BenchChain): string => `${chain.configuration}
signers:
  oracle: { privateKey: "${oracleSigner.privateKey}" }
connections:
  bench: { connector: oracle, network: local, contract: "${operator}", signer: oracle }
`;

/** Requests that come in bursts on a chain with a block every second, answered by one signer. */
export async function oracle(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = bench.isQuick ? 50 : 500;
  const chain = await BenchChain.start(bench.cleanup);
  await chain.deployOracle();
  const minedAt = await chain.watchBlocks(bench.cleanup);
  await chain.mineEverySecond();
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: { numbers: flow },
    configuration: configuration(chain),
  });
  await hub.start();
  // A trigger begins with the next block.
  await delay(3_000);
  const questions = new OracleQuestions(chain, minedAt);
  bench.say('warming up');
  await questions.ask(count, 1);

  const load = loadNow();
  const meter = await startMeter(bench, hub);
  const atOnce: Answering[] = [];
  for (let round = 0; round < rounds; round += 1) {
    bench.say(`round ${round + 1} of ${rounds}: ${count} requests in one block`);
    atOnce.push(await questions.ask(count, 1));
  }
  const cpuPerEvent = await meter(rounds * count);
  bench.say(`${count} requests, a tenth of them in each block`);
  const spread = await questions.ask(count, bursts);
  await hub.stop();

  bench.say('the loop that answers one after another');
  const limit = await bareOracle(bench, chain, questions, count);
  const all = [...atOnce, spread];
  const line = { scenario: 'oracle', backend: backend.name, load };
  return [
    {
      ...line,
      what: `${count} requests in one block, 1 s blocks → answers taken by the node`,
      value: median(atOnce.map(({ perSecond }) => perSecond)),
      unit: 'answers/s',
      target: { is: 'at least', value: 100 },
      limits: [{ name: 'serial loop', value: limit }],
      faults: all.map(({ faults }) => faults).reduce(addFaults, noFaults),
      ...(cpuPerEvent && { cpuPerEvent }),
    },
    {
      ...line,
      what: 'the same: block of the request → block of the answer, median',
      value: median(atOnce.flatMap(({ blocks }) => blocks)),
      unit: 'blocks',
      target: { is: 'under', value: 3 },
    },
    {
      ...line,
      what: `${count / bursts} requests in each of ${bursts} blocks: block → block, median`,
      value: median(spread.blocks),
      unit: 'blocks',
      target: { is: 'under', value: 3 },
    },
    {
      ...line,
      what: 'wrong answers',
      value: all.reduce((sum, { wrong }) => sum + wrong, 0),
      unit: '',
      target: { is: 'under', value: 1 },
    },
  ];
}

/** @returns answers per second */
async function bareOracle(bench: Bench, chain: BenchChain, questions: OracleQuestions, count: number): Promise<number> {
  const options: BareOracleOptions = { url: chain.url, operator, privateKey: oracleSigner.privateKey };
  const loop = Part.start('bare-oracle', options, bench.cleanup);
  await loop.next();
  const { perSecond } = await questions.ask(count, 1);
  await loop.stop();
  return perSecond;
}
