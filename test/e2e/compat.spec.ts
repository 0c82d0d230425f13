import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { devAccounts } from '../../src/evm/testing/dev-chain.js';
import { escrow, owned, settle } from '../builders/escrow-contract.js';
import { eventually } from '../builders/eventually.js';
import { basic, type OldClient } from '../builders/old-client.js';
import { OldHub } from '../builders/old-hub.js';

const buyer = devAccounts[1].address;

let hub: OldHub;
let client: OldClient;
let address: string;

beforeAll(async () => {
  hub = await OldHub.start();
  ({ client, address } = hub);
});

afterAll(() => hub.close(), 60_000);

describe('contracts as old clients call them', () => {
  it('given a contract in a zip, when it is uploaded and deployed, then both are told as they were', () => {
    expect(hub.uploaded).toMatchObject({
      status: 200,
      body: { name: 'Escrow', deployable: true, description: 'Keeps amounts.' },
    });
    expect(hub.deployed).toMatchObject({
      status: 200,
      body: { status: '1', to: null, registerAs: 'escrow-eu', headers: { type: 'TransactionSuccess' } },
    });
  });

  it('given an upload, when its views are asked for, then it is described, and nothing is needed to look inside', async () => {
    const [{ id }] = (await client.ask('GET', '/abis')).body;
    const form = new FormData();
    form.append('file', new Blob([escrow]), 'Escrow.sol');
    form.append('findcontracts', 'true');

    expect((await client.ask('GET', `/abis/${id}?swagger`)).body).toMatchObject({ openapi: '3.1.0' });
    expect((await client.ask('GET', `/abis/${id}?abi`)).body).toContainEqual(
      expect.objectContaining({ name: 'settle' }),
    );
    expect((await client.ask('GET', `/abis/${id}?ui`)).headers.get('location')).toBe(
      '/docs/interfaces/Escrow?version=1',
    );
    expect((await client.ask('POST', '/abis', form)).body).toEqual(['Escrow.sol:Escrow']);
    expect((await client.ask('GET', '/contracts/escrow-eu')).body).toMatchObject({
      abi: id,
      address: address.slice(2),
      registeredAs: 'escrow-eu',
    });
  });

  it('given the same call in four spellings, when it is made, then it is understood; GET never sends', async () => {
    const body = { orderId: '1', buyer: buyer.slice(2), amount: 10 };
    const spellings: [string, Record<string, string>][] = [
      ['?fly-from=treasury&fly-sync', {}],
      ['?KLD-From=treasury&kld-sync=true', {}],
      ['', { 'x-firefly-from': devAccounts[0].address.slice(2), 'X-Firefly-Sync': 'true' }],
      ['', { 'X-Kaleido-From': 'treasury', 'x-kaleido-sync': 'true' }],
    ];
    for (const [query, headers] of spellings) {
      const sent = await client.ask('POST', `/contracts/escrow-eu/settle${query}`, body, headers);
      expect(sent).toMatchObject({ status: 200, body: { status: '1', to: address, transactionIndex: '0' } });
      expect(sent.body.blockNumber).toMatch(/^\d+$/);
      expect(sent.body.cumulativeGasUsed).toMatch(/^\d+$/);
    }
    const hash = (await client.ask('GET', '/replies?limit=1')).body[0].transactionHash;

    expect((await client.ask('GET', '/contracts/escrow-eu/amounts?input=1')).body).toEqual({ output: '10' });
    expect((await client.ask('POST', `/contracts/${address.slice(2)}/both`, { input: 1 })).body).toEqual({
      output: '7',
      name: 'seven',
    });
    expect(
      (await client.ask('GET', '/contracts/escrow-eu/settle?orderId=2&buyer=0x' + buyer.slice(2) + '&amount=3')).body,
    ).toEqual({});
    expect((await client.ask('GET', `/contracts/escrow-eu/settle?fly-transaction=${hash}`)).body).toEqual({
      orderId: '1',
      buyer,
      amount: '10',
    });
  });

  it('given an asynchronous call, when its reply is polled, then it comes in decimal text, under the id of the caller', async () => {
    const path = '/contracts/escrow-eu/settle?fly-from=treasury&fly-id=invoice-991';
    const sent = await client.ask('POST', path, { orderId: 991, buyer, amount: 1 });
    const again = await client.ask('POST', path, { orderId: 991, buyer, amount: 1 });
    const other = await client.ask('POST', path, { orderId: 992, buyer, amount: 1 });
    const reply = await client.replyOf('invoice-991');

    expect([sent.status, sent.body]).toEqual([202, { sent: true, id: 'invoice-991' }]);
    expect([again.status, other.status]).toEqual([202, 409]);
    expect(reply.body).toMatchObject({
      _id: 'invoice-991',
      receivedAt: expect.any(Number) as unknown,
      status: '1',
      headers: { type: 'TransactionSuccess', requestId: 'invoice-991' },
    });
    expect((await client.ask('GET', '/replies?id=invoice-991')).body).toHaveLength(1);
    expect(
      (await client.ask('GET', `/replies?limit=2&skip=1&from=${devAccounts[0].address}&since=0`)).body,
    ).toHaveLength(2);
  });

  it('given faults, when they are made, then they are told in the words of old clients beside ours', async () => {
    const reverted = await client.ask('POST', '/contracts/escrow-eu/settle?fly-from=treasury', {
      orderId: 1,
      buyer,
      amount: 0,
    });
    const missing = await client.ask('POST', '/contracts/escrow-eu/settle?fly-from=treasury', { orderId: 1, buyer });
    const nobody = await client.ask('POST', '/contracts/escrow-eu/open', { orderId: 1 });
    const secret = await client.ask('POST', '/contracts/escrow-eu/open?fly-privatefrom=x&fly-from=treasury', {
      orderId: 1,
    });
    const unknown = await client.ask('GET', '/contracts/nothing/here');

    expect(reverted).toMatchObject({
      status: 500,
      body: { code: 'evm.reverted', error: expect.stringContaining('nothing to settle') as unknown },
    });
    expect(missing).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/amount' }] } });
    expect(nobody).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/fly-from' }] } });
    expect(secret).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('Private transactions') as unknown },
    });
    expect(unknown.status).toBe(404);
    expect((await client.ask('GET', '/replies/nothing')).status).toBe(404);
    expect((await client.ask('GET', '/replies', undefined, { authorization: 'Basic eDp5' })).status).toBe(401);
    expect((await client.ask('GET', '/status')).body).toEqual({ ok: true });
  });

  it('given an address that nobody registered, when it is called by an ABI and then registered, then both work', async () => {
    const [{ id }] = (await client.ask('GET', '/abis')).body;
    const deployed = await client.ask('POST', `/abis/${id}?fly-from=treasury&fly-sync&fee_=9`, {});
    const at = deployed.body.contractAddress as string;

    expect((await client.ask('GET', `/abis/${id}/${at.slice(2)}/fee`)).body).toEqual({ output: '9' });
    expect((await client.ask('POST', `/abis/${id}/${hub.chain.token}?fly-register=escrow-eu`)).status).toBe(409);
    expect((await client.ask('POST', `/abis/${id}/${hub.chain.token}?fly-register=token`)).body).toMatchObject({
      registeredAs: 'token',
    });
    expect((await client.ask('GET', '/contracts')).body).toHaveLength(3);
  });
});

