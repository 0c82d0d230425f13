import { PatchbayError, type ErrorCode } from '#sdk';
import type { SignedTransaction, Signer, UnsignedTransaction } from '../signer.js';
import { ThreadRefusal, type HeldKey, type KeyLoader, type Refusal, type SigningThread } from './signing-thread.js';
import { transactionFields } from './transaction-fields.js';

/** One key of many that come from one phrase. */
export interface WalletAccount {
  readonly index: number;
  /** `hd-<wallet>-<index>`; usable wherever the name of a signer is. */
  readonly name: string;
  /** Lower case. */
  readonly address: string;
}

const keptAddresses = 10_000;

/** Highest index of a key that is derived without hardening (BIP-32). */
export const highestAccount = 2 ** 31 - 1;

/**
 * A signer whose key is in the signing thread.
 *
 * @param source how people know where the key came from, for errors
 * @throws config.invalid when it is no key or the password is wrong; the error repeats neither
 */
export async function openThreadSigner(
  thread: SigningThread,
  key: { readonly name: string; readonly source: string; readonly load: KeyLoader },
): Promise<Signer> {
  const slot = `signer ${key.name}`;
  const address = await explained(key.source, thread.open(slot, key.load));
  if (address === undefined) throw new PatchbayError('internal', { detail: `${key.source} has no address` });
  return new ThreadSigner(thread, { ...key, slot, index: undefined, address });
}

/** A phrase from which signers are derived (BIP-39, BIP-32); it stays in the signing thread. */
export class HdWallet {
  readonly #thread: SigningThread;
  readonly #load: KeyLoader;
  readonly #addresses = new Map<number, string>();
  readonly #signers = new Map<number, Signer>();

  constructor(
    readonly name: string,
    thread: SigningThread,
    load: KeyLoader,
  ) {
    this.#thread = thread;
    this.#load = load;
  }

  /** @throws config.invalid when the phrase is none */
  async accounts(from: number, count: number): Promise<WalletAccount[]> {
    const wanted = Array.from({ length: Math.min(count, highestAccount - from + 1) }, (_, place) => from + place);
    if (wanted.some((index) => !this.#addresses.has(index))) {
      const addresses = await explained(
        `the wallet ${this.name}`,
        this.#thread.addresses(this.#slot, this.#load, from, wanted.length),
      );
      if (this.#addresses.size > keptAddresses) this.#addresses.clear();
      addresses.forEach((address, place) => this.#addresses.set(from + place, address));
    }
    return wanted.map((index) => ({
      index,
      name: `hd-${this.name}-${index}`,
      // Each was derived just now, or earlier and kept.
      address: this.#addresses.get(index) as string,
    }));
  }

  async signer(index: number): Promise<Signer> {
    const known = this.#signers.get(index);
    if (known !== undefined) return known;
    const [account] = await this.accounts(index, 1);
    if (account === undefined) throw new RangeError(`A wallet has no account ${index}`);
    const { name, address } = account;
    const key = { slot: this.#slot, load: this.#load, source: `the wallet ${this.name}`, index, name, address };
    const signer = new ThreadSigner(this.#thread, key);
    if (this.#signers.size >= keptAddresses) this.#signers.clear();
    this.#signers.set(index, signer);
    return signer;
  }

  /** Of the accounts that were derived so far. */
  indexOf(address: string): number | undefined {
    for (const [index, known] of this.#addresses) if (known === address) return index;
    return undefined;
  }

  get #slot(): string {
    return `wallet ${this.name}`;
  }
}

interface ThreadKey extends HeldKey {
  readonly name: string;
  readonly source: string;
}

class ThreadSigner implements Signer {
  readonly name: string;
  readonly address: string;
  readonly #thread: SigningThread;
  readonly #key: ThreadKey;

  constructor(thread: SigningThread, key: ThreadKey) {
    this.name = key.name;
    this.address = key.address;
    this.#thread = thread;
    this.#key = key;
  }

  async signTransaction(transaction: UnsignedTransaction): Promise<SignedTransaction> {
    const [signed] = await this.signTransactions([transaction]);
    if (signed === undefined) throw new PatchbayError('internal', { detail: 'The transaction was not signed' });
    return signed;
  }

  signTransactions(batch: readonly UnsignedTransaction[]): Promise<SignedTransaction[]> {
    return explained(this.#key.source, this.#thread.sign(this.#key, batch.map(transactionFields)));
  }
}

interface Explanation {
  /** Default config.invalid. */
  readonly code?: ErrorCode;
  readonly detail: string;
  readonly fix?: string;
}

const explanations: Readonly<Record<Refusal, Explanation>> = {
  invalidKey: { detail: 'is not valid', fix: 'It has 64 hexadecimal digits.' },
  notKeystore: { detail: 'is no keystore file', fix: 'It is a JSON file of version 3.' },
  wrongPassword: { detail: 'does not open with its password', fix: 'Correct the password; nothing was changed.' },
  unreadableKeystore: {
    detail: 'cannot be read: it is damaged, or its key derivation is unknown or asks for too much memory',
    fix: 'Use a keystore of version 3 with scrypt (n of at most 1048576) or pbkdf2.',
  },
  invalidMnemonic: {
    detail: 'has no valid phrase',
    fix: 'It has 12, 15, 18, 21 or 24 words of the English list of BIP-39.',
  },
  otherAddress: {
    detail: 'has another address now',
    fix: 'Give it its former key until its transactions are final, and start the hub again.',
  },
  invalidTransaction: {
    code: 'evm.arguments',
    detail: 'was asked to sign what is no transaction',
    fix: 'Check address, data and amounts.',
  },
  unexpected: { code: 'evm.signerUnavailable', detail: 'could not be used' },
};

async function explained<T>(source: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (!(error instanceof ThreadRefusal)) throw error;
    const { code = 'config.invalid', detail, fix } = explanations[error.refusal];
    throw new PatchbayError(code, { detail: `${capital(source)} ${detail}`, ...(fix !== undefined && { fix }) });
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
