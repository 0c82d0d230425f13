import { PatchbayError, defineService, type Secret } from '#sdk';

/** What is signed: the parts themselves rather than a hash, so that a signer can check them by its own rules. */
export interface UnsignedTransaction {
  readonly chainId: number;
  readonly nonce: number;
  readonly to: string;
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

/** Whatever holds a key: a key in memory, a keystore, a key management service. */
export interface Signer {
  readonly name: string;
  /** Lower case. */
  readonly address: string;
  signTransaction(transaction: UnsignedTransaction): Promise<SignedTransaction>;
}

export interface SignerSource {
  /** @throws evm.unknownSigner */
  get(name: string): Promise<Signer>;
}

export const signerSource = defineService<SignerSource>('evm.signerSource');

/**
 * A signer whose key is in memory.
 *
 * @throws config.invalid when it is no private key; the error does not repeat it
 */
export async function createKeySigner(name: string, privateKey: Secret): Promise<Signer> {
  // Only what signs is loaded, and only by a hub that signs.
  const { SigningKey } = await import('ethers/crypto');
  const { Transaction, computeAddress } = await import('ethers/transaction');
  const digits = privateKey.reveal().trim().replace(/^0x/, '');
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) {
    throw new PatchbayError('config.invalid', {
      detail: `The private key of the signer ${name} is not valid`,
      fix: 'It has 64 hexadecimal digits.',
    });
  }
  const key = new SigningKey(`0x${digits}`);
  const address = computeAddress(key).toLowerCase();
  return {
    name,
    address,
    signTransaction: ({ fee, ...parts }) => {
      const transaction = Transaction.from({
        ...parts,
        ...(fee.tip === undefined
          ? { type: 0, gasPrice: fee.max }
          : { type: 2, maxFeePerGas: fee.max, maxPriorityFeePerGas: fee.tip }),
      });
      transaction.signature = key.sign(transaction.unsignedHash);
      const { hash } = transaction;
      if (hash === null) throw new PatchbayError('internal', { detail: 'The transaction was not signed' });
      return Promise.resolve({ raw: transaction.serialized, hash });
    },
  };
}