describe('messages', () => {
  it('given messages as YAML and JSON, when they are posted, then they are sent, asked and deployed', async () => {
    const yaml = `
headers: {type: SendTransaction, id: yaml-1}
from: treasury
to: ${address}
methodName: settle
params: [{type: uint256, value: 5}, {type: address, value: ${buyer}}, {type: uint256, value: "50"}]
gas: 400000
`;
    const sent = await client.ask('POST', '/hook', yaml);
    const json = await client.ask('POST', '', {
      headers: { type: 'SendTransaction' },
      from: 'treasury',
      to: address,
      method: settle,
      params: [6, buyer, 60],
    });
    const deployed = await client.ask('POST', '/fasthook', {
      headers: { type: 'DeployContract', id: 'owned-1' },
      from: 'treasury',
      solidity: owned,
      contractName: 'Owned',
      params: [],
    });

    expect([sent.status, sent.body]).toEqual([200, { sent: true, id: 'yaml-1' }]);
    expect(json).toMatchObject({ status: 200, body: { sent: true } });
    expect(deployed).toMatchObject({ status: 200, body: { sent: true, id: 'owned-1' } });
    await client.replyOf('yaml-1');
    await client.replyOf(json.body.id);
    expect((await client.replyOf('owned-1')).body.contractAddress).toMatch(/^0x/);
    const query = {
      headers: { type: 'Query' },
      to: address,
      method: { name: 'amounts', inputs: [{ name: '', type: 'uint256' }], outputs: [{ name: '', type: 'uint256' }] },
      params: ['5'],
    };
    expect((await client.ask('POST', '/', query)).body).toEqual({ output: '50' });
  });

  it('given messages that are wrong, when they are posted, then each says where', async () => {
    const nonce = await client.ask('POST', '/hook', {
      headers: { type: 'SendTransaction' },
      from: 'treasury',
      to: address,
      method: settle,
      nonce: 1,
    });
    const type = await client.ask('POST', '/hook', { headers: { type: 'Mint' } });

    expect(nonce).toMatchObject({ status: 400, body: { sent: false, errors: [{ pointer: '#/nonce' }] } });
    expect(type).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/headers/type' }] } });
    expect((await client.ask('POST', '/hook', '[')).status).toBe(400);
  });
});

describe('who may do what', () => {
  it('given a key that may only read, when it sends, deploys, streams or listens, then it is refused', async () => {
    const made = await fetch(`${hub.url}/api/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hub.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'reader', scopes: ['chain:read'] }),
    });
    const { key } = (await made.json()) as { key: string };
    const as = { authorization: `Bearer ${key}` };
    const message = {
      headers: { type: 'SendTransaction' },
      from: 'treasury',
      to: address,
      method: settle,
      params: [1, buyer, 1],
    };
    const [{ id }] = (await client.ask('GET', '/abis', undefined, as)).body;

    expect((await client.ask('GET', '/contracts/escrow-eu/fee', undefined, as)).status).toBe(200);
    expect((await client.ask('POST', '/contracts/escrow-eu/open?fly-from=treasury', { orderId: 1 }, as)).status).toBe(
      403,
    );
    expect((await client.ask('POST', '/hook', message, as)).status).toBe(403);
    expect((await client.ask('POST', `/abis/${id}?fly-from=treasury`, { fee_: 1 }, as)).status).toBe(403);
    expect((await client.ask('GET', '/eventstreams', undefined, as)).status).toBe(403);
    const [socket, heard] = await client.listen(key);
    await eventually(() => socket.readyState === WebSocket.CLOSED);
    expect(heard).toMatchObject([{ type: 'error', code: 'auth.forbidden' }]);
    expect((await fetch(`${hub.url}/api/contracts`, { headers: { authorization: basic(hub.key) } })).status).toBe(401);
  });
});
