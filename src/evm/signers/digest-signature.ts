import { PatchbayError } from '#sdk';
import type { SignedTransaction, Signer, UnsignedTransaction } from '../signer.js';
import { transactionFields } from './transaction-fields.js';

/** Order of secp256k1. */
const order = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe_baae_dce6_af48_a03b_bfd2_5e8c_d036_4141n;

/** Both halves of a signature, without the recovery bit that a chain wants as well. */
export interface SignatureHalves {
  readonly r: bigint;
  readonly s: bigint;
}

/**
 * A signer made of a service that signs digests, as AWS KMS (`ECC_SECG_P256K1`, DER), Azure Key Vault (`ES256K`, r and s)
 * and Google Cloud KMS (DER) do.
 *
 * @param signDigest has 32 bytes signed; its errors should be PatchbayErrors: throttling is `evm.signerUnavailable`
 */
export function createDigestSigner(service: {
  readonly name: string;
  readonly address: string;
  readonly signDigest: (digest: Uint8Array) => Promise<Uint8Array>;
}): Signer {
  const { name, signDigest } = service;
  const address = service.address.toLowerCase();
  return {
    name,
    address,
    async signTransaction(parts) {
      const { Transaction } = await import('ethers/transaction');
      const digest = Buffer.from(Transaction.from(transactionFields(parts)).unsignedHash.slice(2), 'hex');
      return assembleSigned(parts, readSignature(await signDigest(digest)), { name, address });
    },
  };
}

/**
 * Reads a signature in either of its two forms: r and s in 64 bytes, or DER.
 *
 * @throws evm.signerUnavailable when it is neither
 */
export function readSignature(bytes: Uint8Array): SignatureHalves {
  const halves = bytes.length === 64 ? [bytes.subarray(0, 32), bytes.subarray(32)] : readDer(bytes);
  const [r, s] = halves.map((half) => BigInt(`0x${Buffer.from(half).toString('hex')}`));
  if (r === undefined || s === undefined || r === 0n || s === 0n || r >= order || s >= order) {
    throw unusable('is neither 64 bytes nor DER of two numbers of the curve');
  }
  return { r, s };
}

/**
 * Puts the signed transaction together from what was asked for and the signature alone. The result has s in its lower
 * half, which a chain insists on (EIP-2) and services do not, and is known to be signed by the address.
 *
 * @throws evm.signerUnavailable when the signature is by another key or over something else
 */
export async function assembleSigned(
  parts: UnsignedTransaction,
  { r, s }: SignatureHalves,
  signer: Pick<Signer, 'name' | 'address'>,
): Promise<SignedTransaction> {
  const { Transaction, recoverAddress } = await import('ethers/transaction');
  const transaction = Transaction.from(transactionFields(parts));
  const lower = { r: word(r), s: word(s > order / 2n ? order - s : s) };
  for (const yParity of [0, 1] as const) {
    const signature = { ...lower, yParity };
    if (recovered(() => recoverAddress(transaction.unsignedHash, signature)) !== signer.address) continue;
    transaction.signature = signature;
    const { hash, serialized } = transaction;
    if (hash !== null) return { raw: serialized, hash };
  }
  throw unusable(
    `of the signer ${signer.name} is not by its address ${signer.address}, or not over what was asked for`,
  );
}

function recovered(recover: () => string): string | undefined {
  try {
    return recover().toLowerCase();
  } catch {
    // For one of the two there may be no such point on the curve.
    return undefined;
  }
}

function readDer(bytes: Uint8Array): Uint8Array[] {
  if (bytes[0] !== 0x30 || bytes[1] !== bytes.length - 2) return [];
  const halves: Uint8Array[] = [];
  for (let at = 2; at < bytes.length;) {
    const length = bytes[at + 1] ?? 0;
    const half = bytes.subarray(at + 2, at + 2 + length);
    if (bytes[at] !== 0x02 || length === 0 || length > 33 || half.length !== length) return [];
    halves.push(half);
    at += 2 + length;
  }
  return halves.length === 2 ? halves : [];
}

function word(value: bigint): string {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

function unusable(what: string): PatchbayError {
  return new PatchbayError('evm.signerUnavailable', { detail: `The signature ${what}.` });
}
