import type { Logger } from '#sdk';
import { findBlock, type BlockHeader } from './block.js';
import { ChainPath, longestPath } from './chain-path.js';
import { finalizedFallback, findTagged } from './final-blocks.js';
import type { InFlight, InFlightWindow } from './in-flight.js';
import { findMined, type Receipt } from './receipt.js';
import type { RevertReason } from './revert-reason.js';
import type { RpcClient } from './rpc-client.js';
import {
  isFilled,
  type StatusChange,
  type TransactionFailure,
  type TransactionRecord,
  type TransactionStore,
} from './transaction-store.js';

export interface OutcomesOptions {
  readonly rpc: RpcClient;
  readonly store: TransactionStore;
  readonly log: Logger;
  /** Why a mined transaction was reverted; undefined when nobody can tell. */
  readonly explain: (record: TransactionRecord, blockNumber: number) => Promise<RevertReason | undefined>;
}

/**
 * From a receipt to the end: mined, taken back by a reorganisation, final. What is held changes after what is stored has,
 * so that a store that was away is told the next time.
 */
export class Outcomes {
  readonly #path = new ChainPath();

  constructor(private readonly options: OutcomesOptions) {}

  /** The receipt of any attempt counts: an older one can win over the newest. */
  async mined(window: InFlightWindow, receipts: readonly Receipt[]): Promise<void> {
    const found = new Map<InFlight, Receipt>();
    for (const receipt of receipts) {
      const one = window.findByHash(receipt.place.hash);
      if (one && !one.receipt && !found.has(one)) found.set(one, receipt);
    }
    await this.#keep([...found].flatMap(([{ record }, receipt]) => minedChanges(record, receipt)));
    for (const [one, receipt] of found) window.mined(one, receipt);
  }

  /** After a reorganisation: where is each that was mined? What is nowhere is sent again with the same bytes. */
  async recheck(window: InFlightWindow): Promise<void> {
    const mined = window.all().filter(({ receipt }) => receipt);
    if (mined.length === 0) return;
    const hashes = mined.flatMap(({ record }) => record.attempts.map(({ hash }) => hash));
    const found = new Map<InFlight, Receipt>();
    for (const receipt of await findMined(this.options.rpc, hashes)) {
      const one = window.findByHash(receipt.place.hash);
      if (one) found.set(one, receipt);
    }
    const gone = mined.filter((one) => found.get(one)?.place.blockHash !== one.receipt?.place.blockHash);
    await this.#keep(gone.map(({ record }) => takenBack(record)));
    for (const one of gone) window.unmine(one);
    await this.mined(window, [...found.values()]);
  }

  /**
   * Ends those that lie deep enough; each in its turn, so that what is final is so for good.
   *
   * @returns false when it is not clear of some whether they are still there
   */
  async confirm(window: InFlightWindow, head: BlockHeader): Promise<boolean> {
    const mined = window.all().filter(({ receipt }) => receipt);
    if (mined.length === 0) return true;
    const finalNumbers = await this.#finalNumbers(mined, head);
    const due = mined.filter(({ record, receipt }) => {
      const number = receipt?.place.blockNumber ?? Infinity;
      return number <= (finalNumbers.get(record.finality) ?? -1);
    });
    if (due.length === 0) return true;
    const canonical = await this.#canonicalHashes(due, head);
    const ready = due.filter(({ receipt }) => canonical.get(receipt!.place.blockNumber) === receipt!.place.blockHash);
    if (ready.length < due.length) await this.recheck(window);
    const changes: StatusChange[] = [];
    for (const one of ready) changes.push(await this.#end(one));
    await this.#keep(changes);
    for (const one of ready) window.remove(one);
    return ready.length === due.length;
  }

  /** With its place once more: the end must tell the truth, whatever was written over it meanwhile. */
  async #end({ record, receipt }: InFlight): Promise<StatusChange> {
    const end = { id: record.id, ...outcomeOf(receipt!) };
    const isFiller = isFilled({ place: receipt!.place, attempts: record.attempts });
    if (isFiller && record.wish === 'cancel') {
      return { ...end, status: 'cancelled', failure: { code: 'evm.cancelled', detail: 'It was cancelled' } };
    }
    if (isFiller) {
      const failure = record.failure ?? { code: 'evm.rpc', detail: 'The transaction was given up' };
      return { ...end, status: 'failed', failure };
    }
    if (receipt!.isSuccess) return { ...end, status: 'confirmed' };
    const reason = await this.options.explain(record, receipt!.place.blockNumber).catch(() => undefined);
    const failure: TransactionFailure = {
      code: 'evm.reverted',
      detail: `The transaction ${receipt!.place.hash} was mined and reverted${reason === undefined ? '' : `: ${reason.words}`}`,
      ...(reason?.error && { error: reason.error }),
    };
    return { ...end, status: 'failed', failure };
  }

  /** Newest block that is final, for each finality that is asked for. */
  async #finalNumbers(
    mined: readonly InFlight[],
    head: BlockHeader,
  ): Promise<ReadonlyMap<TransactionRecord['finality'], number>> {
    const numbers = new Map<TransactionRecord['finality'], number>();
    for (const finality of new Set(mined.map(({ record }) => record.finality))) {
      numbers.set(
        finality,
        typeof finality === 'number'
          ? head.number - finality
          : ((await findTagged(this.options.rpc, finality)) ?? head.number - finalizedFallback),
      );
    }
    return numbers;
  }

  /** A receipt is a node's memory of a block; whether the block is still there is asked just before it is believed. */
  async #canonicalHashes(due: readonly InFlight[], head: BlockHeader): Promise<ReadonlyMap<number, string>> {
    const numbers = [...new Set(due.map(({ receipt }) => receipt!.place.blockNumber))];
    const hashes = new Map(await this.#path.below(this.options.rpc, head, Math.min(...numbers)));
    const deep = numbers.filter((number) => number < head.number - longestPath);
    const blocks = await Promise.all(deep.map((number) => findBlock(this.options.rpc, number)));
    for (const block of blocks) if (block) hashes.set(block.number, block.hash);
    return hashes;
  }

  async #keep(changes: readonly StatusChange[]): Promise<void> {
    // A statement changes each row once, so what happens to one transaction in a row is written in a row.
    const rounds: StatusChange[][] = [];
    const seen = new Map<string, number>();
    for (const change of changes) {
      const round = seen.get(change.id) ?? 0;
      seen.set(change.id, round + 1);
      (rounds[round] ??= []).push(change);
    }
    for (const round of rounds) await this.options.store.setStatus(round);
  }
}

function minedChanges(record: TransactionRecord, receipt: Receipt): StatusChange[] {
  const isStored = record.status === 'mined';
  if (isStored && record.place?.blockHash === receipt.place.blockHash) return [];
  const mined: StatusChange = { id: record.id, status: 'mined', ...outcomeOf(receipt) };
  // Kept in the store as mined in another block: that block is gone.
  return isStored ? [takenBack(record), mined] : [mined];
}

function takenBack({ id, place }: TransactionRecord): StatusChange {
  return { id, status: 'broadcast', reason: 'reorganised', ...(place && { goneBlock: place.blockHash }) };
}

function outcomeOf({ place, contractAddress }: Receipt): Pick<StatusChange, 'place' | 'contractAddress'> {
  return { place, ...(contractAddress !== undefined && { contractAddress }) };
}
