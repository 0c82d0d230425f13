import { setTimeout as delay } from 'node:timers/promises';
import { PatchbayError } from '#sdk';
import { SignerPipeline, type SignerPipelineOptions } from './signer-pipeline.js';
import type { SignerSource } from './signer.js';
import type { SenderLeases, TransactionSignals } from './transaction-store.js';

export interface SignerPipelinesOptions extends Omit<SignerPipelineOptions, 'signer' | 'signal'> {
  readonly signers: SignerSource;
  readonly signals: TransactionSignals;
  readonly leases: SenderLeases;
}

export interface PipelineStatus {
  readonly signer: string;
  readonly address: string;
  /** Transactions on their way. */
  readonly inFlight: number;
  /** Why it does not go on. */
  readonly hold: string | undefined;
}

interface Running {
  readonly name: string;
  readonly pipeline: SignerPipeline;
  readonly stop: AbortController;
  readonly finished: Promise<void>;
}

const arrangeMs = 5_000;
/** Between two looks for signers that have something to send: in a burst each word would otherwise be a look. */
const breathMs = 50;

/** One pipeline per signer that has something to send, for as long as this process has the right to. */
export class SignerPipelines {
  readonly #options: SignerPipelinesOptions;
  readonly #running = new Map<string, Running>();
  readonly #complaints = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;
  #isArranging = false;
  #isAgain = false;
  readonly #closing = new AbortController();
  #arranging: Promise<void> = Promise.resolve();

  constructor(options: SignerPipelinesOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#timer !== undefined || this.#closing.signal.aborted) return;
    const { signals, rpc } = this.#options;
    this.#stopListening = signals.on(rpc.chainId, 'accepted', () => this.#stir());
    this.#timer = setInterval(() => this.#stir(), arrangeMs).unref();
    this.#stir();
  }

  status(): PipelineStatus[] {
    return [...this.#running].map(([address, { name, pipeline }]) => ({
      signer: name,
      address,
      inFlight: pipeline.size,
      hold: pipeline.hold,
    }));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#timer);
    this.#stopListening?.();
    await this.#arranging;
    for (const { stop } of this.#running.values()) stop.abort();
    await Promise.all([...this.#running.values()].map(({ finished }) => finished));
  }

  #stir(): void {
    for (const { pipeline } of this.#running.values()) pipeline.wake();
    this.#isAgain = true;
    if (this.#isArranging || this.#closing.signal.aborted) return;
    this.#isArranging = true;
    this.#arranging = this.#arrange().finally(() => {
      this.#isArranging = false;
    });
  }

  async #arrange(): Promise<void> {
    const { store, rpc, log } = this.#options;
    while (this.#isAgain && !this.#closing.signal.aborted) {
      this.#isAgain = false;
      try {
        for (const { from, signer } of await store.unfinishedSigners(rpc.chainId)) {
          if (!this.#running.has(from) && !this.#closing.signal.aborted) await this.#begin(from, signer);
        }
      } catch (error) {
        log.info('The signers could not be looked at for now', { reason: PatchbayError.from(error).message });
        return;
      }
      await delay(breathMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  async #begin(from: string, name: string): Promise<void> {
    const { signers, leases, rpc, log } = this.#options;
    const signer = await signers.get(name).catch((error: unknown) => {
      this.#complain(from, PatchbayError.from(error).message);
      return undefined;
    });
    if (!signer) return;
    if (signer.address !== from) {
      this.#complain(from, `${name} has another address now; give it its former key until its transactions are final`);
      return;
    }
    const lease = await leases.acquire(`signer ${String(rpc.chainId)} ${from}`);
    if (!lease) return;
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, lease.signal]);
    const pipeline = new SignerPipeline({ ...this.#options, signer, signal });
    const finished = pipeline
      .run()
      .catch((error: unknown) => log.error('A signer stopped sending', { signer: name, reason: String(error) }))
      .then(() => lease.release())
      .catch((error: unknown) => log.info('A right to send was not given back', { reason: String(error) }))
      .finally(() => this.#running.delete(from));
    this.#complaints.delete(from);
    this.#running.set(from, { name, pipeline, stop, finished });
  }

  #complain(from: string, reason: string): void {
    if (this.#complaints.get(from) === reason) return;
    this.#complaints.set(from, reason);
    this.#options.log.error('Transactions wait for a signer that cannot sign', { from, reason });
  }
}
