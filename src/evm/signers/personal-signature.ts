import { PatchbayError, type Secret } from '#sdk';

/**
 * Signs a text as wallets do (EIP-191), for others who know an account by its address; it can be no transaction.
 *
 * @param write makes the text, given the address with its checksum
 * @returns r, s, and 0 or 1 for the recovery, in 65 bytes
 * @throws connection.invalid when it is no private key; the error does not repeat it
 */
export async function signPersonally(privateKey: Secret, write: (address: string) => string): Promise<Buffer> {
  const { SigningKey } = await import('ethers/crypto');
  const { computeAddress } = await import('ethers/transaction');
  const { hashMessage } = await import('ethers/hash');
  const digits = privateKey.reveal().trim().replace(/^0x/, '');
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) {
    throw new PatchbayError('connection.invalid', {
      detail: 'The key is no private key.',
      fix: 'It has 64 hexadecimal digits.',
    });
  }
  const key = new SigningKey(`0x${digits}`);
  const { r, s, yParity } = key.sign(hashMessage(write(computeAddress(key))));
  return Buffer.concat([Buffer.from(r.slice(2), 'hex'), Buffer.from(s.slice(2), 'hex'), Buffer.from([yParity])]);
}
