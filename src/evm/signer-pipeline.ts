import { setTimeout as delay } from 'node:timers/promises';
import { PatchbayError, type Logger } from '#sdk';
import { findBlock, type BlockHeader } from './block.js';
import { broadcast, type BroadcastAnswer } from './broadcast.js';
import { InFlightWindow, type InFlight } from './in-flight.js';
import type { MinedBlocks, MinedHead } from './mined-blocks.js';
import { NonceCare } from './nonce-care.js';
import type { Outcomes } from './outcomes.js';
import { findMined } from './receipt.js';
import type { RpcClient } from './rpc-client.js';
import { RpcError } from './rpc-error.js';
import { SendingPace } from './sending-pace.js';
import { SignedAttempts, type FeePolicy } from './signed-attempts.js';
import type { Signer } from './signer.js';
import type { TransactionStore } from './transaction-store.js';

export interface SignerPipelineOptions {
  readonly rpc: RpcClient;
  readonly store: TransactionStore;
  readonly signer: Signer;
  readonly blocks: MinedBlocks;
  readonly fees: FeePolicy;
  readonly outcomes: Outcomes;
  readonly log: Logger;
  /** Transactions that may be on their way at once. */
  readonly window: number;
  /** Transactions broadcast per second at most; undefined: as many as the node takes. */
  readonly perSecond: number | undefined;
  /** Blocks that a transaction may wait before its fee is raised. */
  readonly raiseAfterBlocks: number;
  /** Time after which the same bytes are sent again, because a node may say yes and forget. */
  readonly resendAfterMs: number;
  /** Some of its transactions have another status. */
  readonly onChange: () => void;
  readonly signal: AbortSignal;
}

/** What is signed and sent in one go: large enough to share a round trip, small enough that receipts do not wait for it. */
const chunkSize = 64;
const pullSize = 512;
/** A round has a cost of its own: what comes in meanwhile shares the next one. */
const roundMs = 20;
const quietMs = 5_000;
const busyMs = 1_000;
const fundsPauseMs = 5_000;
const shortestPauseMs = 200;
const longestPauseMs = 15_000;

/**
 * Sends everything of one signer on one network, alone among all processes: takes what was reserved in the order of nonces,
 * stores its bytes, broadcasts them, and follows each until it is final. Wherever it is interrupted, the next one goes on
 * from what is stored. One that cannot go on holds up none of another signer.
 */
export class SignerPipeline {
  readonly #options: SignerPipelineOptions;
  readonly #window = new InFlightWindow();
  readonly #attempts: SignedAttempts;
  readonly #nonces: NonceCare;
  readonly #pace: SendingPace;
  readonly #heads: MinedHead[] = [];
  /** Replaced as was wished for, with which fee, as far as the store does not know it yet. */
  readonly #replaced = new Map<string, string>();
  #lastNonce = -1;
  #mayHaveMore = true;
  #mayHaveWishes = true;
  #isWoken = false;
  /** When some that should be final were not found where they were; it may be that no new head comes to settle that. */
  #unclearAt: number | undefined;
  #pausedUntil = 0;
  #failures = 0;
  #hold: string | undefined;
  #wakeUp: () => void = () => undefined;

  constructor(options: SignerPipelineOptions) {
    this.#options = options;
    this.#attempts = new SignedAttempts(options);
    this.#nonces = new NonceCare(options);
    this.#pace = new SendingPace(options.perSecond);
  }

  /** Why it does not go on; undefined when it does. */
  get hold(): string | undefined {
    return this.#hold;
  }

  get size(): number {
    return this.#window.size;
  }

  /** Something was accepted or is wished for. */
  wake(): void {
    this.#mayHaveMore = true;
    this.#mayHaveWishes = true;
    this.#stir();
  }

