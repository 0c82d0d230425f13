import type { Receipt } from './receipt.js';
import type { Fee } from './signer.js';
import type { TransactionAttempt, TransactionRecord } from './transaction-store.js';

/** A transaction of a signer that is not final, as the process that sends it holds it. */
export interface InFlight {
  record: TransactionRecord;
  /** Of the attempt that was mined. */
  receipt: Receipt | undefined;
  /** Its bytes are to be sent, for the first time or again. */
  isDue: boolean;
  /** When its newest bytes were last taken by a node, by this process's clock. */
  sentAt: number | undefined;
  sentBlock: number | undefined;
  /** Why a node refused its bytes last time; told once. */
  refusal: string | undefined;
  /** That no node had it any more is in its history; once is enough. */
  isForgettingTold: boolean;
}

/** The unfinished transactions of one signer, by nonce and by the hash of every attempt. */
export class InFlightWindow {
  readonly #byId = new Map<string, InFlight>();
  readonly #byHash = new Map<string, InFlight>();
  /** Hashes that no receipt is known of. */
  readonly unmined = new Set<string>();

  get size(): number {
    return this.#byId.size;
  }

  /** In the order in which they were taken, which is that of nonces. */
  all(): InFlight[] {
    return [...this.#byId.values()];
  }

  get(id: string): InFlight | undefined {
    return this.#byId.get(id);
  }

  findByHash(hash: string): InFlight | undefined {
    return this.#byHash.get(hash);
  }

  /** The oldest that is not mined. */
  lowestUnmined(): InFlight | undefined {
    let lowest: InFlight | undefined;
    for (const one of this.#byId.values()) {
      if (!one.receipt && (!lowest || one.record.nonce < lowest.record.nonce)) lowest = one;
    }
    return lowest;
  }

  /** One that is there already stays as it is. */
  add(record: TransactionRecord): InFlight {
    const known = this.#byId.get(record.id);
    if (known) return known;
    const last = record.attempts.at(-1);
    const one: InFlight = {
      record,
      receipt: undefined,
      isDue: record.status === 'signed',
      sentAt: last?.sentAt ? performance.now() : undefined,
      sentBlock: last?.sentBlock,
      refusal: undefined,
      isForgettingTold: false,
    };
    this.#byId.set(record.id, one);
    for (const { hash } of record.attempts) this.#note(hash, one);
    return one;
  }

  /** What is stored, where it differs from what is held. */
  replace(record: TransactionRecord): void {
    const known = this.#byId.get(record.id);
    if (!known) return;
    known.record = record;
    known.isDue = true;
    for (const { hash } of record.attempts) this.#note(hash, known);
  }

  attempted(one: InFlight, attempt: TransactionAttempt): void {
    const status = one.record.status === 'reserved' ? 'signed' : one.record.status;
    one.record = { ...one.record, status, attempts: [...one.record.attempts, attempt] };
    one.isDue = true;
    this.#note(attempt.hash, one);
  }

  mined(one: InFlight, receipt: Receipt): void {
    one.receipt = receipt;
    one.isDue = false;
    one.record = { ...one.record, status: 'mined', place: receipt.place };
    for (const { hash } of one.record.attempts) this.unmined.delete(hash);
  }

  /** Its block has left the chain. */
  unmine(one: InFlight): void {
    one.receipt = undefined;
    one.isDue = true;
    one.record = { ...one.record, status: 'broadcast', place: undefined };
    for (const { hash } of one.record.attempts) this.unmined.add(hash);
  }

  remove(one: InFlight): void {
    this.#byId.delete(one.record.id);
    for (const { hash } of one.record.attempts) {
      this.#byHash.delete(hash);
      this.unmined.delete(hash);
    }
  }

  #note(hash: string, one: InFlight): void {
    this.#byHash.set(hash, one);
    this.unmined.add(hash);
  }
}

/** The most that any attempt offered: a replacement must offer more. */
export function highestFee(record: TransactionRecord): Fee | undefined {
  let highest: Fee | undefined;
  for (const { maxFee, tip } of record.attempts) {
    const fee = { max: BigInt(maxFee), tip: tip === undefined ? undefined : BigInt(tip) };
    if (!highest || fee.max > highest.max) highest = fee;
  }
  return highest;
}
