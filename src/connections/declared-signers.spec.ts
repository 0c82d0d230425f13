import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { PatchbayError } from '#sdk';
import { readConfigurationFile, type ConfigurationFile } from './configuration-file.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patchbay-file-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function read(text: string, env: Record<string, string> = {}): Promise<ConfigurationFile> {
  const file = join(folder, 'patchbay.yaml');
  await writeFile(file, text);
  return readConfigurationFile(file, env);
}

async function faultsOf(text: string, env: Record<string, string> = {}): Promise<[string, string][]> {
  return read(text, env).then(
    () => [],
    (error: PatchbayError) => {
      if (!(error instanceof PatchbayError)) throw error;
      return error.faults.map(({ pointer, detail }) => [pointer, detail]);
    },
  );
}

describe('signers of the configuration file', () => {
  it('given every kind, when it is read, then references are found and limits are handed on', async () => {
    await writeFile(join(folder, 'cold.json'), '{}');
    const { signers, wallets, keystores } = await read(
      `
signers:
  treasury: { privateKey: { env: KEY }, limits: { maxWeiPerDay: "5" } }
  cold: { keystore: { file: cold.json }, password: { env: PASSWORD } }
  custody: { remote: { url: { env: URL }, address: "0xF39FD6E51AAD88F6F4CE6AB8827279CFFFB92266", headers: { authorization: { env: TOKEN } } } }
wallets:
  customers: { mnemonic: { env: PHRASE }, passphrase: { env: PASSWORD }, path: "m/44'/60'/1'/0" }
keystores: { folder: keys, passwords: secrets }
`,
      { KEY: '0x11', PASSWORD: 'p', URL: 'https://signer.example', TOKEN: 'Bearer t', PHRASE: 'a b c' },
    );

    expect(signers.get('treasury')).toMatchObject({ kind: 'key', limits: { maxWeiPerDay: '5' } });
    expect(signers.get('cold')).toMatchObject({ kind: 'keystore', keystore: { name: 'cold.json' } });
    expect(signers.get('custody')).toMatchObject({
      kind: 'remote',
      url: 'https://signer.example',
      address: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
    });
    expect((await wallets.get('customers')?.mnemonic())?.reveal()).toBe('a b c');
    expect(keystores).toEqual({ folder: join(folder, 'keys'), passwords: join(folder, 'secrets') });
  });

  it('given secrets, when what was read is printed, then none shows and none is kept', async () => {
    const env: Record<string, string> = { KEY: 'hidden-key', TOKEN: 'hidden-token' };
    const { signers } = await read(
      'signers:\n  a: { privateKey: { env: KEY } }\n  b: { remote: { url: "http://x", headers: { authorization: { env: TOKEN } } } }\n',
      env,
    );
    expect(inspect(signers, { depth: 9, showHidden: true }) + JSON.stringify([...signers])).not.toContain('hidden');
    env['KEY'] = 'rotated';
    const a = signers.get('a');
    expect(a?.kind === 'key' && (await a.privateKey()).reveal()).toBe('rotated');
  });

  it('given many faults, when it is read, then all are told at their places and none shows a value', async () => {
    const faults = await faultsOf(`
signers:
  none: { address: "0x12" }
  both: { privateKey: { env: KEY }, remote: { url: "http://x" } }
  unset: { privateKey: { env: KEY } }
  gone: { keystore: { file: gone.json }, password: { env: PASSWORD } }
  bare: { keystore: { file: gone.json } }
  odd: { remote: { url: nowhere, address: "0x12" } }
  number: { privateKey: 0x0123456789abcdef }
  hd-customers-1: { privateKey: "hidden" }
wallets:
  path: { mnemonic: "hidden words", path: "44/60" }
  more: { mnemonic: "hidden words", privateKey: "hidden" }
keystores: { folder: keys }
`);

    expect(faults).toEqual([
      ['/signers/none', 'must have exactly one of privateKey, keystore, remote'],
      ['/signers/both', 'must have exactly one of privateKey, keystore, remote'],
      ['/signers/unset/privateKey', 'The environment variable KEY is not set.'],
      ['/signers/gone/keystore', 'The file gone.json cannot be read.'],
      ['/signers/gone/password', 'The environment variable PASSWORD is not set.'],
      ['/signers/bare/password', 'must be { env: NAME } or { file: PATH }'],
      ['/signers/odd/remote/url', 'must be a web address'],
      ['/signers/odd/remote/address', 'must be an address: 0x and 40 hexadecimal digits'],
      ['/signers/number/privateKey', 'must be { env: NAME } or { file: PATH }'],
      ['/signers/hd-customers-1', 'is the name of an account of a wallet; choose another one'],
      ['/wallets/path/path', "must be a path such as m/44'/60'/0'/0"],
      ['/wallets/more', 'Unrecognized key: "privateKey"'],
      ['/keystores/passwords', expect.any(String)],
    ]);
    expect(JSON.stringify(faults)).not.toMatch(/hidden|0123456789/);
  });

  it('given settings of connections with references, when one is missing, then its place is told as before', async () => {
    expect(await faultsOf('connections:\n  crm: { connector: webhook, url: { env: CRM_URL } }\n')).toEqual([
      ['/connections/crm/url', 'The environment variable CRM_URL is not set.'],
    ]);
  });
});
