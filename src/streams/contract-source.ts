import { compileWhere } from '#engine';
import {
  contractEventOf,
  createLogIds,
  findBlock,
  formatBlock,
  formatCheckpoint,
  formatPosition,
  parseCheckpoint,
  type Batch,
  type ChainLog,
  type ContractEvent,
  type Network,
} from '#evm';
import { PatchbayError } from '#sdk';
import { selectEvents, type EventSelection } from './event-selection.js';
import type { StreamDefinition, StreamStart } from './stream.schema.js';
import type { Lag, PlacedEvent, Portion, ReadOptions, StreamSource } from './stream-source.js';
import { TransactionDetails, type DetailsOf } from './transaction-details.js';
import { assertKnownFields, contractEventSchema } from './unknown-fields.js';

/** Events of contracts in the order of the chain. */
export class ContractSource implements StreamSource {
  readonly isFinal = false;

  constructor(
    private readonly network: Network,
    private readonly definition: StreamDefinition,
  ) {}

  async check(): Promise<void> {
    const { events } = await selectEvents(this.network, this.definition);
    assertKnownFields(this.definition, contractEventSchema(events, this.definition.details));
  }

  async begin(from: StreamStart): Promise<string> {
    if (from !== 'now') return formatCheckpoint({ next: from === 'earliest' ? 0 : from, parentHash: undefined });
    const head = await findBlock(this.network.rpc, 'latest');
    if (!head) throw new PatchbayError('evm.rpc', { detail: `${this.network.name} has no newest block` });
    return formatCheckpoint({ next: head.number + 1, parentHash: head.hash });
  }

  floorOf(cursor: string): string {
    return formatBlock(parseCheckpoint(cursor).next);
  }

  finalAt(cursor: string): string {
    return formatBlock(parseCheckpoint(cursor).next + this.network.watcher.revertedAfter);
  }

  /** In time: how old the first block is that was not read. */
  async lag(cursor: string): Promise<Lag | undefined> {
    const { rpc, watcher } = this.network;
    const { next } = parseCheckpoint(cursor);
    const head = watcher.status.head ?? (await findBlock(rpc, 'latest'))?.number;
    if (head === undefined) return undefined;
    if (next > head) return { blocks: 0, seconds: 0 };
    const block = await findBlock(rpc, next);
    return block && { blocks: head + 1 - next, seconds: Math.max(0, Date.now() / 1_000 - block.timestamp) };
  }

  async read({ cursor, signal, ...to }: ReadOptions): Promise<void> {
    const { watcher, rpc, addressBook } = this.network;
    const { details, confirmations } = this.definition;
    const reading = new LogReading(this.network, this.definition, await selectEvents(this.network, this.definition));
    const wanted = details.call || details.signer ? new TransactionDetails(rpc, addressBook, details) : undefined;
    await watcher.watch({
      filter: reading.selection.filters,
      finality: this.network.finalityOf(confirmations),
      cursor,
      signal,
      deliver: async (batch) => to.deliver(reading.portionOf(batch, await wanted?.of(batch.logs, signal))),
      retract: async (retraction) => {
        reading.restart();
        await to.retract(retraction);
      },
    });
  }
}

/** Turns what a watcher delivers into events. */
class LogReading {
  readonly #holds: (event: ContractEvent) => boolean;
  #idOf: (log: ChainLog) => string;
  #youngFrom = 0;

  constructor(
    private readonly network: Network,
    definition: StreamDefinition,
    readonly selection: EventSelection,
  ) {
    const { where } = definition;
    const holds = compileWhere(where, 'the stream');
    this.#holds = where === undefined ? () => true : (event) => holds({ event });
    this.#idOf = createLogIds(network.chainId);
  }

  /** The same blocks may come again. */
  restart(): void {
    this.#idOf = createLogIds(this.network.chainId);
  }

  portionOf({ logs, cursor }: Batch, detailsOf: DetailsOf | undefined): Portion {
    const { watcher } = this.network;
    this.#youngFrom = Math.max(this.#youngFrom, (watcher.status.head ?? 0) - watcher.revertedAfter + 1);
    const youngFrom = this.#youngFrom;
    const { next, parentHash } = parseCheckpoint(cursor);
    const read = (log: ChainLog): PlacedEvent | undefined => this.#read(log, youngFrom, detailsOf);
    let index = 0;
    return {
      cursor,
      isSafe: parentHash !== undefined || next <= youngFrom,
      tracedFrom: formatBlock(youngFrom),
      get left() {
        return logs.length - index;
      },
      next() {
        for (let log = logs[index]; log !== undefined; log = logs[index]) {
          index += 1;
          const event = read(log);
          if (event) return event;
        }
        return undefined;
      },
    };
  }

  #read(log: ChainLog, youngFrom: number, detailsOf: DetailsOf | undefined): PlacedEvent | undefined {
    // Also of those that are left out: the ordinal counts them.
    const id = this.#idOf(log);
    const event = this.#eventOf(log);
    const data = detailsOf ? { ...event, transaction: { ...event.transaction, ...detailsOf(log) } } : event;
    if (!this.#holds(data)) return undefined;
    return {
      position: formatPosition(log.blockNumber, log.logIndex),
      place: log.blockHash,
      isYoung: log.blockNumber >= youngFrom,
      event: {
        specversion: '1.0',
        id,
        source: `/networks/${this.network.name}`,
        type: 'evm.contractEvent',
        subject: log.address,
        time: event.block.timestamp,
        data: { ...data },
      },
    };
  }

  #eventOf(log: ChainLog): ContractEvent {
    const { name: network, chainId } = this.network;
    const selected = this.selection.find(log);
    const found = selected && contractEventOf({ log, ...selected, network, chainId });
    if (found) return found;
    const expected = selected?.decoder.topicCount;
    const time = new Date((log.timestamp ?? 0) * 1_000).toISOString();
    return {
      name: selected?.decoder.event.name ?? '',
      args: {},
      decodeError:
        expected === undefined
          ? 'No event of the stream has this signature'
          : `${String(log.topics.length - 1)} arguments are indexed, the ABI has ${String(expected - 1)}`,
      contract: {
        ...(selected?.contractName === undefined ? {} : { name: selected.contractName }),
        address: log.address,
      },
      transaction: { hash: log.transactionHash, index: log.transactionIndex },
      block: { number: log.blockNumber, hash: log.blockHash, timestamp: time },
      log: { index: log.logIndex },
      network,
      chainId,
      raw: { topics: [...log.topics], data: log.data },
    };
  }
}
