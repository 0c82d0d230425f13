import { setTimeout as delay } from 'node:timers/promises';
import { sandboxApp } from '../../sandbox/salesforce/index.js';
import type { OrgState } from '../processes/salesforce-org.js';
import { loadNow, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchChain, sendSteadily, sinceMined } from '../setup/chain.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { Part } from '../setup/part.js';
import { percentile } from '../statistics.js';

const perSecond = 100;
// An org far away takes about so long for a call.
const answerMs = 100;

const flow = `
name: transfers
trigger:
  uses: evm.contractEvent
  with: { contract: usdc, event: Transfer }
steps:
  - uses: salesforce.upsertRecord
    with:
      object: Transfer__c
      matchOn: Key__c
      fields:
        Key__c: "{{event.transaction.hash}}-{{event.log.index}}"
        Block__c: "{{event.block.number}}"
        To__c: "{{event.args.to}}"
        Amount__c: "{{event.args.value}}"
`;

const configuration = (chain: BenchChain, org: string): string => `${chain.configuration}
connections:
  crm:
    connector: salesforce
    loginUrl: "${org}"
    clientId: ${sandboxApp.clientId}
    clientSecret: ${sandboxApp.clientSecret ?? ''}
`;

/** How long a transfer takes from the moment its block was announced until its record is in the org, and in how few calls. */
export async function salesforce(bench: Bench, backend: Backend): Promise<Line[]> {
  const seconds = bench.isQuick ? 6 : 30;
  const part = Part.start('salesforce-org', { answerMs }, bench.cleanup);
  const { url } = await part.next<{ url: string }>();
  const state = async (): Promise<OrgState> => (await (await fetch(`${url}/bench`)).json()) as OrgState;
  const chain = await BenchChain.start(bench.cleanup);
  const minedAt = await chain.watchBlocks(bench.cleanup);
  await chain.mineEverySecond();
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: { transfers: flow },
    configuration: configuration(chain, url),
  });
  await hub.start();
  await warmUp(chain, state);
  await fetch(`${url}/bench`, { method: 'DELETE' });

  bench.say(`${perSecond} transfers a second for ${seconds} s, answers after ${answerMs} ms`);
  const load = loadNow();
  const meter = await startMeter(bench, hub);
  const stop = sendSteadily(chain, perSecond);
  await delay(seconds * 1_000);
  const sent = await stop();
  const { distinctIds, doubled, rows, calls } = await settled(sent, state);
  const cpuPerEvent = await meter(sent);
  const samples = (await (await fetch(`${url}/bench/samples`)).json()) as readonly number[];
  await hub.stop();

  const ms = sinceMined(samples, minedAt);
  const line = {
    scenario: 'salesforce',
    backend: backend.name,
    faults: { lost: sent - distinctIds, doubled, reordered: 0 },
    load,
  };
  const what = '100 transfers/s, 1 s blocks, mined → record in the org';
  return [
    { ...line, what: `${what}, p50`, value: percentile(ms, 0.5), unit: 'ms', ...(cpuPerEvent && { cpuPerEvent }) },
    {
      ...line,
      what: `${what}, p99`,
      value: percentile(ms, 0.99),
      unit: 'ms',
      target: { is: 'under', value: 500 },
    },
    {
      ...line,
      what: 'rows carried by a call',
      value: rows / calls,
      unit: 'rows',
      target: { is: 'at least', value: 10 },
    },
  ];
}

/** A trigger begins with the next block, so that what is sent too early is rightly not heard. */
async function warmUp(chain: BenchChain, state: () => Promise<OrgState>): Promise<void> {
  const until = Date.now() + 30_000;
  do {
    if (Date.now() > until) throw new Error('No transfer reached the org');
    await chain.sendTransfers(perSecond, (index) => index);
    await delay(1_200);
  } while ((await state()).distinctIds < 3 * perSecond);
  await delay(2_500);
}

/** Until all have come, or none for a while; then a moment more, for what comes twice. */
async function settled(sent: number, state: () => Promise<OrgState>): Promise<OrgState> {
  const until = Date.now() + 20_000;
  while ((await state()).distinctIds < sent && Date.now() < until) await delay(50);
  await delay(1_000);
  return state();
}
