import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Wallet, encryptKeystoreJson } from 'ethers/wallet';
import { readConfigurationFile } from '#connections';
import { createHttpClient, parseEgress } from '#platform';
import { createSigner } from '../../sandbox/signer/signer.js';
import { eventually } from '../../test/builders/eventually.js';
import { startStandIn, type StandInServer } from '../../test/builders/stand-in-server.js';
import { DevChain, devAccounts } from '../evm/testing/dev-chain.js';
import { aTransaction } from '../evm/testing/any-transaction.js';
import { SignersService } from './signers.service.js';

const [{ key, address }, second] = devAccounts;
const third = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';
const phrase = 'test test test test test test test test test test test junk';

let folder: string;
let remote: StandInServer;
let open: SignersService[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patchbay-signers-'));
  open = [];
  remote = await startStandIn(createSigner({ privateKeys: [second.key], chainId: DevChain.chainId }));
});
afterEach(async () => {
  await Promise.all(open.map((service) => service.close()));
  await remote.stop();
  await rm(folder, { recursive: true });
});

async function withFile(
  text: string,
  env: Readonly<Record<string, string>> = {},
  patienceMs = 60_000,
): Promise<SignersService> {
  const file = join(folder, 'patchbay.yaml');
  await writeFile(file, text);
  const declared = await readConfigurationFile(file, { KEY: key, PHRASE: phrase, ...env });
  const http = createHttpClient({ egress: parseEgress([new URL(remote.url).host]) });
  const service = new SignersService({ declared, http, brokenForMs: 1, patienceMs });
  open.push(service);
  return service;
}

async function writeKeystore(name: string, privateKey: string, password: string): Promise<void> {
  const { address: of } = new Wallet(privateKey);
  const json = await encryptKeystoreJson({ address: of, privateKey }, password, { scrypt: { N: 1_024, r: 8, p: 1 } });
  await mkdir(join(folder, 'keys'), { recursive: true });
  await writeFile(join(folder, 'keys', `${name}.json`), json);
  await writeFile(join(folder, 'keys', `${name}.txt`), `${password}\n`);
}

const everyKind = (): string => `
signers:
  treasury: { privateKey: { env: KEY } }
  custody: { remote: { url: ${remote.url} } }
  cold: { keystore: { file: keys/cold.json }, password: { file: keys/cold.txt } }
wallets:
  customers: { mnemonic: { env: PHRASE } }
`;

describe('finding signers', () => {
  it('given every kind, when they are listed and looked up, then each is found by name and by address', async () => {
    await writeKeystore('cold', '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a', ' a b ');
    const signers = await withFile(everyKind());

    expect(await signers.list()).toEqual([
      { name: 'treasury', kind: 'key', address, problem: null },
      { name: 'custody', kind: 'remote', address: second.address, problem: null },
      { name: 'cold', kind: 'keystore', address: third, problem: null },
    ]);
    for (const [name, of] of [
      ['treasury', address],
      ['custody', second.address],
      ['cold', third],
    ] as const) {
      expect((await signers.get(of.toUpperCase().replace('0X', '0x'))).name).toBe(name);
      expect((await signers.get(name)).address).toBe(of);
    }
  });

  it('given nothing was opened yet, when one is looked up by address, then it is found, also among accounts of a wallet', async () => {
    await writeKeystore('cold', '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a', 'x');
    expect((await (await withFile(everyKind())).get(third)).name).toBe('cold');
    const wallet = await withFile('wallets:\n  customers: { mnemonic: { env: PHRASE } }\n');
    expect((await wallet.get('0x90f79bf6eb2c4f870365e785982e1f101e93b906')).name).toBe('hd-customers-3');
  });

  it('given a wallet, when an account is used as a signer, then it signs with its own key', async () => {
    const signers = await withFile('wallets:\n  customers: { mnemonic: { env: PHRASE } }\n');

    expect(signers.listWallets()).toEqual([{ name: 'customers', path: "m/44'/60'/0'/0" }]);
    expect(await signers.accounts('customers', { from: 1, count: 1 })).toEqual([
      { index: 1, name: 'hd-customers-1', address: second.address },
    ]);
    const signer = await signers.get('hd-customers-1');
    expect((await signer.signTransaction(aTransaction())).raw).toBe(
      (
        await (
          await withFile(`signers:\n  same: { privateKey: "${second.key}" }\n`)
        )
          .get('same')
          .then((same) => same.signTransaction(aTransaction()))
      ).raw,
    );
  });

  it('given keystores in a folder, when a signer is looked up that is none, then theirs are among the known ones', async () => {
    await writeFile(join(folder, 'payroll.json'), '{}');
    const signers = await withFile('keystores: { folder: ., passwords: . }\n');

    await expect(signers.get('nobody')).rejects.toMatchObject({ fix: 'Known signers: payroll.' });
  });

  it.each(['nobody', 'hd-customers-01', 'hd-customers-2147483648', 'hd-others-0', `0x${'1'.repeat(40)}`, '../cold'])(
    'given no signer %s, when it is looked up, then the known ones are named',
    async (name) => {
      const signers = await withFile(
        'wallets:\n  customers: { mnemonic: { env: PHRASE } }\nkeystores: { folder: ., passwords: . }\n',
      );
      await expect(signers.get(name)).rejects.toMatchObject({
        code: 'evm.unknownSigner',
        fix: 'Known signers: hd-customers-<index>.',
      });
    },
  );
});

