import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transaction } from 'ethers/transaction';
import { Wallet } from 'ethers/wallet';
import { Secret } from '#sdk';
import { createSigner } from '../../../sandbox/signer/signer.js';
import { aHttpClient } from '../../../test/builders/action-call.js';
import { startStandIn, type StandInServer } from '../../../test/builders/stand-in-server.js';
import { aTransaction } from '../testing/any-transaction.js';
import { DevChain, devAccounts } from '../testing/dev-chain.js';
import type { Signer } from '../signer.js';
import { openRemoteSigner, type RemoteSignerOptions } from './remote-signer.js';
import { transactionFields } from './transaction-fields.js';

const [{ key, address }, other] = devAccounts;
const apiKey = 'Bearer remote-signer-key';

let standIn: StandInServer;

beforeEach(async () => {
  standIn = await startStandIn(createSigner({ privateKeys: [key], chainId: DevChain.chainId }));
});
afterEach(() => standIn.stop());

function open(overrides: Partial<RemoteSignerOptions> = {}): Promise<Signer> {
  const url = overrides.url ?? standIn.url;
  return openRemoteSigner({
    name: 'custody',
    url,
    address: undefined,
    headers: { authorization: new Secret(apiKey) },
    http: aHttpClient([new URL(url).host]),
    timeoutMs: 1_000,
    ...overrides,
  });
}

describe('a remote signer', () => {
  it('given one account, when it signs, then the bytes are those of ethers and its key was shown to nobody else', async () => {
    const signer = await open();
    const transaction = aTransaction();

    expect(signer.address).toBe(address);
    expect((await signer.signTransaction(transaction)).raw).toBe(
      await new Wallet(key).signTransaction(transactionFields(transaction)),
    );
    expect(standIn.requests().every(({ headers }) => headers['authorization'] === apiKey)).toBe(true);
  });

  it.each([
    ['a deployment', { to: undefined, data: '0x6001600c60003960016000f300' }],
    ['a chain without base fees', { fee: { max: 1_000_000_000n, tip: undefined } }],
    ['a chain without a gas price', { fee: { max: 0n, tip: undefined } }],
  ])('given %s, when it signs, then that is signed', async (_what, overrides) => {
    const asked = aTransaction(overrides);
    const { raw } = await (await open()).signTransaction(asked);
    expect(Transaction.from(raw).unsignedHash).toBe(Transaction.from(transactionFields(asked)).unsignedHash);
  });

  it('given 120 transactions, when they are signed together, then two requests are made and the order is kept', async () => {
    const signer = await open({ address });
    const batch = Array.from({ length: 120 }, (_, nonce) => aTransaction({ nonce }));
    const signed = (await signer.signTransactions?.(batch)) ?? [];

    expect(signed.map(({ raw }) => Transaction.from(raw).nonce)).toEqual(batch.map(({ nonce }) => nonce));
    expect(standIn.requests()).toHaveLength(2);
  });

  it('given several accounts and none chosen, when it is opened, then they are named', async () => {
    await standIn.stop();
    standIn = await startStandIn(createSigner({ privateKeys: [key, other.key], chainId: DevChain.chainId }));

    await expect(open()).rejects.toMatchObject({ code: 'config.invalid', fix: expect.stringContaining(other.address) });
    expect(await open({ address: other.address })).toMatchObject({ address: other.address });
  });

  it('given an address that it does not know, when it is checked or signs, then that is said', async () => {
    const signer = await open({ address: other.address });
    await expect(signer.check?.()).rejects.toThrow(`does not know the address ${other.address}`);
    await expect(signer.signTransaction(aTransaction())).rejects.toThrow(
      'did not sign: Signing from not an unlocked account',
    );
  });

  it.each([
    ['answers with a fault', { status: 503 }],
    ['cuts the connection', { resetAfterProcessing: true }],
    ['takes too long', { delayMs: 30_000 }],
    ['answers with a page', { status: 200, body: '<html>' }],
  ])('given it %s, when it is to sign, then it may be asked again later', async (_what, fault) => {
    const signer = await open({ timeoutMs: 2_000 });
    standIn.faults.set('signer', { ...fault, times: 1 });
    const failed = signer.signTransaction(aTransaction());

    await expect(failed).rejects.toMatchObject({ code: 'evm.signerUnavailable', retry: 'later' });
    await expect(failed).rejects.not.toThrow(apiKey);
    expect(await signer.signTransaction(aTransaction())).toHaveProperty('raw');
  });

  it('given an address that may not be called, when it is opened, then that stays said', async () => {
    const http = aHttpClient([]);
    await expect(open({ http })).rejects.toMatchObject({ code: 'target.forbidden' });
  });
});

describe('a remote signer that is not to be trusted', () => {
  let server: Server;
  let sign: (asked: Record<string, string>) => Promise<unknown>;

  beforeEach(async () => {
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => {
        const body = JSON.parse(text);
        if (Array.isArray(body)) return void response.end('{"error":{"message":"no batches"}}');
        void sign(body.params[0]).then((result) => response.end(JSON.stringify({ id: body.id, result })));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function openThere(): Promise<Signer> {
    return open({ address, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  }

  const asked = aTransaction();
  const fields = transactionFields(asked);

  it.each([
    ['chainId', { chainId: 1 }],
    ['nonce', { nonce: 8 }],
    ['to', { to: other.address }],
    ['data', { data: '0xdeadbeef' }],
    ['value', { value: 6n }],
    ['gasLimit', { gasLimit: 1_000_000n }],
    ['maxFeePerGas', { maxFeePerGas: 9_000_000_000n }],
    ['maxPriorityFeePerGas', { maxPriorityFeePerGas: 2n }],
    ['its form', { accessList: [{ address: other.address, storageKeys: [] }] }],
  ])('given it alters %s, when it signs, then nothing is given back', async (field, altered) => {
    sign = () => new Wallet(key).signTransaction({ ...fields, ...altered });
    await expect((await openThere()).signTransaction(asked)).rejects.toMatchObject({
      code: 'evm.signerUnavailable',
      detail: `The remote signer custody signed another transaction than was asked for: ${field} differs`,
    });
  });

  it('given it signs with another key, when it signs, then nothing is given back', async () => {
    sign = () => new Wallet(other.key).signTransaction(fields);
    await expect((await openThere()).signTransaction(asked)).rejects.toThrow(`is not by its address ${address}`);
  });

  it.each([
    ['nothing', null],
    ['other bytes', '0xdeadbeef'],
    ['an unsigned transaction', Transaction.from(fields).unsignedSerialized],
    ['an object', { tx: {} }],
  ])('given it answers with %s, when it signs, then nothing is given back', async (_what, answer) => {
    sign = () => Promise.resolve(answer);
    await expect((await openThere()).signTransaction(asked)).rejects.toMatchObject({ code: 'evm.signerUnavailable' });
  });

  it('given it takes no batches and answers with an object, when several are signed, then they are signed one by one', async () => {
    sign = async ({ nonce }) => ({
      raw: await new Wallet(key).signTransaction({ ...fields, nonce: Number(nonce) }),
      tx: {},
    });
    const signed = await (await openThere()).signTransactions?.([asked, { ...asked, nonce: 8 }]);
    expect(signed?.map(({ raw }) => Transaction.from(raw).nonce)).toEqual([7, 8]);
  });
});
