import { PatchbayError, defineService, type CheckContext, type Fault, type UseService } from '#sdk';

/** What is signed: the parts themselves rather than a hash, so that a signer can check them by its own rules. */
export interface UnsignedTransaction {
  readonly chainId: number;
  readonly nonce: number;
  /** Undefined: it deploys `data`. */
  readonly to: string | undefined;
  readonly data: string;
  readonly value: bigint;
  readonly gasLimit: bigint;
  readonly fee: Fee;
}

/** `tip` undefined: a chain without base fees, where `max` is the gas price. */
export interface Fee {
  readonly max: bigint;
  readonly tip: bigint | undefined;
}

export interface SignedTransaction {
  readonly raw: string;
  readonly hash: string;
}

/**
 * Whatever holds a key: the signing thread of this process, another process that is asked over HTTP, a key management
 * service. The key never leaves it, and what it gives back is signed by its address and says exactly what was asked for.
 *
 * A key management service signs digests only: {@link createDigestSigner} makes a signer of it, from its address (its
 * public key is asked for once) and one function that has a digest signed.
 */
export interface Signer {
  /** The same whichever way it was looked up. */
  readonly name: string;
  /** Lower case. */
  readonly address: string;
  /**
   * May be called again for the same transaction; the bytes may differ then, since not every signer is deterministic.
   *
   * @throws evm.signerUnavailable
   */
  signTransaction(transaction: UnsignedTransaction): Promise<SignedTransaction>;
  /** All or none, in the order given. Present where it costs less than one by one. */
  signTransactions?(batch: readonly UnsignedTransaction[]): Promise<SignedTransaction[]>;
  /** Whether it could sign now, where that is not known without asking. @throws evm.signerUnavailable */
  check?(): Promise<void>;
}

export interface SignerSource {
  /**
   * @param name of a signer, `hd-<wallet>-<index>`, or the address of one of them in any letter case
   * @throws evm.unknownSigner, and config.invalid when its key cannot be opened
   */
  get(name: string): Promise<Signer>;
}

export const signerSource = defineService<SignerSource>('evm.signerSource');

export interface SignerNames {
  /**
   * Whether there is a signer of that name, told without opening it. For an address signers are opened, because only
   * its key tells whose it is; while one of them cannot be, or is slow, an address that no other has is taken to be known.
   *
   * @throws evm.unknownSigner
   */
  assertKnown(name: string): Promise<void>;
}

export const signerNames = defineService<SignerNames>('evm.signerNames');

/** The `check` of an action whose input `from` names a signer. */
export function checkSigner({ input, use }: CheckContext): Promise<Fault[]> {
  return faultsOfSigner(use, input['from'], '/from');
}

/** What is wrong with the name of a signer in a document; what is not written yet, or not as text, is not looked at. */
export async function faultsOfSigner(use: UseService, name: unknown, pointer: string): Promise<Fault[]> {
  if (typeof name !== 'string' || name === '') return [];
  try {
    await use(signerNames).assertKnown(name);
    return [];
  } catch (thrown) {
    const { code, detail, fix } = PatchbayError.from(thrown);
    if (code !== 'evm.unknownSigner') throw thrown;
    return [{ pointer, detail: detail.replace(/\.$/, ''), ...(fix !== undefined && { fix }) }];
  }
}
