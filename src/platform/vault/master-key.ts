import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { PatchbayError, type Secret } from '#sdk';

import { decodeKey } from '../config/config.schema.js';

/**
 * The key that seals all secrets: the configured one, else the one in `<dataDir>/master.key`, which is made at the first start.
 *
 * @throws config.invalid – the key cannot be read, or others can read it too
 */
export async function loadMasterKey({
  configured,
  dataDir,
}: {
  readonly configured?: Secret;
  readonly dataDir: string;
}): Promise<Buffer> {
  if (configured) return decoded(configured.reveal(), 'PATCHBAY_MASTER_KEY');
  const path = join(dataDir, 'master.key');
  return (await readKey(path)) ?? (await makeKey(path, dataDir));
}

async function makeKey(path: string, dataDir: string): Promise<Buffer> {
  await mkdir(dataDir, { recursive: true });
  // Written aside and linked, so that a kill leaves no half a key and two starting processes agree on one.
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  const key = await readKey(path);
  if (!key) throw new PatchbayError('config.invalid', { detail: `${path} vanished while the hub was starting` });
  return key;
}

async function readKey(path: string): Promise<Buffer | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (((await stat(path)).mode & 0o077) !== 0) {
    throw new PatchbayError('config.invalid', {
      detail: `${path} can be read by others`,
      fix: `Run chmod 600 ${path}`,
    });
  }
  return decoded(text, path);
}

function decoded(text: string, source: string): Buffer {
  const key = decodeKey(text);
  if (key) return key;
  throw new PatchbayError('config.invalid', {
    detail: `${source} does not hold a master key`,
    fix: 'A master key is 32 bytes, as 64 hexadecimal digits or base64.',
  });
}
