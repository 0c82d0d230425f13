import { setTimeout as delay } from 'node:timers/promises';
import {
  EventReader,
  compileLogDecoder,
  formatBlock,
  fromBlock,
  networkDirectory,
  parseCheckpoint,
  settledBlock,
  shortfallOf,
  toQuantity,
  type ChainLog,
  type Network,
} from '#evm';
import { defineTrigger, duration, finalityInput, z, type Heard, type ListenContext } from '#sdk';
import { askIfThere, contractAddress } from './contract-view.js';
import { parseDecimal } from './decimal.js';
import { decimalsOf, findRound, formatAnswer, isoTime, joinRoundId, splitRoundId } from './feed.js';
import { answerUpdated, description as descriptionOf } from './feed-abi.js';
import { deviationInput, feedContract, networkName } from './feed-inputs.js';
import { findChange, headOf, isSame, sourceAt, type FeedSource } from './feed-source.js';
import { deviates, type Deviation } from './publishing-rule.js';

const decoder = compileLogDecoder(answerUpdated);
/** Between two looks whether the proxy stands before another aggregator, while that is silent. */
const lookAgainMs = 60_000;
const lookAgainDevelopmentMs = 500;
/** How far back what was emitted last is looked for. */
const recallMs = 30 * 24 * 3_600_000;

const input = z.strictObject({
  contract: feedContract,
  network: networkName.meta({ title: 'Network', description: 'Default: the default network.', examples: ['local'] }),
  confirmations: finalityInput()
    .optional()
    .meta({
      title: 'Confirmations',
      description: 'Default: the setting of the network; for a flow that moves value, what is final there.',
      examples: [3, 'finalized'],
    }),
  deviation: deviationInput.optional().meta({
    title: 'Deviation',
    description: 'Only answers that differ from the last one heard by more than absolute and at least percent.',
    examples: [{ percent: 1 }],
  }),
  fromBlock: fromBlock(),
  poll: duration()
    .optional()
    .meta({
      title: 'Poll',
      description:
        'For feeds without events: asks them that often instead. Of several rounds in between only the newest is heard.',
      examples: ['30s'],
    }),
});

const event = z.object({
  /** With the decimals of the feed, exactly. */
  answer: z.string(),
  raw: z.string(),
  decimals: z.number(),
  description: z.string(),
  /** As the feed tells it; of a proxy with the phase in it. */
  roundId: z.string(),
  phase: z.number(),
  aggregatorRound: z.string(),
  updatedAt: z.string(),
  contract: z.object({ name: z.string().optional(), address: z.string() }),
  /** Who emitted it. */
  aggregator: z.string(),
  block: z.object({ number: z.number(), hash: z.string() }).optional(),
  transaction: z.object({ hash: z.string() }).optional(),
  network: z.string(),
  chainId: z.number(),
});

type FeedEvent = z.output<typeof event>;
type Context = ListenContext<z.output<typeof input>, undefined, FeedEvent>;

export const feedUpdated = defineTrigger({
  title: 'Feed updated',
  summary: 'Starts a run when a price feed has a new answer, also when its proxy moves on to another aggregator.',
  input,
  event,
  finality: { input: 'confirmations', shortfall: (given) => shortfallOf(given['confirmations']) },
  examples: [{ contract: 'eth-usd' }, { contract: 'eth-usd', deviation: { percent: 1 } }],
  async listen(context) {
    const networks = context.use(networkDirectory);
    const network = await networks.get(context.input.network);
    const address = await contractAddress(network, context.input.contract);
    const options = { signal: context.signal };
    const [decimals, said] = await Promise.all([
      decimalsOf(network, address, options),
      askIfThere(network, address, descriptionOf, {}, options),
    ]);
    const isNamed = !context.input.contract.startsWith('0x');
    const listener = new FeedListener(context, network, {
      contract: { ...(isNamed && { name: context.input.contract }), address },
      decimals,
      description: String(said?.['value'] ?? ''),
    });
    // One with other settings may know the feed by another address: whoever ends without having been stopped begins anew.
    const isCurrent = async (): Promise<boolean> => (await networks.get(context.input.network)) === network;
    if (context.input.poll === undefined) await listener.followEvents(isCurrent);
    else {
      // Stopped amid a question it has not failed.
      await listener.poll(context.input.poll, isCurrent).catch((error: unknown) => {
        if (!context.signal.aborted) throw error;
      });
    }
  },
});

