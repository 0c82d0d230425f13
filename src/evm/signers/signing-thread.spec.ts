import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Transaction } from 'ethers/transaction';
import { HDNodeWallet, Mnemonic, Wallet, encryptKeystoreJson } from 'ethers/wallet';
import fc from 'fast-check';
import { type PatchbayError, Secret } from '#sdk';
import { aTransaction, anyTransaction } from '../testing/any-transaction.js';
import { devAccounts } from '../testing/dev-chain.js';
import type { Signer, UnsignedTransaction } from '../signer.js';
import { createKeySigner } from './key-signer.js';
import { SigningThread, type KeyLoader } from './signing-thread.js';
import { HdWallet, openThreadSigner } from './thread-signer.js';
import { transactionFields } from './transaction-fields.js';

const { key, address }: { readonly key: string; readonly address: string } = devAccounts[0];
const password = 'correct horse battery staple';
/** Of every development chain; its first account is the one above. */
const devPhrase = 'test test test test test test test test test test test junk';
/** Vector of BIP-39 for 128 bits of zero; its addresses on m/44'/60'/0'/0 are widely published. */
const zeroPhrase = 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

/** It takes a while to start, so all share it who do not end it. It keeps a key by its name. */
let thread: SigningThread;
const own: SigningThread[] = [];

beforeAll(() => {
  thread = new SigningThread();
});
afterEach(() => Promise.all(own.splice(0).map((one) => one.close())));
afterAll(() => thread.close());

/** A thread for one test, and the workers it has started. */
function aThread(): { readonly mortal: SigningThread; readonly started: readonly Worker[] } {
  const started: Worker[] = [];
  const mortal = new SigningThread(() => {
    const worker = new Worker(fileURLToPath(new URL('./signing.worker.mjs', import.meta.url)), { execArgv: [] });
    started.push(worker);
    return worker;
  });
  own.push(mortal);
  return { mortal, started };
}

async function aKeystore(privateKey = key): Promise<string> {
  const account = { address: new Wallet(privateKey).address, privateKey };
  return encryptKeystoreJson(account, password, { scrypt: { N: 1_024, r: 8, p: 1 } });
}

function aKey(text = key): KeyLoader {
  return () => Promise.resolve({ kind: 'key', privateKey: new Secret(text) });
}

function keystoreOf(json: string, given = password): KeyLoader {
  return () => Promise.resolve({ kind: 'keystore', json, password: new Secret(given) });
}

function aWallet(
  phrase = devPhrase,
  {
    name = 'customers',
    passphrase,
    path = "m/44'/60'/0'/0",
  }: { readonly name?: string; readonly passphrase?: string; readonly path?: string } = {},
): HdWallet {
  return new HdWallet(name, thread, () =>
    Promise.resolve({
      kind: 'wallet',
      mnemonic: new Secret(phrase),
      passphrase: passphrase === undefined ? undefined : new Secret(passphrase),
      path,
    }),
  );
}

function open(load: KeyLoader, name = 'treasury', inThread = thread): Promise<Signer> {
  return openThreadSigner(inThread, { name, source: `the signer ${name}`, load });
}

async function failure(promise: Promise<unknown>): Promise<PatchbayError> {
  return promise.then(
    () => {
      throw new Error('It did not fail');
    },
    (error: unknown) => error as PatchbayError,
  );
}

