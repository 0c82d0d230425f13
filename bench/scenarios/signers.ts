import { setTimeout as delay } from 'node:timers/promises';
import { addFaults, loadNow, noFaults, type Faults, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import {
  countTaken,
  faultsOf,
  freshRecipient,
  fromThese,
  sendTransfers,
  startSendingHub,
  untilFinal,
  untilTaken,
  type BenchSigner,
  type SendingHub,
} from '../setup/transactions.js';
import { median } from '../statistics.js';

const rounds = 4;
const callers = 50;
/** Of each of the nine. */
const calmPerSecond = 10;
const stuckCount = 100;
/** A wei is less than any base fee. */
const tooLittle = { max: '1', tip: '0', cap: '1' };
const enough = { max: '4000000000', tip: '1000000000', cap: '1000000000000' };

interface Round {
  /** Taken by the node per second, all nine together, with callers that do not wait. */
  readonly perSecond: number;
  /** From the acceptance to the confirmation, at a pace that is no load; milliseconds. */
  readonly confirmedMs: number;
  readonly faults: Faults;
}

/** Nine signers beside one whose transactions are never mined, against the nine alone. */
export async function signers(bench: Bench, backend: Backend): Promise<Line[]> {
  const setting = await startSendingHub(bench, backend, 10);
  const [stuck, ...nine] = setting.signers;
  if (stuck === undefined) throw new Error('There are no signers');
  const load = loadNow();
  bench.say('warming up');
  await measure(bench, setting, nine);

  const alone: Round[] = [];
  const beside: Round[] = [];
  let frozen = 0;
  for (let round = 0; round < rounds; round += 1) {
    bench.say(`round ${round + 1} of ${rounds}: nine signers alone, then beside one that is stuck`);
    alone.push(await measure(bench, setting, nine));
    await freeze(bench, setting, stuck);
    beside.push(await measure(bench, setting, nine));
    // Otherwise it was not stuck, and nothing was measured.
    frozen += await setting.database.count('chain_transaction', `${fromThese([stuck])} and status <> 'confirmed'`);
    await thaw(setting, stuck);
  }
  const ofStuck = await faultsOf(setting, [stuck], { to: frozenRecipient, count: stuckCount * rounds });
  await setting.hub.stop();
  if (frozen !== stuckCount * rounds) throw new Error(`The stuck signer had ${frozen} transactions waiting`);

  const faults = [...alone, ...beside].map((round) => round.faults).reduce(addFaults, ofStuck);
  const of = (all: readonly Round[], value: (round: Round) => number): number => median(all.map(value));
  const line = { scenario: 'signers', backend: '', load };
  const rate = { alone: of(alone, ({ perSecond }) => perSecond), beside: of(beside, ({ perSecond }) => perSecond) };
  const wait = { alone: of(alone, ({ confirmedMs }) => confirmedMs), beside: of(beside, (one) => one.confirmedMs) };
  const target = { is: 'at least', value: 0.9 } as const;
  return [
    {
      ...line,
      what: 'nine signers beside a stuck one, 50 callers → taken by the node',
      value: rate.beside,
      unit: 'taken/s',
      limits: [{ name: 'the nine alone', value: rate.alone }],
      faults,
    },
    { ...line, what: 'the same as a share of the nine alone', value: rate.beside / rate.alone, unit: '', target },
    {
      ...line,
      what: `${calmPerSecond}/s of each, accepted → confirmed, mean, 1 s blocks`,
      value: wait.beside,
      unit: 'ms',
      limits: [{ name: 'the nine alone', value: wait.alone }],
    },
    { ...line, what: 'the nine alone as a share of the same', value: wait.alone / wait.beside, unit: '', target },
  ];
}

const frozenRecipient = freshRecipient(0xffff);
let measurements = 0;

async function measure(bench: Bench, setting: SendingHub, nine: readonly BenchSigner[]): Promise<Round> {
  const burst = nine.length * (bench.isQuick ? 30 : 200);
  const calm = nine.length * calmPerSecond * (bench.isQuick ? 2 : 8);
  const number = (measurements += 1);
  const [burstTo, calmTo] = [freshRecipient(2 * number), freshRecipient(2 * number + 1)];
  const from = nine.map(({ name }) => name);

  const before = await countTaken(setting, nine);
  const [sent, takenAtMs] = await Promise.all([
    sendTransfers(bench, setting, { count: burst, callers, prefix: `m${number}-`, from, to: burstTo }),
    untilTaken(setting, nine, before + burst),
  ]);
  await untilFinal(setting, nine);
  const perSecond = nine.length * calmPerSecond;
  await sendTransfers(bench, setting, { count: calm, callers: 1, perSecond, prefix: `c${number}-`, from, to: calmTo });
  await untilFinal(setting, nine);
  return {
    perSecond: (burst * 1_000) / (takenAtMs - sent.startedAtMs),
    confirmedMs: await setting.database.number(`
      select avg(extract(epoch from s.at - t.created_at) * 1000) from chain_transaction t
      join chain_transaction_status s on s.transaction_id = t.id and s.status = 'confirmed'
      where t.to_address = '${calmTo}'`),
    faults: addFaults(
      await faultsOf(setting, nine, { to: burstTo, count: burst }),
      // Nonces were looked at with the others.
      { ...noFaults, ...effectsOf(await setting.chain.balanceOf(calmTo), calm) },
    ),
  };
}

function effectsOf(balance: bigint, count: number): Pick<Faults, 'lost' | 'doubled'> {
  const done = Number(balance);
  return { lost: Math.max(0, count - done), doubled: Math.max(0, done - count) };
}

let freezes = 0;

/** What it offers is less than the chain takes, and may not be raised. */
async function freeze(bench: Bench, setting: SendingHub, stuck: BenchSigner): Promise<void> {
  const prefix = `f${(freezes += 1)}-`;
  const options = { count: stuckCount, callers: 10, prefix, from: [stuck.name], to: frozenRecipient, fee: tooLittle };
  await sendTransfers(bench, setting, options);
  await delay(1_000);
}

/** It is given what it needs, and everything it had accepted is carried out. */
async function thaw(setting: SendingHub, stuck: BenchSigner): Promise<void> {
  const { hub } = setting;
  const path = `/api/transactions?pending=true&signer=${stuck.name}&limit=500`;
  const { items } = await hub.call<{ items: readonly { id: string }[] }>('GET', path);
  for (const { id } of items) await hub.call('POST', `/api/transactions/${id}/replace`, { fee: enough });
  await untilFinal(setting, [stuck]);
}
