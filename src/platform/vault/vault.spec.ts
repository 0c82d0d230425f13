import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { Secret } from '#sdk';

import { loadMasterKey } from './master-key.js';
import { createVault } from './vault.js';

const unreadable = expect.objectContaining({ code: 'vault.unreadable' }) as unknown as Error;

describe('the vault', () => {
  const master = randomBytes(32);
  const vault = createVault(master);

  it.each(['', 'secret', 'ü'.repeat(10_000)])(
    'given a secret, when it is sealed, then it opens to the same text',
    (text) => {
      expect(vault.open(vault.seal(text, 'connection:crm'), 'connection:crm')).toBe(text);
    },
  );

  it('given the same secret twice, when it is sealed, then nothing of it or of the other shows', () => {
    const [first, second] = [vault.seal('same secret', 'c'), vault.seal('same secret', 'c')];

    expect(first.equals(second)).toBe(false);
    expect(first.toString('latin1')).not.toContain('same secret');
  });

  it('given another context, another key or any changed byte, when it is opened, then it is refused', () => {
    const sealed = vault.seal('secret', 'connection:crm');

    expect(() => vault.open(sealed, 'connection:erp')).toThrow(unreadable);
    expect(() => createVault(randomBytes(32)).open(sealed, 'connection:crm')).toThrow(unreadable);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => vault.open(changed, 'connection:crm')).toThrow(unreadable);
    }
    expect(() => vault.open(sealed.subarray(0, 40), 'connection:crm')).toThrow(unreadable);
  });

  it('given a new master key, when a secret is rotated, then only the new key opens it and its content is not touched', () => {
    const next = randomBytes(32);
    const sealed = vault.seal('secret', 'c');
    const rotated = createVault(next, [master]).rotate(sealed, 'c');

    expect(createVault(next).open(rotated, 'c')).toBe('secret');
    expect(() => vault.open(rotated, 'c')).toThrow(unreadable);
    expect(rotated.subarray(-34).equals(sealed.subarray(-34))).toBe(true);
    expect(() => createVault(next, [master]).rotate(sealed, 'd')).toThrow(unreadable);
  });
});

describe('the master key', () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'patchbay-key-'));
  });

  afterEach(() => rm(dataDir, { recursive: true }));

  it('given none, when processes start at once, then they make one, for the owner only, and keep it', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => loadMasterKey({ dataDir: join(dataDir, 'new') })));
    const path = join(dataDir, 'new', 'master.key');

    expect(new Set(made.map((key) => key.toString('hex')))).toEqual(new Set([(await readFile(path, 'utf8')).trim()]));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await loadMasterKey({ dataDir: join(dataDir, 'new') })).toEqual(made[0]);
  });

  it('given a configured one, when it is loaded, then no file is made', async () => {
    const key = randomBytes(32);

    expect(await loadMasterKey({ configured: new Secret(key.toString('base64')), dataDir })).toEqual(key);
    await expect(stat(join(dataDir, 'master.key'))).rejects.toThrow('ENOENT');
  });

  it('given a file that others can read or that holds no key, when it is loaded, then the hub says so', async () => {
    const path = join(dataDir, 'master.key');
    await writeFile(path, randomBytes(32).toString('hex'), { mode: 0o600 });
    await chmod(path, 0o644);
    await expect(loadMasterKey({ dataDir })).rejects.toMatchObject({
      code: 'config.invalid',
      fix: `Run chmod 600 ${path}`,
    });
    await chmod(path, 0o600);
    await writeFile(path, 'too short');
    await expect(loadMasterKey({ dataDir })).rejects.toMatchObject({ code: 'config.invalid' });
  });
});
