import { compileWhere } from '#engine';
import type { TransactionChange } from '#evm';
import { PatchbayError, followFeed, type Feed, type FeedEntry } from '#sdk';
import { transactionChange } from '#transactions';
import type { StreamDefinition, StreamStart } from './stream.schema.js';
import type { PlacedEvent, Portion, ReadOptions, StreamSource } from './stream-source.js';
import { assertKnownFields } from './unknown-fields.js';

const portionSize = 500;

/** What becomes of the transactions that this hub sends, in the order in which it was written down. */
export class TransactionSource implements StreamSource {
  readonly isFinal = true;
  readonly #holds: (change: TransactionChange) => boolean;

  /** @param network – only its transactions; undefined: those of all networks */
  constructor(
    private readonly feed: Feed<TransactionChange>,
    private readonly definition: StreamDefinition,
    private readonly network: { readonly chainId: number } | undefined,
  ) {
    const holds = compileWhere(definition.where, 'the stream');
    this.#holds = (change) => holds({ event: change });
  }

  async check(): Promise<void> {
    assertKnownFields(this.definition, transactionChange);
  }

  async begin(from: StreamStart): Promise<string> {
    if (from === 'now') return this.feed.tail();
    if (from === 'earliest') return '';
    throw new PatchbayError('stream.invalid', {
      detail: 'A stream of transactions has no blocks to begin with.',
      fix: 'Write from: now or from: earliest.',
    });
  }

  floorOf(cursor: string): string {
    return cursor;
  }

  finalAt(cursor: string): string {
    return cursor;
  }

  lag(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async read({ cursor, signal, ...to }: ReadOptions): Promise<void> {
    const after = cursor === '' ? undefined : cursor;
    for await (const page of followFeed(this.feed, { after, signal, limit: portionSize })) {
      await to.deliver(this.#portionOf(page, page.at(-1)?.cursor ?? cursor));
    }
  }

  #portionOf(entries: readonly FeedEntry<TransactionChange>[], cursor: string): Portion {
    const wanted = entries.filter(({ item }) => this.#wants(item));
    let index = 0;
    return {
      cursor,
      isSafe: true,
      tracedFrom: '',
      get left() {
        return wanted.length - index;
      },
      next() {
        const entry = wanted[index];
        if (!entry) return undefined;
        index += 1;
        return placed(entry);
      },
    };
  }

  #wants(change: TransactionChange): boolean {
    if (this.network !== undefined && change.transaction.chainId !== this.network.chainId) return false;
    return this.#holds(change);
  }
}

function placed({ item, cursor }: FeedEntry<TransactionChange>): PlacedEvent {
  return {
    position: cursor,
    place: '',
    isYoung: false,
    event: {
      specversion: '1.0',
      id: item.id,
      source: '/transactions',
      type: 'evm.transactionStatus',
      subject: item.transaction.id,
      time: item.time,
      data: { ...item },
    },
  };
}
