import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

import { PatchbayError } from '#sdk';

/** Seals secrets for the store. The context, e.g. `connection:crm`, is bound in: what was sealed for one cannot be opened for another. */
export interface Vault {
  seal(plaintext: string, context: string): Buffer;
  /** @throws vault.unreadable */
  open(sealed: Buffer, context: string): string;
  /** The same secret under the present master key; its own key and content stay. @throws vault.unreadable */
  rotate(sealed: Buffer, context: string): Buffer;
}

const version = 1;
const keyIdLength = 8;
const ivLength = 12;
const tagLength = 16;
const keyLength = 32;
const wrappedLength = ivLength + tagLength + keyLength;
const headLength = 1 + keyIdLength;

/**
 * AES-256-GCM in an envelope: each secret has a random key of its own, which the master key wraps, so that a change of the
 * master key touches no content. Layout: version, id of the master key, wrapped key, content.
 *
 * @param previousKeys – still open what was sealed with them
 */
export function createVault(masterKey: Buffer, previousKeys: readonly Buffer[] = []): Vault {
  const present = { id: keyIdOf(masterKey), key: masterKey };
  const keys = new Map([...previousKeys, masterKey].map((key) => [keyIdOf(key).toString('hex'), key]));

  function unwrap(sealed: Buffer, context: string): Buffer {
    if (sealed.length < headLength + wrappedLength + ivLength + tagLength || sealed[0] !== version) {
      throw unreadable(context, 'it was not sealed by this version');
    }
    const id = sealed.subarray(1, headLength).toString('hex');
    const key = keys.get(id);
    if (!key) throw unreadable(context, `it was sealed with another master key (${id})`);
    return decrypt(key, sealed.subarray(headLength, headLength + wrappedLength), `key:${version}:${context}`, context);
  }

  function envelope(dataKey: Buffer, content: Buffer, context: string): Buffer {
    return Buffer.concat([
      Buffer.from([version]),
      present.id,
      encrypt(present.key, dataKey, `key:${version}:${context}`),
      content,
    ]);
  }

  return {
    seal(plaintext, context) {
      const dataKey = randomBytes(keyLength);
      return envelope(dataKey, encrypt(dataKey, Buffer.from(plaintext, 'utf8'), `data:${version}:${context}`), context);
    },
    open(sealed, context) {
      const dataKey = unwrap(sealed, context);
      return decrypt(
        dataKey,
        sealed.subarray(headLength + wrappedLength),
        `data:${version}:${context}`,
        context,
      ).toString('utf8');
    },
    rotate(sealed, context) {
      return envelope(unwrap(sealed, context), sealed.subarray(headLength + wrappedLength), context);
    },
  };
}

/** Tells master keys apart without telling anything about them. */
function keyIdOf(key: Buffer): Buffer {
  if (key.length !== keyLength)
    throw new PatchbayError('config.invalid', { detail: `The master key must be ${keyLength} bytes` });
  return createHash('sha256').update('patchbay master key id').update(key).digest().subarray(0, keyIdLength);
}

function encrypt(key: Buffer, plain: Buffer, bound: string): Buffer {
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(bound));
  const content = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), content]);
}

function decrypt(key: Buffer, sealed: Buffer, bound: string, context: string): Buffer {
  const iv = sealed.subarray(0, ivLength);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagLength })
    .setAAD(Buffer.from(bound))
    .setAuthTag(sealed.subarray(ivLength, ivLength + tagLength));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(ivLength + tagLength)), decipher.final()]);
  } catch (cause) {
    throw unreadable(context, 'it was changed, or belongs to something else', cause);
  }
}

function unreadable(context: string, why: string, cause?: unknown): PatchbayError {
  return new PatchbayError('vault.unreadable', {
    detail: `The secret of ${context} cannot be opened: ${why}`,
    fix: 'Start the hub with the master key it was sealed with, or enter the secret again.',
    cause,
  });
}
