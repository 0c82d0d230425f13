import { PatchbayError, type Secret } from '#sdk';
import type { Signer } from '../signer.js';
import { transactionFields } from './transaction-fields.js';

/**
 * A signer whose key is in the memory of the caller: for scripts with a key of their own. A hub opens keys in its
 * signing thread.
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
    signTransaction: (parts) => {
      const transaction = Transaction.from(transactionFields(parts));
      transaction.signature = key.sign(transaction.unsignedHash);
      const { hash } = transaction;
      if (hash === null) throw new PatchbayError('internal', { detail: 'The transaction was not signed' });
      return Promise.resolve({ raw: transaction.serialized, hash });
    },
  };
}
