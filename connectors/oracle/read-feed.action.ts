import { PatchbayError, defineAction, duration, z } from '#sdk';
import type { Network } from '#evm';
import { oracle } from './connection.js';
import { askIfThere, contractAddress } from './contract-view.js';
import { formatDecimal, parseDecimal } from './decimal.js';
import {
  decimalsOf,
  findRound,
  formatAnswer,
  isoTime,
  networkOf,
  now,
  scaleDown,
  splitRoundId,
  type Round,
} from './feed.js';
import * as abi from './feed-abi.js';
import { bound, feedContract, networkName } from './feed-inputs.js';

const input = z.strictObject({
  contract: feedContract,
  network: networkName,
  round: z
    .union([z.string().regex(/^\d{1,25}$/, 'must be the id of a round as text'), z.number().int().min(0)])
    .optional()
    .meta({ title: 'Round', description: 'Id of a round. Default: the newest.', examples: ['18446744073709562300'] }),
  maxAge: duration()
    .optional()
    .meta({
      title: 'Greatest age',
      description: 'An answer that was updated longer ago is refused. Take the heartbeat of the feed and some more.',
      examples: ['65m'],
    }),
  min: bound.optional().meta({ title: 'Least answer', description: 'What is below it is refused.' }),
  max: bound.optional().meta({ title: 'Greatest answer', description: 'What is above it is refused.' }),
  sequencer: z
    .strictObject({
      contract: feedContract,
      grace: duration().prefault('1h').meta({ title: 'Grace', description: 'How long it must have been up again.' }),
    })
    .optional()
    .meta({
      title: 'Sequencer',
      description:
        'Uptime feed of a rollup: while its sequencer is down, or has just come back, the answer is refused.',
    }),
});

export const readFeed = defineAction({
  title: 'Read a feed',
  summary: 'Reads the answer of a price feed or of its proxy, and refuses one that is too old or out of its bounds.',
  connection: oracle,
  connectionOptional: true,
  input,
  output: z.object({
    /** With the decimals of the feed, exactly. */
    answer: z.string(),
    /** As the contract has it. */
    raw: z.string(),
    decimals: z.number(),
    description: z.string(),
    roundId: z.string(),
    /** Of a proxy: which aggregator it was, and the round there. Phase 0: there is no proxy. */
    phase: z.number(),
    aggregatorRound: z.string(),
    startedAt: z.string(),
    updatedAt: z.string(),
    ageSeconds: z.number(),
    address: z.string(),
    network: z.string(),
    chainId: z.number(),
  }),
  examples: [
    { contract: 'eth-usd', maxAge: '65m', min: '100', max: '100000' },
    { contract: '0x5fbdb2315678afecb367f032d93f642f64180aa3', network: 'local' },
  ],
  repeatable: 'It only reads; asked again later, the feed may answer differently.',
  async run({ input: wanted, client, use, signal }) {
    const network = await networkOf(wanted.network, client, use);
    const address = await contractAddress(network, wanted.contract);
    const roundId = wanted.round === undefined ? undefined : BigInt(wanted.round);
    const [decimals, said, round, time] = await Promise.all([
      decimalsOf(network, address, { signal }),
      askIfThere(network, address, abi.description, {}, { signal }),
      findRound(network, address, { roundId, signal }),
      now(network, signal),
      wanted.sequencer && assertSequencer(network, wanted.sequencer, signal),
    ]);
    if (!round) {
      throw stale(
        roundId === undefined
          ? `The feed ${wanted.contract} has no answer yet`
          : `The feed ${wanted.contract} has no answer for the round ${String(roundId)}`,
      );
    }
    assertFresh(wanted, round, time);
    assertWithin(wanted, round, decimals);
    const { phase, aggregatorRound } = splitRoundId(round.roundId);
    return {
      answer: formatAnswer(round.answer, decimals),
      raw: round.answer.toString(),
      decimals,
      description: String(said?.['value'] ?? ''),
      roundId: round.roundId.toString(),
      phase,
      aggregatorRound: aggregatorRound.toString(),
      startedAt: isoTime(round.startedAt),
      updatedAt: isoTime(round.updatedAt),
      ageSeconds: Math.max(0, time - round.updatedAt),
      address,
      network: network.name,
      chainId: network.chainId,
    };
  },
});

function assertFresh({ contract, maxAge }: z.output<typeof input>, { updatedAt }: Round, time: number): void {
  if (maxAge === undefined || (time - updatedAt) * 1_000 <= maxAge) return;
  throw stale(
    `The feed ${contract} was updated ${String(time - updatedAt)} s ago, at ${isoTime(updatedAt)}, and may be ${String(maxAge / 1_000)} s old`,
  );
}

function assertWithin({ contract, min, max }: z.output<typeof input>, { answer }: Round, decimals: number): void {
  const value = scaleDown(answer, decimals);
  const isBelow = min !== undefined && value.lt(parseDecimal(min, 'min'));
  const isAbove = max !== undefined && value.gt(parseDecimal(max, 'max'));
  if (!isBelow && !isAbove) return;
  throw stale(
    `The feed ${contract} answers ${formatDecimal(value)}, which is ${isBelow ? `below ${String(min)}` : `above ${String(max)}`}`,
  );
}

/** 0: it is up; 1: it is down; `startedAt` tells since when. */
async function assertSequencer(
  network: Network,
  { contract, grace }: NonNullable<z.output<typeof input>['sequencer']>,
  signal: AbortSignal,
): Promise<void> {
  const address = await contractAddress(network, contract);
  const [round, time] = await Promise.all([findRound(network, address, { signal }), now(network, signal)]);
  if (!round || round.startedAt === 0) throw stale(`Nothing is known yet of the sequencer of ${network.name}`);
  if (round.answer !== 0n) {
    throw stale(`The sequencer of ${network.name} is down since ${isoTime(round.startedAt)}`);
  }
  if ((time - round.startedAt) * 1_000 < grace) {
    throw stale(
      `The sequencer of ${network.name} is up again only since ${isoTime(round.startedAt)}, and ${String(grace / 1_000)} s must have passed`,
    );
  }
}

function stale(detail: string): PatchbayError {
  return new PatchbayError('oracle.stale', { detail });
}
