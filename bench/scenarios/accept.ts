import { loadNow, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { startMeter } from '../setup/meter.js';
import { freshRecipient, fromThese, sendTransfers, startSendingHub, untilFinal } from '../setup/transactions.js';
import { percentile } from '../statistics.js';

const perSecond = 50;

/** How long a caller waits until his transaction is safe. */
export async function accept(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = perSecond * (bench.isQuick ? 2 : 20);
  const setting = await startSendingHub(bench, backend, 1);
  const { hub, database, signers } = setting;
  const from = signers.map(({ name }) => name);
  const warmUp = bench.isQuick ? 100 : 1_000;
  bench.say(`warming up with ${warmUp} transactions`);
  await sendTransfers(bench, setting, { count: warmUp, callers: 10, prefix: 'warm', from, to: freshRecipient(0) });
  await untilFinal(setting, signers);

  bench.say(`${count} transactions, ${perSecond} a second; then the hub is killed, and the rows are counted`);
  const load = loadNow();
  const meter = await startMeter(bench, hub);
  const to = freshRecipient(1);
  const sent = await sendTransfers(bench, setting, { count, callers: 1, perSecond, prefix: 'a', from, to });
  const cpuPerEvent = await meter(count);
  await hub.kill();
  const stored = await database.count('chain_transaction', `${fromThese(signers)} and to_address = '${to}'`);
  const line = {
    scenario: 'accept',
    backend: '',
    unit: 'ms',
    faults: {
      lost: Math.max(0, count - Math.min(sent.accepted, stored)),
      doubled: Math.max(0, stored - count),
      reordered: 0,
    },
    load,
  };
  return [
    { ...line, what: '50 transactions/s, called → accepted and stored, p50', value: percentile(sent.latenciesMs, 0.5) },
    {
      ...line,
      what: '50 transactions/s, called → accepted and stored, p95',
      value: percentile(sent.latenciesMs, 0.95),
      target: { is: 'under', value: 20 },
      ...(cpuPerEvent !== undefined && { cpuPerEvent }),
    },
  ];
}
