import { networkDirectory, type Network } from '#evm';
import { PatchbayError, type UseService } from '#sdk';
import { ask, askIfThere, type AskOptions } from './contract-view.js';
import { formatDecimal, parseDecimal, type Decimal } from './decimal.js';
import * as abi from './feed-abi.js';
import type { OracleClient } from './oracle.client.js';

/** As the contract tells it. */
export interface Round {
  /** Of a proxy: phase and round of its aggregator in one number. */
  readonly roundId: bigint;
  readonly answer: bigint;
  /** Seconds. */
  readonly startedAt: number;
  readonly updatedAt: number;
}

/** The network that a step names, else that of its connection, else the default one. */
export async function networkOf(
  name: string | undefined,
  client: OracleClient | undefined,
  use: UseService,
): Promise<Network> {
  return await use(networkDirectory).get(name ?? client?.settings.network);
}

/** @throws evm.unknownFunction with the hint that it is no feed */
export async function decimalsOf(network: Network, feed: string, options?: AskOptions): Promise<number> {
  const said = await askIfThere(network, feed, abi.decimals, {}, options);
  if (said) return Number(said['value']);
  throw new PatchbayError('evm.unknownFunction', {
    detail: `The contract ${feed} on ${network.name} does not say its decimals, so that it is no feed`,
    fix: 'Check the address and the network.',
  });
}

/** The newest round, or the one that is named; undefined when the feed has no answer there. */
export async function findRound(
  network: Network,
  feed: string,
  { roundId, ...options }: AskOptions & { readonly roundId?: bigint | undefined } = {},
): Promise<Round | undefined> {
  const asking =
    roundId === undefined
      ? ask(network, feed, abi.latestRoundData, {}, options)
      : ask(network, feed, abi.getRoundData, { roundId: roundId.toString() }, options);
  const said = await asking.catch((error: unknown) => {
    if (error instanceof PatchbayError && error.code === 'evm.reverted') return undefined;
    throw error;
  });
  if (!said) return undefined;
  const round = {
    roundId: BigInt(String(said['roundId'])),
    answer: BigInt(String(said['answer'])),
    startedAt: Number(said['startedAt']),
    updatedAt: Number(said['updatedAt']),
  };
  // Aggregators answer with zeros for what they do not have.
  return round.updatedAt === 0 ? undefined : round;
}

/** Seconds since 1970: by the clock of this machine, or by the chain where that is ahead. */
export async function now({ rpc }: Network, signal?: AbortSignal): Promise<number> {
  const block = await rpc.request<{ timestamp?: string } | null>('eth_getBlockByNumber', ['latest', false], signal);
  return Math.max(Math.floor(Date.now() / 1_000), Number(block?.timestamp ?? 0));
}

/** Of a proxy the phase and the round of the aggregator; of an aggregator phase 0. */
export function splitRoundId(roundId: bigint): { readonly phase: number; readonly aggregatorRound: bigint } {
  return { phase: Number(roundId >> 64n), aggregatorRound: roundId & ((1n << 64n) - 1n) };
}

export function joinRoundId(phase: number, aggregatorRound: bigint): bigint {
  return (BigInt(phase) << 64n) | aggregatorRound;
}

/** Exact: `-1` with 8 decimals is `-0.00000001`. */
export function scaleDown(raw: bigint, decimals: number): Decimal {
  return parseDecimal(raw).times(parseDecimal(`1e-${String(decimals)}`));
}

export function formatAnswer(raw: bigint, decimals: number): string {
  return formatDecimal(scaleDown(raw, decimals));
}

export function isoTime(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