type FeedFacts = Pick<FeedEvent, 'contract' | 'decimals' | 'description'>;

/** Hears one feed. Each part of the chain is read from the aggregator that the feed had there. */
class FeedListener {
  readonly #deviation: Deviation | undefined;
  #last: bigint | undefined;
  /** The next block to read; undefined until the first is known. */
  #cursor: string | undefined;

  constructor(
    private readonly context: Context,
    private readonly network: Network,
    private readonly facts: FeedFacts,
  ) {
    const { deviation } = context.input;
    this.#deviation = deviation && {
      percent: parseDecimal(deviation.percent, 'deviation.percent'),
      absolute: parseDecimal(deviation.absolute, 'deviation.absolute').times(
        parseDecimal(`1e${String(facts.decimals)}`),
      ),
    };
    this.#cursor = context.cursor;
  }

  /** Until it is stopped, or the network is not the one any more that flows mean. */
  async followEvents(isCurrent: () => Promise<boolean>): Promise<void> {
    const { signal, input: wanted } = this.context;
    await this.#recall();
    if (this.#cursor === undefined) {
      const next = wanted.fromBlock ?? (await headOf(this.network, signal)) + 1;
      this.#cursor = formatBlock(next);
    }
    while (!signal.aborted && (await isCurrent())) {
      // A block that is not there yet has the source of the newest one.
      const { next } = parseCheckpoint(this.#cursor);
      await this.#followOne(await sourceAt(this.network, this.facts.contract.address, next, signal), next - 1);
    }
  }

  /** Until the feed has another aggregator, or the chain has changed below. */
  async #followOne(source: FeedSource, known: number): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.context.signal]);
    const state = { known };
    const reader = new EventReader({
      network: this.network,
      decoder,
      contractName: this.facts.contract.name,
    });
    const lookEveryMs = this.network.isDevelopment ? lookAgainDevelopmentMs : lookAgainMs;
    let lookedAt = -Infinity;
    await this.network.watcher.watch({
      filter: { addresses: [source.aggregator], topics: [[decoder.topic]] },
      finality: this.network.finalityOf(this.context.input.confirmations, this.context),
      cursor: this.#cursor,
      signal,
      deliver: async ({ logs, cursor }) => {
        // A place is kept only up to where the feed is known to have this aggregator: whoever begins there takes the
        // one that it has there for the only one.
        const isSilent = logs.length === 0 && source.phase > 0;
        if (isSilent && performance.now() - lookedAt < lookEveryMs) return;
        lookedAt = performance.now();
        const changedAt = await this.#changeUpTo(source, state, parseCheckpoint(cursor).next - 1);
        // The old one goes on emitting for nobody.
        const own = changedAt === undefined ? logs : logs.filter(({ blockNumber }) => blockNumber < changedAt);
        const place = changedAt === undefined ? cursor : formatBlock(changedAt);
        await this.#emit(this.#hear(source, reader, own), place);
        // Not before it is kept: whoever ends this watch by its place would end it over a failure unheard.
        this.#cursor = place;
        if (changedAt !== undefined) over.abort();
      },
      retract: async (retraction) => {
        await this.context.retract(retraction);
        this.#cursor = retraction.cursor;
        this.#last = undefined;
        // Whether the proxy had changed by then is asked anew.
        over.abort();
      },
    });
  }

  /** The block since which the feed has another aggregator, if it has. */
  async #changeUpTo(source: FeedSource, state: { known: number }, block: number): Promise<number | undefined> {
    if (source.phase === 0) return undefined;
    const { address } = this.facts.contract;
    const { signal } = this.context;
    const there = await sourceAt(this.network, address, block, signal);
    if (isSame(there, source)) {
      state.known = Math.max(state.known, block);
      return undefined;
    }
    return await findChange(this.network, address, source, { from: state.known, to: block }, signal);
  }

  #hear(source: FeedSource, reader: EventReader, logs: readonly ChainLog[]): readonly Heard<FeedEvent>[] {
    return reader.read(logs).flatMap(({ position, event: { args, block, transaction } }) => {
      const raw = BigInt(String(args['current']));
      if (!this.#isWanted(raw)) return [];
      const aggregatorRound = BigInt(String(args['roundId']));
      return {
        // Mined again it has another time, and is the same answer all the same.
        id: [this.network.chainId, transaction.hash, source.aggregator, aggregatorRound, raw].map(String).join(':'),
        position,
        place: block.hash,
        time: block.timestamp,
        subject: this.facts.contract.address,
        event: {
          ...this.#describe(raw, joinRoundId(source.phase, aggregatorRound), Number(args['updatedAt'])),
          aggregator: source.aggregator,
          block: { number: block.number, hash: block.hash },
          transaction: { hash: transaction.hash },
        },
      };
    });
  }

  async poll(everyMs: number, isCurrent: () => Promise<boolean>): Promise<void> {
    const { signal } = this.context;
    const { address } = this.facts.contract;
    await this.#recall();
    let isFirst = this.#cursor === undefined;
    do {
      const block = await this.#pollBlock();
      const round = block === undefined ? undefined : await findRound(this.network, address, { block, signal });
      const place = round && `${String(round.roundId)}:${String(round.updatedAt)}:${String(round.answer)}`;
      if (!round || place === this.#cursor) continue;
      this.#cursor = place;
      // What was there before nobody has asked for.
      const isWanted = !isFirst && this.#isWanted(round.answer);
      if (isFirst) this.#last ??= round.answer;
      isFirst = false;
      const heard = {
        id: `${String(this.network.chainId)}:${address}:${place!}`,
        time: isoTime(round.updatedAt),
        subject: address,
        event: {
          ...this.#describe(round.answer, round.roundId, round.updatedAt),
          aggregator: (await sourceAt(this.network, address, undefined, signal)).aggregator,
        },
      };
      await this.#emit(isWanted ? [heard] : [], place!);
    } while ((await pause(everyMs, signal)) && (await isCurrent()));
  }

  /** As of the block that has its confirmations; undefined when none has them yet. */
  async #pollBlock(): Promise<string | undefined> {
    const finality = this.network.finalityOf(this.context.input.confirmations, this.context);
    const block = await settledBlock(this.network.rpc, finality, this.context.signal);
    return block < 0 ? undefined : toQuantity(block);
  }

  #describe(raw: bigint, roundId: bigint, updatedAt: number): Omit<FeedEvent, 'aggregator'> {
    const { phase, aggregatorRound } = splitRoundId(roundId);
    return {
      answer: formatAnswer(raw, this.facts.decimals),
      raw: raw.toString(),
      roundId: roundId.toString(),
      phase,
      aggregatorRound: aggregatorRound.toString(),
      updatedAt: isoTime(updatedAt),
      ...this.facts,
      network: this.network.name,
      chainId: this.network.chainId,
    };
  }

  #isWanted(raw: bigint): boolean {
    const isWanted = !this.#deviation || this.#last === undefined || deviates(this.#deviation, this.#last, raw);
    if (isWanted) this.#last = raw;
    return isWanted;
  }

  async #emit(heard: readonly Heard<FeedEvent>[], cursor: string): Promise<void> {
    await this.context.emit(heard, { cursor });
  }

  /** A filter goes on from what was heard before this start. */
  async #recall(): Promise<void> {
    if (!this.#deviation) return;
    const { address } = this.facts.contract;
    const heard = await this.context.recall([address], new Date(Date.now() - recallMs));
    const last = heard.get(address);
    if (last) this.#last = BigInt(last.event.raw);
  }
}

/** False when it was cut short. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return await delay(ms, true, { signal }).catch(() => false);
}
