import type { BareSenderOptions, BareSent } from '../processes/bare-sender.js';
import { addFaults, loadNow, noFaults, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { startMeter } from '../setup/meter.js';
import { Part } from '../setup/part.js';
import {
  benchSigners,
  faultsOf,
  freshRecipient,
  sendTransfers,
  startSendingHub,
  untilFinal,
  untilTaken,
  countTaken,
  type SendingHub,
} from '../setup/transactions.js';
import { median } from '../statistics.js';

const callers = 50;
const perCall = 20;
const rounds = 3;

interface Round {
  /** Taken by the node per second, from the first call on. */
  readonly taken: number;
  /** Answered for by the hub per second. */
  readonly accepted: number;
  readonly faults: NonNullable<Line['faults']>;
  readonly cpuPerEvent: Line['cpuPerEvent'];
}

/** Everything from one signer, as fast as it goes. */
export async function sending(bench: Bench, backend: Backend): Promise<Line[]> {
  const setting = await startSendingHub(bench, backend, 1);
  const [raw] = benchSigners(1, 90);
  if (raw === undefined) throw new Error('There is no second signer');
  await setting.chain.fund([raw.address]);
  const warmUp = bench.isQuick ? 200 : 1_000;
  bench.say(`warming up with ${warmUp} transactions`);
  await hubRound(bench, setting, { count: warmUp, name: 'warm', perCall: 0 });

  const lines: Line[] = [];
  for (const size of [1_000, 5_000]) {
    const count = bench.isQuick ? size / 10 : size;
    const load = loadNow();
    const single: Round[] = [];
    const batched: Round[] = [];
    const limits: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      bench.say(`round ${round + 1} of ${rounds}: ${count} transactions, one to a call, ${perCall} to a call, bare`);
      single.push(await hubRound(bench, setting, { count, name: `s${size}-${round}-`, perCall: 0 }));
      batched.push(await hubRound(bench, setting, { count, name: `b${size}-${round}-`, perCall }));
      limits.push(await bareRound(bench, setting, raw, count));
    }
    lines.push(...linesOf({ count, load, single, batched, limit: median(limits) }));
  }
  await setting.hub.stop();
  return lines;
}

function linesOf({
  count,
  load,
  single,
  batched,
  limit,
}: {
  readonly count: number;
  readonly load: number;
  readonly single: readonly Round[];
  readonly batched: readonly Round[];
  readonly limit: number;
}): Line[] {
  const what = `${count.toLocaleString('en')} transactions of one signer, ${callers} callers`;
  const line = { scenario: 'sending', backend: '', load };
  const measured = (rounds: readonly Round[]) => ({
    value: median(rounds.map(({ taken }) => taken)),
    unit: 'taken/s',
    limits: [{ name: 'sign and send loop', value: limit }],
    faults: rounds.map(({ faults }) => faults).reduce(addFaults, noFaults),
    ...cpuOf(rounds),
  });
  return [
    { ...line, ...measured(single), what: `${what} → taken by the node` },
    {
      ...line,
      what: 'the same as a share of the loop',
      value: median(single.map(({ taken }) => taken)) / limit,
      unit: '',
      target: { is: 'at least', value: 0.7 },
    },
    {
      ...line,
      what: 'the same → accepted by the hub, stored',
      value: median(single.map(({ accepted }) => accepted)),
      unit: 'accepted/s',
    },
    { ...line, ...measured(batched), what: `${what}, ${perCall} to a call → taken by the node` },
    {
      ...line,
      what: 'the same → accepted by the hub, stored',
      value: median(batched.map(({ accepted }) => accepted)),
      unit: 'accepted/s',
    },
  ];
}

/** Of the round in the middle. */
function cpuOf(rounds: readonly Round[]): Pick<Line, 'cpuPerEvent'> {
  const all = rounds.flatMap(({ cpuPerEvent }) => cpuPerEvent ?? []);
  if (all.length === 0) return {};
  return { cpuPerEvent: { hub: median(all.map(({ hub }) => hub)), postgres: median(all.map((cpu) => cpu.postgres)) } };
}

let recipients = 0;

async function hubRound(
  bench: Bench,
  setting: SendingHub,
  { count, name, perCall: together }: { readonly count: number; readonly name: string; readonly perCall: number },
): Promise<Round> {
  const { signers, hub } = setting;
  const to = freshRecipient((recipients += 1));
  const before = await countTaken(setting, signers);
  const meter = await startMeter(bench, hub);
  const taken = untilTaken(setting, signers, before + count);
  const options = { count, callers, prefix: name, from: signers.map((signer) => signer.name), to, perCall: together };
  const [sent, takenAtMs] = await Promise.all([sendTransfers(bench, setting, options), taken]);
  await untilFinal(setting, signers);
  const cpuPerEvent = await meter(count);
  return {
    taken: (count * 1_000) / (takenAtMs - sent.startedAtMs),
    accepted: (sent.accepted * 1_000) / (sent.endedAtMs - sent.startedAtMs),
    faults: await faultsOf(setting, signers, { to, count }),
    cpuPerEvent,
  };
}

/** @returns transactions per second */
async function bareRound(
  bench: Bench,
  { chain }: SendingHub,
  { address, privateKey }: { readonly address: string; readonly privateKey: string },
  count: number,
): Promise<number> {
  const [nonce = 0] = await chain.noncesOf([address], 'pending');
  const options: BareSenderOptions = { url: chain.url, privateKey, nonce, count, to: freshRecipient(0) };
  const loop = Part.start('bare-sender', options, bench.cleanup);
  const { startedAtMs, endedAtMs } = await loop.next<BareSent>();
  await loop.stop();
  return (count * 1_000) / (endedAtMs - startedAtMs);
}