  /** Resolves when the signal is aborted. */
  async run(): Promise<void> {
    const { blocks, signal } = this.#options;
    const leave = blocks.join({
      wanted: () => this.#window.unmined,
      isWaiting: () => this.#window.size > 0,
      onHead: (found) => {
        this.#heads.push(found);
        this.#stir();
      },
    });
    const stir = (): void => this.#stir();
    signal.addEventListener('abort', stir);
    try {
      while (!signal.aborted) {
        const begunAt = performance.now();
        this.#isWoken = false;
        await this.#go();
        await this.#rest();
        const early = roundMs - (performance.now() - begunAt);
        if (early > 0) await delay(early, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      leave();
      signal.removeEventListener('abort', stir);
    }
  }

  async #go(): Promise<void> {
    try {
      for (let [found] = this.#heads; found; [found] = this.#heads) {
        await this.#settle(found);
        this.#heads.shift();
      }
      if (this.#unclearAt !== undefined && performance.now() - this.#unclearAt >= busyMs) await this.#confirmNow();
      if (performance.now() < this.#pausedUntil) return;
      await this.#pull();
      if (this.#mayHaveWishes) await this.#grantWishes();
      await this.#unstick();
      await this.#send();
      this.#failures = 0;
    } catch (error) {
      // What was asked for and not answered is asked for again.
      this.#mayHaveMore = this.#mayHaveWishes = true;
      const failure = PatchbayError.from(error);
      const pauseMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(this.#failures++, 10));
      this.#pause(failure.retryAfterMs ?? pauseMs, failure.message);
    }
  }

  /** Takes what was reserved since; at the first time also what an earlier process left unfinished. */
  async #pull(): Promise<void> {
    const { store, rpc, signer, blocks, window } = this.#options;
    while (this.#mayHaveMore && this.#window.size < window && !this.#options.signal.aborted) {
      const isFirst = this.#lastNonce < 0;
      if (isFirst) await this.#nonces.reconcile(this.#window);
      const limit = Math.min(pullSize, window - this.#window.size);
      this.#mayHaveMore = false;
      const records = await store.listUnfinished(rpc.chainId, signer.address, this.#lastNonce, limit);
      for (const record of records) this.#window.add(record);
      this.#lastNonce = records.at(-1)?.nonce ?? this.#lastNonce;
      // Something may have been accepted while these were read.
      if (records.length === limit) this.#mayHaveMore = true;
      // Before anything can fail: what is not settled here is settled with the next head.
      if (records.length > 0) blocks.wake();
      // What was on its way before may have been mined in a block that is not read again.
      const hashes = records.flatMap(({ attempts }) => attempts.map(({ hash }) => hash));
      if (hashes.length > 0) await this.#options.outcomes.mined(this.#window, await findMined(rpc, hashes));
      if (hashes.length > 0) await this.#confirmNow();
    }
  }

  /** What was found mined by its hash may be final already, and no new block has to come. */
  async #confirmNow(): Promise<void> {
    const head = await findBlock(this.#options.rpc, 'latest');
    if (head) await this.#confirm(head);
  }

  async #confirm(head: BlockHeader): Promise<void> {
    const isClear = await this.#options.outcomes.confirm(this.#window, head);
    this.#unclearAt = isClear ? undefined : performance.now();
  }

  async #grantWishes(): Promise<void> {
    const { store, rpc, signer } = this.#options;
    this.#mayHaveWishes = false;
    const wished = await store.listWished(rpc.chainId, signer.address);
    for (const id of this.#replaced.keys()) if (!wished.some((record) => record.id === id)) this.#replaced.delete(id);
    for (const record of wished) {
      const one = this.#window.get(record.id);
      if (!one || one.receipt) continue;
      one.record = { ...one.record, wish: record.wish, fee: record.fee };
      const isFilled = one.record.attempts.some(({ kind }) => kind === 'filler');
      if (record.wish === 'cancel' && !isFilled) await this.#attempts.sign(this.#window, [one], 'filler');
      if (record.wish !== 'replace') continue;
      const wish = JSON.stringify(record.fee ?? {});
      if (this.#replaced.get(record.id) !== wish) {
        await this.#attempts.sign(this.#window, [one], one.record.attempts.at(-1)?.kind ?? 'payload');
        this.#replaced.set(record.id, wish);
      }
      await store.grant(record.id, record.fee);
      this.#replaced.delete(record.id);
    }
  }

  /** Signs a chunk while the one before it is on its way. */
  async #send(): Promise<void> {
    const size = Math.min(chunkSize, this.#pace.atOnce);
    let sending: Promise<void> = Promise.resolve();
    const fresh = this.#window.all().filter(({ record }) => record.status === 'reserved');
    for (let start = 0; start < fresh.length && !this.#options.signal.aborted; start += size) {
      const chunk = fresh.slice(start, start + size);
      try {
        await this.#attempts.sign(this.#window, chunk, 'payload');
      } finally {
        await sending;
      }
      sending = this.#broadcast(chunk);
      // Somebody waits for it below; meanwhile its failure must not count as forgotten.
      sending.catch(() => undefined);
    }
    await sending;
    const due = this.#window.all().filter((one) => this.#isDue(one));
    for (let start = 0; start < due.length && !this.#options.signal.aborted; start += size) {
      await this.#broadcast(due.slice(start, start + size));
    }
  }

  #isDue(one: InFlight): boolean {
    if (one.receipt || one.record.attempts.length === 0) return false;
    return one.isDue || one.sentAt === undefined || performance.now() - one.sentAt >= this.#options.resendAfterMs;
  }

  async #broadcast(all: readonly InFlight[]): Promise<void> {
    const ready = all.filter(({ receipt, record }) => !receipt && record.attempts.length > 0);
    if (ready.length === 0) return;
    await this.#pace.take(ready.length, this.#options.signal);
    const sent = ready.map((one) => ({ one, attempt: one.record.attempts.at(-1)! }));
    const answers = await broadcast(
      this.#options.rpc,
      sent.map(({ attempt }) => attempt.raw),
    );
    const taken: typeof sent = [];
    const tooLow: InFlight[] = [];
    const refused: { one: InFlight; answer: BroadcastAnswer }[] = [];
    for (const [index, item] of sent.entries()) {
      const answer = answers[index]!;
      // With a nonce that is too high an earlier one is missing; that one is sent as well.
      if (answer.submission === 'accepted' || answer.submission === 'nonceTooHigh') taken.push(item);
      else if (answer.submission === 'nonceTooLow') tooLow.push(item.one);
      else refused.push({ one: item.one, answer });
    }
    await this.#taken(taken.map(({ one, attempt }) => ({ one, number: attempt.number })));
    if (tooLow.length > 0) {
      await this.#nonces.tooLow(this.#window, tooLow);
      await this.#confirmNow();
    }
    for (const { one, answer } of refused) await this.#refused(one, answer);
    this.#options.onChange();
  }

  async #taken(taken: readonly { one: InFlight; number: number }[]): Promise<void> {
    if (taken.length === 0) return;
    const { store, blocks } = this.#options;
    const head = await this.#nonces.head();
    await store.markSent(
      taken.map(({ one, number }) => ({ id: one.record.id, attempt: number })),
      head,
    );
    for (const { one, number } of taken) {
      if (one.record.attempts.at(-1)?.number === number) one.isDue = false;
      one.sentAt = performance.now();
      one.sentBlock ??= head;
      one.refusal = undefined;
      if (one.record.status === 'signed') one.record = { ...one.record, status: 'broadcast' };
    }
    this.#hold = undefined;
    blocks.wake();
  }

  async #refused(one: InFlight, { submission, error }: BroadcastAnswer): Promise<void> {
    const { log } = this.#options;
    const words = error?.message ?? submission;
    if (one.refusal !== words) log.info('A node refused a transaction', { transaction: one.record.id, reason: words });
    one.refusal = words;
    one.isDue = true;
    switch (submission) {
      case 'underpriced':
        await this.#raise([one]);
        return;
      case 'impossible':
        await this.#attempts.giveUp(this.#window, one, words);
        return;
      case 'insufficientFunds':
        this.#pause(fundsPauseMs, `${one.record.from} cannot pay: ${words}`);
        return;
      default: {
        const isSilent = !(error instanceof RpcError) || error.kind !== 'rejected';
        this.#pause(shortestPauseMs * 2 ** Math.min(this.#failures++, 6), isSilent ? 'the node did not answer' : words);
      }
    }
  }

  async #settle(found: MinedHead): Promise<void> {
    const { outcomes } = this.#options;
    this.#nonces.note(found.head);
    await outcomes.mined(this.#window, found.receipts);
    if (found.isReorganised) await outcomes.recheck(this.#window);
    await this.#confirm(found.head);
    this.#options.onChange();
    // The window has room again.
    if (this.#window.size < this.#options.window) this.#mayHaveMore = true;
  }

  /** Of those that wait for a block too long, only the oldest can be the cause. */
  async #unstick(): Promise<void> {
    const head = this.#nonces.lastHead;
    const lowest = this.#window.lowestUnmined();
    if (lowest?.sentBlock === undefined || lowest.sentAt === undefined) return;
    const isPassedOver = head - lowest.sentBlock >= this.#options.raiseAfterBlocks;
    // Where blocks come only with transactions, a missing nonce lets none come.
    if (!isPassedOver && performance.now() - lowest.sentAt < this.#options.resendAfterMs) return;
    const cause = await this.#nonces.whyStuck(this.#window, lowest);
    if (isPassedOver) lowest.sentBlock = head;
    if (isPassedOver && cause === 'underpriced') {
      await this.#raise([lowest, ...(await this.#attempts.belowPrice(this.#window, lowest))]);
    }
    if (cause !== 'forgotten') return;
    for (const one of this.#window.all()) one.isDue ||= !one.receipt;
    await this.#tellForgetting(lowest);
  }

  /** Nodes may forget it again and again, which must not make its history longer each time. */
  async #tellForgetting(one: InFlight): Promise<void> {
    if (one.isForgettingTold || one.record.status !== 'broadcast') return;
    await this.#options.store.setStatus([{ id: one.record.id, status: 'broadcast', reason: 'forgotten' }]);
    one.isForgettingTold = true;
    this.#options.onChange();
  }

  async #raise(all: readonly InFlight[]): Promise<void> {
    for (const one of all) {
      const isFiller = one.record.attempts.at(-1)?.kind === 'filler';
      const isRaised = await this.#attempts.sign(this.#window, [one], isFiller ? 'filler' : 'payload');
      if (!isRaised) this.#pause(fundsPauseMs, `the fee of nonce ${String(one.record.nonce)} has reached its cap`);
    }
  }

  #pause(ms: number, reason: string): void {
    this.#pausedUntil = performance.now() + ms;
    if (this.#hold !== reason) {
      this.#options.log.warn('A signer cannot go on for now', { signer: this.#options.signer.name, reason });
    }
    this.#hold = reason;
  }

  #stir(): void {
    this.#isWoken = true;
    this.#wakeUp();
  }

  async #rest(): Promise<void> {
    if (this.#isWoken || this.#options.signal.aborted) return;
    const pausedMs = this.#pausedUntil - performance.now();
    const usualMs = this.#window.size > 0 ? busyMs : quietMs;
    const ms = pausedMs > 0 ? Math.min(pausedMs, usualMs) : usualMs;
    const isTimeUp = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
    this.#wakeUp = () => undefined;
    // Words between processes may get lost; rows do not.
    if (isTimeUp && ms === usualMs) this.#mayHaveMore = this.#mayHaveWishes = true;
  }
}
