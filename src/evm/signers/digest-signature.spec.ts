import { describe, expect, it } from '@jest/globals';
import { createECDH, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { SigningKey, keccak256 } from 'ethers/crypto';
import { Transaction } from 'ethers/transaction';
import fc from 'fast-check';
import { aTransaction, anyTransaction } from '../testing/any-transaction.js';
import { devAccounts } from '../testing/dev-chain.js';
import type { Signer } from '../signer.js';
import { createDigestSigner, readSignature } from './digest-signature.js';
import { transactionFields } from './transaction-fields.js';

const { key, address } = devAccounts[0];
const order = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe_baae_dce6_af48_a03b_bfd2_5e8c_d036_4141n;

/** As a key management service does it: a nonce of chance, s in either half, and no recovery bit. */
class KeyService {
  signatures: { readonly r: bigint; readonly s: bigint }[] = [];

  constructor(
    private readonly form: 'der' | 'compact',
    private readonly privateKey = key as string,
  ) {}

  signer(): Signer {
    return createDigestSigner({
      name: 'vault',
      address: address.toUpperCase().replace('0X', '0x'),
      signDigest: (digest) => Promise.resolve(this.#sign(digest)),
    });
  }

  #sign(digest: Uint8Array): Uint8Array {
    const { r, s } = randomSignature(BigInt(this.privateKey), digest);
    this.signatures.push({ r, s });
    return this.form === 'der' ? der(r, s) : Buffer.from(hex(r) + hex(s), 'hex');
  }
}

/** r and s with a nonce of chance; s as it comes, so that half of them are in the upper half. */
function randomSignature(privateKey: bigint, digest: Uint8Array): { r: bigint; s: bigint } {
  const ecdh = createECDH('secp256k1');
  ecdh.generateKeys();
  const k = BigInt(`0x${ecdh.getPrivateKey('hex')}`);
  const r = BigInt(`0x${ecdh.getPublicKey('hex').slice(2, 66)}`) % order;
  const z = BigInt(`0x${Buffer.from(digest).toString('hex')}`);
  return { r, s: (inverse(k) * (z + r * privateKey)) % order };
}

function inverse(value: bigint): bigint {
  let [a, b, x, y] = [value, order, 1n, 0n];
  while (b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return ((x % order) + order) % order;
}

function hex(value: bigint): string {
  return value.toString(16).padStart(64, '0');
}

function der(...values: readonly bigint[]): Uint8Array {
  const parts = values.map((value) => {
    const digits = value.toString(16);
    const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
    const signed = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
    return Buffer.concat([Buffer.of(2, signed.length), signed]);
  });
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

describe.each(['der', 'compact'] as const)('a service that signs digests, in %s', (form) => {
  it('given any transactions, when they are signed, then s is low, the sender is the address, and it says what was asked', async () => {
    const service = new KeyService(form);
    const signer = service.signer();
    await fc.assert(
      fc.asyncProperty(anyTransaction, async (asked) => {
        const { raw, hash } = await signer.signTransaction(asked);
        const transaction = Transaction.from(raw);
        expect(transaction.from?.toLowerCase()).toBe(address);
        expect(transaction.unsignedHash).toBe(Transaction.from(transactionFields(asked)).unsignedHash);
        expect(transaction.signature?.isValid()).toBe(true);
        expect(hash).toBe(keccak256(raw));
      }),
      { numRuns: 25 },
    );
    expect(service.signatures.some(({ s }) => s > order / 2n)).toBe(true);
    expect(service.signatures.some(({ s }) => s <= order / 2n)).toBe(true);
  });

  it('given another key than the address says, when it signs, then nothing is given back', async () => {
    const signer = new KeyService(form, devAccounts[1].key).signer();
    await expect(signer.signTransaction(aTransaction())).rejects.toMatchObject({ code: 'evm.signerUnavailable' });
  });
});

describe('reading signatures', () => {
  it('given DER of OpenSSL, when it is read, then r and s are those of the compact form', () => {
    const signed = new SigningKey(key).sign(`0x${'22'.repeat(32)}`);
    expect(readSignature(der(BigInt(signed.r), BigInt(signed.s)))).toEqual({
      r: BigInt(signed.r),
      s: BigInt(signed.s),
    });
    const bytes = sign('sha256', Buffer.from('anything'), opensslKey());
    const { r, s } = readSignature(bytes);
    expect(der(r, s)).toEqual(bytes);
  });

  it.each([
    ['nothing', ''],
    ['zeros', '00'.repeat(64)],
    ['more than the order', 'ff'.repeat(64)],
    ['one number', '3003020101'],
    ['three numbers', '3009020101020101020101'],
    ['a length that lies', '30080201010202'],
    ['a number of no bytes', '30040200020101'],
  ])('given %s, when it is read, then it is refused', (_what, text) => {
    expect(() => readSignature(Buffer.from(text, 'hex'))).toThrow('The signature');
  });
});

function opensslKey(): KeyObject {
  const ecdh = createECDH('secp256k1');
  ecdh.setPrivateKey(key.slice(2), 'hex');
  const point = ecdh.getPublicKey();
  return createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'secp256k1',
      d: ecdh.getPrivateKey('base64url'),
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
}
