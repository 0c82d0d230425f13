import { setTimeout as delay } from 'node:timers/promises';
import { HDNodeWallet } from 'ethers/wallet';
import { nowMs } from '../processes/part-process.js';
import type { SenderOptions, Sent } from '../processes/sender.js';
import type { Faults } from '../report.js';
import type { Backend, Bench, Database } from './bench.js';
import { BenchChain } from './chain.js';
import { BenchHub } from './hub.js';
import { Part } from './part.js';

export interface BenchSigner {
  readonly name: string;
  /** Lower case. */
  readonly address: string;
  readonly privateKey: string;
}

/** A hub with signers on a chain with a block every second. */
export interface SendingHub {
  readonly hub: BenchHub;
  readonly chain: BenchChain;
  readonly database: Database;
  /** The hub's own, each with plenty of ether. */
  readonly signers: readonly BenchSigner[];
}

/** Anvil's; of no use anywhere else. */
const phrase = 'test test test test test test test test test test test junk';
const lookMs = 25;
const patienceMs = 120_000;

export async function startSendingHub(bench: Bench, backend: Backend, signerCount: number): Promise<SendingHub> {
  const signers = benchSigners(signerCount);
  const chain = await BenchChain.start(bench.cleanup);
  await chain.fund(signers.map(({ address }) => address));
  await chain.mineEverySecond();
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: {},
    configuration: `${chain.configuration}wallets:\n  bench: { mnemonic: "${phrase}" }\n`,
  });
  await hub.start();
  return { hub, chain, database, signers };
}

/** The first accounts belong to the demo contracts. */
export function benchSigners(count: number, from = 20): BenchSigner[] {
  const wallet = HDNodeWallet.fromPhrase(phrase, '', "m/44'/60'/0'/0");
  return Array.from({ length: count }, (_, place) => {
    const { address, privateKey } = wallet.deriveChild(from + place);
    return { name: `hd-bench-${from + place}`, address: address.toLowerCase(), privateKey };
  });
}

/** Where the effects of one round go, and of no other. */
export function freshRecipient(round: number): string {
  return `0xbe${round.toString(16).padStart(38, '0')}`;
}

/** Transfers of one wei through the API of the hub, from a process of their own. */
export async function sendTransfers(
  bench: Bench,
  { hub }: SendingHub,
  options: Omit<SenderOptions, 'url' | 'key'>,
): Promise<Sent> {
  const part = Part.start('sender', { url: hub.url, key: hub.key, ...options }, bench.cleanup);
  try {
    return await part.next<Sent>();
  } finally {
    await part.stop();
  }
}

/** @returns when it was seen that so many of the signers' transactions, all together, are in the pool or mined */
export async function untilTaken(
  { chain }: SendingHub,
  signers: readonly BenchSigner[],
  total: number,
): Promise<number> {
  const addresses = signers.map(({ address }) => address);
  for (const until = Date.now() + patienceMs; Date.now() < until; await delay(lookMs)) {
    if (sum(await chain.noncesOf(addresses, 'pending')) >= total) return nowMs();
  }
  throw new Error(`The chain did not take ${total} transactions`);
}

export async function countTaken({ chain }: SendingHub, signers: readonly BenchSigner[]): Promise<number> {
  return sum(
    await chain.noncesOf(
      signers.map(({ address }) => address),
      'pending',
    ),
  );
}

/** Until the ledger says of every transaction of these signers that it is final. */
export async function untilFinal({ database }: SendingHub, signers: readonly BenchSigner[]): Promise<void> {
  const theirs = fromThese(signers);
  for (const until = Date.now() + patienceMs; Date.now() < until; await delay(200)) {
    if ((await database.count('chain_transaction', `not is_final and ${theirs}`)) === 0) return;
  }
  throw new Error('The ledger still waits for transactions');
}

/**
 * What was asked for, against what the chain has: the recipient got a wei for each transaction that was carried out. A nonce
 * that the ledger has and the chain has not, or the other way round, is a loss too: nothing after it would be mined.
 */
export async function faultsOf(
  { chain, database }: SendingHub,
  signers: readonly BenchSigner[],
  { to, count }: { readonly to: string; readonly count: number },
): Promise<Faults> {
  const done = Number(await chain.balanceOf(to));
  let gaps = 0;
  for (const signer of signers) {
    const [mined = 0] = await chain.noncesOf([signer.address], 'latest');
    gaps += Math.abs(mined - (await database.count('chain_transaction', fromThese([signer]))));
  }
  return { lost: Math.max(0, count - done) + gaps, doubled: Math.max(0, done - count), reordered: 0 };
}

export function fromThese(signers: readonly BenchSigner[]): string {
  return `from_address in (${signers.map(({ address }) => `'${address}'`).join(', ')})`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