describe('names of signers in a document', () => {
  it.each(['treasury', 'cold', 'kept', 'hd-customers-7'])(
    'given the name %s, when it is looked at, then it is known, and nothing was opened',
    async (name) => {
      await mkdir(join(folder, 'keys'));
      await writeFile(join(folder, 'keys', 'kept.json'), 'no keystore');
      await writeFile(join(folder, 'keys', 'cold.json'), 'no keystore');
      await writeFile(join(folder, 'keys', 'cold.txt'), '');
      const signers = await withFile(`${everyKind()}keystores: { folder: keys, passwords: keys }\n`);

      await expect(signers.assertKnown(name)).resolves.toBeUndefined();
    },
  );

  it.each([
    ['tresury', 'Did you mean treasury? Known signers: treasury, '],
    ['hd-custmers-3', 'Did you mean hd-customers-3? Known signers: treasury, '],
    ['nobody', 'Known signers: treasury, '],
  ])('given the name %s, which is none, when it is looked at, then the nearest is told', async (name, told) => {
    const signers = await withFile(
      'signers:\n  treasury: { privateKey: { env: KEY } }\nwallets:\n  customers: { mnemonic: { env: PHRASE } }\n',
    );

    await expect(signers.assertKnown(name)).rejects.toMatchObject({
      code: 'evm.unknownSigner',
      fix: `${told}hd-customers-<index>.`,
    });
  });
});

