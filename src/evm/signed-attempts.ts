import { PatchbayError } from '#sdk';
import { highestFee, type InFlight, type InFlightWindow } from './in-flight.js';
import type { Fee, SignedTransaction, Signer, UnsignedTransaction } from './signer.js';
import type { NewAttempt, TransactionAttempt, TransactionRecord, TransactionStore } from './transaction-store.js';

/** What is paid on a network. */
export interface FeePolicy {
  /** What a transaction needs to pay now. */
  current(): Promise<Fee>;
  /** Enough to replace `before` and for now; undefined when the network's cap forbids it. */
  raise(before: Fee, now: Fee): Fee | undefined;
}

export interface SignedAttemptsOptions {
  readonly rpc: { readonly chainId: number };
  readonly store: TransactionStore;
  readonly signer: Signer;
  readonly fees: FeePolicy;
}

const fillerGas = 21_000n;

/**
 * Makes attempts: fee, signature, and the row, in this order and before anybody else sees the bytes, because a signature
 * that is forgotten could not be found on the chain.
 */
export class SignedAttempts {
  constructor(private readonly options: SignedAttemptsOptions) {}

  /** One more attempt for each, with the same nonce and a fee above its last. False when a cap forbade one of them. */
  async sign(window: InFlightWindow, all: readonly InFlight[], kind: TransactionAttempt['kind']): Promise<boolean> {
    const now = await this.options.fees.current();
    const wanted: { one: InFlight; fee: Fee }[] = [];
    for (const one of all) {
      const fee = this.#feeOf(one.record, now);
      // Where nothing costs anything there is no higher fee, and the very same bytes are no new attempt.
      if (fee && !isSame(one.record.attempts.at(-1), kind, fee)) wanted.push({ one, fee });
    }
    if (wanted.length === 0) return all.length === 0;
    const unsigned = wanted.map(({ one, fee }) => this.#unsigned(one.record, kind, fee));
    const signed = await this.#signAll(unsigned);
    const attempts = wanted.map(({ one, fee }, index) => ({
      id: one.record.id,
      attempt: attemptOf(one.record, kind, fee, signed[index]!),
    }));
    const added = await this.options.store.addAttempts(attempts);
    for (const [index, { one }] of wanted.entries()) {
      const { id, attempt } = attempts[index]!;
      if (added.has(id)) window.attempted(one, { ...attempt, sentBlock: undefined, sentAt: undefined });
    }
    await this.#reload(
      window,
      attempts.filter(({ id }) => !added.has(id)).map(({ id }) => id),
    );
    return wanted.length === all.length;
  }

  /** These bytes can never be mined, but their nonce must be, or nothing after it would be. */
  async giveUp(window: InFlightWindow, one: InFlight, words: string): Promise<void> {
    if (one.record.attempts.at(-1)?.kind === 'filler') {
      throw new PatchbayError('evm.rpc', {
        detail: `The node refuses to use up nonce ${String(one.record.nonce)}: ${words}`,
      });
    }
    const failure = { code: 'evm.rpc', detail: `The node refuses the transaction: ${words}` } as const;
    await this.options.store.setStatus([{ id: one.record.id, status: one.record.status, failure }]);
    one.record = { ...one.record, failure };
    await this.sign(window, [one], 'filler');
  }

  /** Others on their way that no longer pay enough, since the price has risen by so much. */
  async belowPrice(window: InFlightWindow, except: InFlight): Promise<InFlight[]> {
    const now = await this.options.fees.current();
    return window.all().filter((one) => {
      const offered = highestFee(one.record);
      return one !== except && !one.receipt && offered !== undefined && offered.max * 2n < now.max;
    });
  }

  #feeOf(record: TransactionRecord, now: Fee): Fee | undefined {
    const { fee: wish } = record;
    const before = highestFee(record);
    const asked: Fee = {
      max: wish?.max === undefined ? now.max : BigInt(wish.max),
      tip: now.tip === undefined ? undefined : wish?.tip === undefined ? now.tip : BigInt(wish.tip),
    };
    const fee = before ? this.options.fees.raise(before, before.max > asked.max ? now : asked) : asked;
    if (!fee) return undefined;
    const cap = wish?.cap === undefined ? undefined : BigInt(wish.cap);
    if (cap === undefined || fee.max <= cap) return sane(fee);
    // The first offer may be as high as the cap; a raise that the cap cuts off would not be taken.
    return before ? undefined : sane({ max: cap, tip: fee.tip });
  }

  #unsigned(record: TransactionRecord, kind: TransactionAttempt['kind'], fee: Fee): UnsignedTransaction {
    const isFiller = kind === 'filler';
    return {
      chainId: this.options.rpc.chainId,
      nonce: record.nonce,
      to: isFiller ? record.from : record.to,
      data: isFiller ? '0x' : record.data,
      value: isFiller ? 0n : BigInt(record.value),
      gasLimit: isFiller ? fillerGas : BigInt(record.gasLimit),
      fee,
    };
  }

  async #signAll(unsigned: readonly UnsignedTransaction[]): Promise<readonly SignedTransaction[]> {
    const { signer } = this.options;
    if (signer.signTransactions && unsigned.length > 1) return await signer.signTransactions(unsigned);
    const signed: SignedTransaction[] = [];
    for (const one of unsigned) signed.push(await signer.signTransaction(one));
    return signed;
  }

  /** Somebody else has made an attempt of the same number: what is stored counts. */
  async #reload(window: InFlightWindow, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    for (const record of await this.options.store.find(ids)) window.replace(record);
  }
}

function attemptOf(
  record: TransactionRecord,
  kind: TransactionAttempt['kind'],
  fee: Fee,
  { raw, hash }: SignedTransaction,
): NewAttempt {
  return {
    number: record.attempts.length + 1,
    kind,
    hash,
    raw,
    maxFee: fee.max.toString(),
    tip: fee.tip?.toString(),
  };
}

function isSame(last: TransactionAttempt | undefined, kind: TransactionAttempt['kind'], fee: Fee): boolean {
  return last?.kind === kind && last.maxFee === fee.max.toString() && last.tip === fee.tip?.toString();
}

/** Nodes refuse a tip above the whole price. */
function sane(fee: Fee): Fee {
  return fee.tip !== undefined && fee.tip > fee.max ? { max: fee.max, tip: fee.max } : fee;
}