describe('signing in a thread', () => {
  it('given the same key in every form, when they sign, then the bytes are those of ethers', async () => {
    const wallet = new Wallet(key);
    const transaction = aTransaction();
    const expected = await wallet.signTransaction(transactionFields(transaction));
    const signers = [
      await open(aKey()),
      await open(aKey(key.slice(2)), 'without-prefix'),
      await open(keystoreOf(await aKeystore()), 'keystore'),
      await aWallet().signer(0),
      await createKeySigner('in-memory', new Secret(key)),
    ];

    for (const signer of signers) {
      expect(signer.address).toBe(address);
      expect(await signer.signTransaction(transaction)).toEqual({
        raw: expected,
        hash: Transaction.from(expected).hash,
      });
    }
  });

  it('given any transactions, when they are signed together, then each decodes to what was asked, in order', async () => {
    const signer = await open(aKey());
    await fc.assert(
      fc.asyncProperty(fc.array(anyTransaction, { minLength: 1, maxLength: 5 }), async (batch) => {
        const signed = (await signer.signTransactions?.(batch)) ?? [];
        expect(signed.map(({ raw }) => decoded(raw))).toEqual(batch.map((asked) => ({ ...asked, from: address })));
      }),
      { numRuns: 30 },
    );
  });

  it('given what is no transaction, when it is to be signed, then that is said and the next one is signed', async () => {
    const signer = await open(aKey());
    expect(await failure(signer.signTransaction(aTransaction({ to: '0x12' })))).toMatchObject({
      code: 'evm.arguments',
    });
    expect(await signer.signTransaction(aTransaction())).toHaveProperty('raw');
  });

  it('given a thread that dies, when a signature is asked for, then a new one reads the key anew', async () => {
    const { mortal, started } = aThread();
    let loads = 0;
    const load: KeyLoader = () => {
      loads += 1;
      return aKey()();
    };
    const signer = await open(load, 'treasury', mortal);
    const before = await signer.signTransaction(aTransaction());
    const interrupted = failure(
      signer.signTransactions?.(Array<UnsignedTransaction>(500).fill(aTransaction())) ?? Promise.resolve(),
    );
    await started[0]?.terminate();

    expect(await interrupted).toMatchObject({ code: 'evm.signerUnavailable' });
    expect(await signer.signTransaction(aTransaction())).toEqual(before);
    expect([started.length, loads]).toEqual([2, 2]);
  });

  it('given another key under the same name after a restart, when it is to sign, then it does not', async () => {
    let present = key;
    const { mortal, started } = aThread();
    const signer = await open(() => aKey(present)(), 'treasury', mortal);
    await started[0]?.terminate();
    present = devAccounts[1].key;

    expect(await failure(signer.signTransaction(aTransaction()))).toMatchObject({ code: 'config.invalid' });
  });

  it('given a closed thread, when a signature is asked for, then there is none', async () => {
    const { mortal } = aThread();
    const signer = await open(aKey(), 'treasury', mortal);
    await mortal.close();
    expect(await failure(signer.signTransaction(aTransaction()))).toMatchObject({ code: 'hub.stopping' });
  });
});

