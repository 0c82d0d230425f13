import { setTimeout as delay } from 'node:timers/promises';
import { demoToken } from '../../sandbox/chain/demo-contracts.js';
import type { BareChainOptions } from '../processes/bare-chain.js';
import { loadNow, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchChain, sendSteadily, sinceMined } from '../setup/chain.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { Part } from '../setup/part.js';
import { BenchSink } from '../setup/sink.js';
import { percentile } from '../statistics.js';

const perSecond = 100;

const flow = (sink: string): string => `
name: transfers
trigger:
  uses: evm.contractEvent
  with: { contract: usdc, event: Transfer }
steps:
  - uses: http.request
    with:
      method: POST
      url: ${sink}
      body:
        id: "{{event.transaction.hash}}-{{event.log.index}}"
        mark: "{{event.block.number}}"
        to: "{{event.args.to}}"
        value: "{{event.args.value}}"
`;

interface Measured {
  readonly sent: number;
  readonly distinct: number;
  readonly doubled: number;
  readonly ms: readonly number[];
}

/** How long a transfer takes from the moment its block was announced to the moment its call has arrived. */
export async function live(bench: Bench, backend: Backend): Promise<Line[]> {
  const seconds = bench.isQuick ? 6 : 30;
  const sink = await BenchSink.start(bench.cleanup);
  const chain = await BenchChain.start(bench.cleanup);
  const minedAt = await chain.watchBlocks(bench.cleanup);
  await chain.mineEverySecond();
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: { transfers: flow(sink.url) },
    configuration: chain.configuration,
  });
  await hub.start();
  await untilHeard(chain, sink);

  bench.say(`${perSecond} transfers a second for ${seconds} s`);
  const load = loadNow();
  const meter = await startMeter(bench, hub);
  const ofHub = await measure(chain, sink, minedAt, seconds);
  const cpuPerEvent = await meter(ofHub.sent);
  await hub.stop();

  bench.say('the same through a hand-written loop with ethers');
  const loop = Part.start('bare-chain', bareOptions(chain, sink), bench.cleanup);
  await loop.next();
  await untilHeard(chain, sink);
  const ofLoop = await measure(chain, sink, minedAt, seconds);
  await loop.stop();

  const line = {
    scenario: 'live',
    backend: backend.name,
    unit: 'ms',
    faults: { lost: ofHub.sent - ofHub.distinct, doubled: ofHub.doubled, reordered: 0 },
    load,
  };
  return [
    {
      ...line,
      what: '100 transfers/s, 1 s blocks, mined → received, p50',
      value: percentile(ofHub.ms, 0.5),
      target: { is: 'under', value: 70 },
      limits: [{ name: 'ethers loop', value: percentile(ofLoop.ms, 0.5) }],
      ...(cpuPerEvent !== undefined && { cpuPerEvent }),
    },
    {
      ...line,
      what: '100 transfers/s, 1 s blocks, mined → received, p99',
      value: percentile(ofHub.ms, 0.99),
      target: { is: 'under', value: 150 },
      limits: [{ name: 'ethers loop', value: percentile(ofLoop.ms, 0.99) }],
    },
  ];
}

/** A trigger begins with the next block, so that what is sent too early is rightly not heard. Also the warm-up. */
async function untilHeard(chain: BenchChain, sink: BenchSink): Promise<void> {
  const until = Date.now() + 30_000;
  do {
    if (Date.now() > until) throw new Error('No transfer was heard');
    await chain.sendTransfers(perSecond, (index) => index);
    await delay(1_200);
  } while ((await sink.state()).distinct < 3 * perSecond);
  await delay(2_500);
  await sink.reset();
}

async function measure(
  chain: BenchChain,
  sink: BenchSink,
  minedAt: ReadonlyMap<number, number>,
  seconds: number,
): Promise<Measured> {
  const stop = sendSteadily(chain, perSecond);
  await delay(seconds * 1_000);
  const sent = await stop();
  const state = await sink.settled(sent);
  const samples = await sink.samples();
  const ms = sinceMined(samples, minedAt);
  await sink.reset();
  return { sent, distinct: state.distinctIds, doubled: state.doubledEffects, ms };
}

function bareOptions(chain: BenchChain, sink: BenchSink): BareChainOptions {
  const { url, wsUrl } = chain;
  return { mode: 'live', url, wsUrl, token: demoToken, target: sink.url, from: 0, to: 0, blocksAtOnce: 1 };
}
