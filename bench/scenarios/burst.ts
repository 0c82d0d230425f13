import { demoToken } from '../../sandbox/chain/demo-contracts.js';
import type { BareChainOptions } from '../processes/bare-chain.js';
import { nowMs } from '../processes/part-process.js';
import { loadNow, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchChain } from '../setup/chain.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { Part } from '../setup/part.js';
import { BenchSink } from '../setup/sink.js';
import { orderFlow, warmUp } from '../setup/webhooks.js';

const keys = 200;
const perBlock = 1_000;

const flow = (sink: string, fromBlock: number): string => `
name: burst
trigger:
  uses: evm.contractEvent
  with: { contract: usdc, event: Transfer, fromBlock: ${fromBlock} }
steps:
  - uses: http.request
    with:
      method: POST
      url: ${sink}
      body:
        id: "{{event.transaction.hash}}-{{event.log.index}}"
        key: "{{event.args.to}}"
        seq: "{{event.block.number}}{{slice (concat '0000' event.log.index) -4}}"
orderingKey: "{{event.args.to}}"
`;

/** Many transfers at once, delivered in order for each of their receivers. */
export async function burst(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = bench.isQuick ? 2_000 : 20_000;
  const sink = await BenchSink.start(bench.cleanup);
  const chain = await BenchChain.start(bench.cleanup);
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: { orders: orderFlow(sink.url) },
    configuration: chain.configuration,
  });
  await hub.start();
  await warmUp(bench, hub, sink, bench.isQuick ? 200 : 2_000);

  bench.say(`mining ${count} transfers, ${perBlock} to a block`);
  const from = (await chain.blockNumber()) + 1;
  for (let mined = 0; mined < count; mined += perBlock) {
    await chain.sendTransfers(perBlock, (index) => (mined + index) % keys);
    await chain.mine();
  }

  bench.say('delivering them');
  const load = loadNow();
  const meter = await startMeter(bench, hub);
  const startedAtMs = nowMs();
  await hub.writeFlow('burst', flow(sink.url, from));
  const state = await sink.settled(count);
  const cpuPerEvent = await meter(count);
  const perSecond = (count * 1_000) / ((state.lastAtMs ?? Infinity) - startedAtMs);
  await hub.stop();
  return [
    {
      scenario: 'burst',
      backend: backend.name,
      what: `${count.toLocaleString('en')} events → POST, in order for each of ${keys} keys`,
      value: perSecond,
      unit: 'events/s',
      target: { is: 'at least', value: 1_400 },
      limits: [{ name: 'bare loop', value: await bareLoop(bench, chain, sink, { from, count }) }],
      faults: { lost: count - state.distinctIds, doubled: state.doubledEffects, reordered: state.orderViolations },
      ...(cpuPerEvent !== undefined && { cpuPerEvent }),
      load,
    },
  ];
}

async function bareLoop(
  bench: Bench,
  chain: BenchChain,
  sink: BenchSink,
  { from, count }: { readonly from: number; readonly count: number },
): Promise<number> {
  bench.say('the same through a bare loop that fetches, decodes and posts');
  await sink.reset();
  const { url, wsUrl } = chain;
  const to = await chain.blockNumber();
  const options: BareChainOptions = {
    mode: 'past',
    url,
    wsUrl,
    token: demoToken,
    target: sink.url,
    from,
    to,
    blocksAtOnce: 2,
  };
  const loop = Part.start('bare-chain', options, bench.cleanup);
  const { startedAtMs } = await loop.next<{ startedAtMs: number }>();
  await loop.next();
  const { lastAtMs = Infinity } = await sink.received(count);
  await loop.stop();
  return (count * 1_000) / (lastAtMs - startedAtMs);
}