describe('addresses of signers in a document', () => {
  const nobodys = `0x${'1'.repeat(40)}`;

  it('given every kind, when their addresses are looked at, then they are known in any case, and no others', async () => {
    await writeKeystore('cold', '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a', 'x');
    const ofWallet = '0x90f79bf6eb2c4f870365e785982e1f101e93b906';
    const signers = await withFile(everyKind());

    for (const known of [address, second.address, third, ofWallet, ofWallet.toUpperCase().replace('0X', '0x')]) {
      await expect(signers.assertKnown(known)).resolves.toBeUndefined();
    }
    await expect(signers.assertKnown(nobodys)).rejects.toMatchObject({
      code: 'evm.unknownSigner',
      detail: `No signer has the address ${nobodys}.`,
      fix: 'Known signers: treasury, custody, cold, hd-customers-<index>.',
    });
  });

  it('given an account of a wallet that is beyond the ones searched, when it was derived before, then its address is known', async () => {
    const signers = await withFile('wallets:\n  customers: { mnemonic: { env: PHRASE } }\n');
    const [late] = await signers.accounts('customers', { from: 500, count: 1 });
    expect(late).toBeDefined();

    await expect(signers.assertKnown(late?.address ?? '')).resolves.toBeUndefined();
    await expect((await withFile('wallets: {}\n')).assertKnown(late?.address ?? '')).rejects.toMatchObject({
      code: 'evm.unknownSigner',
    });
  });

  it.each([
    ['a remote signer is away', () => remote.stop()],
    ['a keystore does not open', () => writeFile(join(folder, 'keys', 'cold.txt'), 'wrong')],
  ])('given that %s, when an address is looked at, then it may be of that one', async (_what, breakIt) => {
    await writeKeystore('cold', key, 'right');
    await breakIt();
    const signers = await withFile(everyKind());

    await expect(signers.assertKnown(nobodys)).resolves.toBeUndefined();
  });

  it('given a remote signer that is slow, when addresses are looked at, then one is waited for, not for long, and the next one not', async () => {
    remote.faults.set('signer', { delayMs: 5_000 });
    const signers = await withFile(`signers:\n  custody: { remote: { url: ${remote.url} } }\n`, {}, 20);

    await expect(signers.assertKnown(nobodys)).resolves.toBeUndefined();
    let isKnown = false;
    void signers.assertKnown(`0x${'2'.repeat(40)}`).then(() => (isKnown = true));
    await new Promise(setImmediate);
    expect(isKnown).toBe(true);
  });
});

describe('signers that cannot be opened', () => {
  it('given some are broken, when they are listed, then the others are there and each problem is told without a secret', async () => {
    await writeKeystore('cold', key, 'right');
    await writeFile(join(folder, 'keys', 'cold.txt'), 'quite-wrong');
    await remote.stop();
    const signers = await withFile(
      `${everyKind()}`.replace('signers:', 'signers:\n  odd: { privateKey: "0x1234beef" }'),
    );
    const listed = await signers.list();

    expect(listed.map(({ name, problem }) => [name, problem?.code])).toEqual([
      ['odd', 'config.invalid'],
      ['treasury', undefined],
      ['custody', 'evm.signerUnavailable'],
      ['cold', 'config.invalid'],
    ]);
    expect(listed[3]?.problem?.detail).toContain('keys/cold.json');
    expect(JSON.stringify(listed)).not.toMatch(/1234beef|quite-wrong/);
    remote = await startStandIn(createSigner({ privateKeys: [second.key], chainId: DevChain.chainId }));
  });

  it('given a password that was corrected, when the signer is asked for again, then it opens without a restart', async () => {
    await writeKeystore('cold', key, 'right');
    await writeFile(join(folder, 'keys', 'cold.txt'), 'wrong');
    const signers = await withFile(everyKind());
    await expect(signers.get('cold')).rejects.toMatchObject({ code: 'config.invalid' });
    await writeFile(join(folder, 'keys', 'cold.txt'), 'right');

    expect(await eventually(() => signers.get('cold').catch(() => undefined))).toMatchObject({ address });
  });
});

describe('a folder of keystores', () => {
  it('given a keystore that is added later, when it is asked for, then it is there without a restart', async () => {
    await mkdir(join(folder, 'keys'));
    const signers = await withFile('keystores: { folder: keys, passwords: keys }\n');
    expect(await signers.list()).toEqual([]);
    await writeKeystore('payroll', key, 'secret');

    expect(await signers.list()).toEqual([{ name: 'payroll', kind: 'keystore', address, problem: null }]);
    expect((await signers.get(address)).name).toBe('payroll');
  });

  it('given a keystore without a password, when it is listed, then the missing file is named', async () => {
    await writeKeystore('payroll', key, 'secret');
    await rm(join(folder, 'keys', 'payroll.txt'));
    const signers = await withFile('keystores: { folder: keys, passwords: keys }\n');

    expect((await signers.list())[0]?.problem).toMatchObject({
      code: 'config.invalid',
      detail: expect.stringContaining('payroll.txt'),
    });
  });
});