describe('keys that cannot be used', () => {
  it('given a wrong password, when the keystore is opened, then the error names it and the next try may succeed', async () => {
    const json = await aKeystore();
    const error = await failure(open(keystoreOf(json, 'wrong'), 'cold'));
    expect(error).toMatchObject({ code: 'config.invalid', detail: 'The signer cold does not open with its password' });
    expect(await open(keystoreOf(json), 'cold')).toMatchObject({ address });
  });

  it.each([
    ['no JSON', 'nonsense', 'is no keystore file'],
    ['an old version', '{"version":1}', 'is no keystore file'],
    ['nothing inside', '{"version":3}', 'cannot be read'],
  ])('given a keystore with %s, when it is opened, then that is said', async (_what, json, detail) => {
    expect(await failure(open(keystoreOf(json), 'broken'))).toMatchObject({
      code: 'config.invalid',
      detail: expect.stringContaining(detail),
    });
  });

  it('given a keystore that asks for all memory, when it is opened, then it is refused at once', async () => {
    const keystore = JSON.parse(await aKeystore());
    (keystore.Crypto ?? keystore.crypto).kdfparams.n = 2 ** 28;
    expect(await failure(open(keystoreOf(JSON.stringify(keystore)), 'broken'))).toMatchObject({
      code: 'config.invalid',
    });
  });

  it.each(['0x12', 'f'.repeat(64), '0'.repeat(64), ''])(
    'given %p as key, when it is opened, then it is refused',
    async (text) => {
      const error = await failure(open(aKey(text), 'broken'));
      expect(error).toMatchObject({ code: 'config.invalid', detail: 'The signer broken is not valid' });
    },
  );

  it('given a phrase with a wrong word, when an account is asked for, then it is refused without the phrase', async () => {
    const mistyped = aWallet(zeroPhrase.replace('about', 'abandon'), { name: 'mistyped' });
    const error = await failure(mistyped.accounts(0, 1));
    expect(error).toMatchObject({ code: 'config.invalid', detail: 'The wallet mistyped has no valid phrase' });
    expect(inspect(error, { depth: 9 })).not.toContain('abandon');
  });

  it('given any error, when it and the signer are printed in every way, then no key shows', async () => {
    const json = await aKeystore();
    const signer = await open(aKey());
    const account = await aWallet().signer(0);
    const errors = [
      await failure(open(aKey(`${key}00`), 'a')),
      await failure(open(keystoreOf(json, 'the wrong one'), 'b')),
      await failure(signer.signTransaction(aTransaction({ data: '0x1' }))),
    ];
    const printed = [signer, account, thread, ...errors]
      .map((one) => `${inspect(one, { depth: 20, showHidden: true })} ${JSON.stringify(one)} ${String(one)}`)
      .join('\n');

    for (const hidden of [key.slice(2), 'the wrong one', 'junk', json]) expect(printed).not.toContain(hidden);
    expect(JSON.parse(JSON.stringify(signer))).toEqual({ name: 'treasury', address });
  });
});

describe('wallets', () => {
  it('given the phrases of the vectors, when accounts are derived, then they are the published ones', async () => {
    expect(await aWallet().accounts(0, 2)).toEqual([
      { index: 0, name: 'hd-customers-0', address: devAccounts[0].address },
      { index: 1, name: 'hd-customers-1', address: devAccounts[1].address },
    ]);
    const spaced = aWallet(` ${zeroPhrase.replaceAll(' ', '  ')}\n`, { name: 'spaced' });
    const [first] = await spaced.accounts(0, 1);
    expect(first?.address).toBe('0x9858effd232b4033e47d90003d41ec34ecaeda94');
  });

  it('given a passphrase, another path and a high index, when accounts are derived, then they are those of ethers', async () => {
    const highest = 2 ** 31 - 1;
    const node = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(zeroPhrase, 'TREZOR'), "m/44'/1'/3'");
    const accounts = await aWallet(zeroPhrase, {
      name: 'elsewhere',
      passphrase: 'TREZOR',
      path: "m/44'/1'/3'",
    }).accounts(highest - 1, 5);

    expect(accounts.map((account) => [account.index, account.address])).toEqual(
      [highest - 1, highest].map((index) => [index, node.deriveChild(index).address.toLowerCase()]),
    );
  });

  it('given several accounts, when each signs, then each signs with its own key', async () => {
    const wallet = aWallet();
    for (const index of [1, 5, 2 ** 31 - 1]) {
      const signer = await wallet.signer(index);
      const { raw } = await signer.signTransaction(aTransaction());
      expect(decoded(raw).from).toBe(signer.address);
      expect(signer.name).toBe(`hd-customers-${index}`);
    }
  });
});

function decoded(raw: string): UnsignedTransaction & { readonly from: string | undefined } {
  const transaction = Transaction.from(raw);
  const { chainId, nonce, to, data, value, gasLimit, from } = transaction;
  return {
    chainId: Number(chainId),
    nonce,
    to: to?.toLowerCase(),
    data,
    value,
    gasLimit,
    fee:
      transaction.type === 2
        ? { max: transaction.maxFeePerGas ?? -1n, tip: transaction.maxPriorityFeePerGas ?? undefined }
        : { max: transaction.gasPrice ?? -1n, tip: undefined },
    from: from?.toLowerCase(),
  };
}
