import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { PatchbayError, type Secret } from '#sdk';
import type { SignedTransaction } from '../signer.js';
import type { TransactionFields } from './transaction-fields.js';

/** What a key is made of. */
export type KeyMaterial =
  | { readonly kind: 'key'; readonly privateKey: Secret }
  | { readonly kind: 'keystore'; readonly json: string; readonly password: Secret }
  | {
      readonly kind: 'wallet';
      readonly mnemonic: Secret;
      readonly passphrase: Secret | undefined;
      readonly path: string;
    };

/** Reads the material anew each time, so that nobody has to keep it. */
export type KeyLoader = () => Promise<KeyMaterial>;

/** Why the thread does not do what it is asked; a word and never a text, because a text could quote a key. */
export type Refusal =
  | 'invalidKey'
  | 'notKeystore'
  | 'wrongPassword'
  | 'unreadableKeystore'
  | 'invalidMnemonic'
  | 'invalidTransaction'
  | 'otherAddress'
  | 'unexpected';

export class ThreadRefusal extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal);
  }
}

export interface HeldKey {
  readonly slot: string;
  readonly load: KeyLoader;
  /** Of the account, when the slot holds a wallet. */
  readonly index: number | undefined;
  /** Nothing is signed when the key has another one. */
  readonly address: string;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly refusal: Refusal });

/**
 * The one place in a process where private keys are: a thread of their own, so that signing holds up nothing else and no
 * stack or log of the hub can meet a key. It is started by the first use, and again after it died; keys are then read anew.
 */
export class SigningThread {
  readonly #start: () => Worker;
  #worker: Worker | undefined;
  #isClosed = false;
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();
  /** Slot to its address; what the present thread holds. */
  readonly #open = new Map<string, Promise<string | undefined>>();

  constructor(start = startWorker) {
    this.#start = start;
  }

  /**
   * Hands the key over unless the thread has it already.
   *
   * @returns its address; undefined for a wallet
   * @throws ThreadRefusal when the material is no key; the next call tries again
   */
  open(slot: string, load: KeyLoader): Promise<string | undefined> {
    const known = this.#open.get(slot);
    if (known !== undefined) return known;
    const opening = load()
      .then((material) => this.#ask<string | undefined>({ task: 'open', slot, material: revealed(material) }))
      .catch((error: unknown) => {
        if (this.#open.get(slot) === opening) this.#open.delete(slot);
        throw error;
      });
    this.#open.set(slot, opening);
    return opening;
  }

  async addresses(slot: string, load: KeyLoader, from: number, count: number): Promise<string[]> {
    await this.open(slot, load);
    return this.#ask({ task: 'addresses', slot, from, count });
  }

  /** One message for all of them. */
  async sign(key: HeldKey, transactions: readonly TransactionFields[]): Promise<SignedTransaction[]> {
    const { slot, load, index, address } = key;
    await this.open(slot, load);
    return this.#ask({ task: 'sign', slot, index, address, transactions });
  }

  /** Forgets all keys; what is being signed is not signed any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#lose(worker, new PatchbayError('hub.stopping', { detail: 'The signers are closed' }));
    await worker?.terminate();
  }

  async #ask<Result>(request: Readonly<Record<string, unknown>>): Promise<Result> {
    if (this.#isClosed) throw new PatchbayError('hub.stopping', { detail: 'The signers are closed' });
    const worker = (this.#worker ??= this.#begin());
    const id = (this.#lastId += 1);
    return new Promise<Result>((resolve, reject) => {
      // The thread answers each task with the result of that task.
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      worker.ref();
      worker.postMessage({ id, ...request });
    });
  }

  #begin(): Worker {
    const worker = this.#start();
    worker.unref();
    worker.on('message', (answer: Answer) => this.#settle(worker, answer));
    const onDeath = (): void =>
      this.#lose(
        worker,
        new PatchbayError('evm.signerUnavailable', { detail: 'The thread that signs has ended; it is started again' }),
      );
    worker.on('error', onDeath);
    worker.on('exit', onDeath);
    return worker;
  }

  #settle(worker: Worker, answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    // Only unfinished work keeps the process alive.
    if (this.#waiting.size === 0) worker.unref();
    if ('refusal' in answer) waiting?.reject(new ThreadRefusal(answer.refusal));
    else waiting?.resolve(answer.result);
  }

  #lose(worker: Worker | undefined, reason: Error): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#open.clear();
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}

/** Plain JavaScript, and beside this file both in the sources and in what is built. It gets none of the environment. */
function startWorker(): Worker {
  return new Worker(fileURLToPath(new URL('./signing.worker.mjs', import.meta.url)), {
    name: 'signing',
    env: {},
    execArgv: [],
  });
}

function revealed(material: KeyMaterial): Readonly<Record<string, unknown>> {
  switch (material.kind) {
    case 'key':
      return { kind: 'key', privateKey: normalKey(material.privateKey.reveal()) };
    case 'keystore':
      return { kind: 'keystore', json: material.json, password: material.password.reveal() };
    case 'wallet':
      return {
        kind: 'wallet',
        mnemonic: material.mnemonic.reveal().trim().split(/\s+/).join(' '),
        passphrase: material.passphrase?.reveal() ?? '',
        path: material.path,
      };
  }
}

/** With or without 0x, as people write it. */
function normalKey(text: string): string {
  return `0x${text.trim().replace(/^0x/, '')}`;
}
