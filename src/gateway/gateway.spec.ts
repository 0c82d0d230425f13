import { hash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { GatewayApp, type Answer } from '../../test/builders/gateway-app.js';
import { aMarket, bazaar } from '../../test/builders/gateway-contracts.js';
import { ContractsStore } from './contracts.store.js';

let app: GatewayApp;
let uploaded: Answer;
let deployed: Answer;

beforeAll(async () => {
  app = await GatewayApp.start();
  ({ uploaded, deployed } = await aMarket(app));
});

afterAll(() => app.close());

describe('interfaces', () => {
  it('given Solidity, when it is uploaded, then it is compiled and can be read back with what it was made from', async () => {
    expect(uploaded).toMatchObject({
      status: 201,
      body: {
        name: 'bazaar',
        version: 1,
        contract: 'Bazaar.sol:Bazaar',
        deployable: true,
        constructorInputs: ['uint256 most_'],
        functions: expect.arrayContaining(['find(uint256)', 'find(address,uint256)', 'pay()']) as unknown,
        links: { deploy: '/api/interfaces/bazaar/deploy' },
      },
    });
    const [detail, abi, sources] = await Promise.all([
      app.ask('GET', '/api/interfaces/bazaar'),
      app.ask('GET', '/api/interfaces/bazaar/abi'),
      app.ask('GET', '/api/interfaces/bazaar/sources'),
    ]);
    expect(detail.body['versions']).toMatchObject([{ version: 1, deployable: true }]);
    expect(abi.body).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'place' })]));
    expect(sources.body).toMatchObject({ language: 'Solidity', sources: { 'Bazaar.sol': { content: bazaar } } });
  });

  it('given the same sources again, when they are uploaded, then it is the same version; others are the next', async () => {
    const again = await app.upload({ 'Bazaar.sol': bazaar }, { name: 'bazaar' });
    const first = await app.ask('POST', '/api/interfaces', { name: 'steps', abi: [], bytecode: '0x6001' });
    const second = await app.ask('POST', '/api/interfaces', { name: 'steps', abi: [], bytecode: '0x6002' });

    expect(again.body['version']).toBe(1);
    expect([first.body['version'], second.body['version']]).toEqual([1, 2]);
    expect((await app.ask('GET', '/api/interfaces/steps?version=3')).body).toMatchObject({
      status: 404,
      code: 'gateway.unknownInterface',
      fix: 'It has: 2, 1',
    });
  });

  it('given an upload, when it is only listed, then nothing is registered', async () => {
    const listed = await app.upload(
      { 'Other.sol': bazaar.replace('contract Bazaar', 'contract Other') },
      { list: 'true' },
    );

    expect(listed).toMatchObject({ status: 200, body: { contracts: [{ name: 'Other', file: 'Other.sol' }] } });
    expect((await app.ask('GET', '/api/interfaces/Other')).status).toBe(404);
  });

  it('given bad uploads, when they are sent, then each is a 4xx that names the input and nothing is registered', async () => {
    const before = (await app.ask('GET', '/api/interfaces')).body['items'];
    const broken = await app.upload({ 'A.sol': 'pragma solidity ^0.8.0; contract A { nonsense }' });
    const unknown = await app.upload({ 'Bazaar.sol': bazaar }, { contract: 'Bazar' });
    const field = await app.upload({ 'Bazaar.sol': bazaar }, { sourc: 'Bazaar.sol' });
    const runs = await app.upload({ 'Bazaar.sol': bazaar }, { runs: 'many' });
    const empty = await app.ask('POST', '/api/interfaces', new FormData());
    const nothing = await app.ask('POST', '/api/interfaces');
    const abi = await app.ask('POST', '/api/interfaces', { name: 'x', abi: [{ type: 'function', name: 1 }] });

    expect(broken.body).toMatchObject({ status: 422, code: 'solidity.invalid', errors: [{ file: 'A.sol', line: 1 }] });
    expect(unknown.body).toMatchObject({ code: 'upload.invalid', errors: [{ pointer: '#/contract' }] });
    expect(field.body).toMatchObject({
      status: 400,
      code: 'request.invalid',
      errors: [{ pointer: '#/sourc', fix: expect.stringContaining('source, compiler') as unknown }],
    });
    expect(runs.body).toMatchObject({ errors: [{ pointer: '#/runs', detail: 'It must be a number' }] });
    expect([empty.status, nothing.status, abi.status]).toEqual([400, 400, 422]);
    expect((await app.ask('GET', '/api/interfaces')).body['items']).toEqual(before);
  });

  it('given a form without a key or without the scope, when it is sent, then it is refused before it is read', async () => {
    const { key } = await app.keys.create({ name: 'reader', scopes: ['chain:read'] });
    const form = new FormData();
    form.append('files', new Blob(['x']), 'A.sol');

    expect((await app.ask('POST', '/api/interfaces', form, { key: 'pbk_wrong' })).status).toBe(401);
    expect((await app.ask('POST', '/api/interfaces', form, { key })).status).toBe(403);
    expect((await app.ask('POST', '/api/contracts', form)).status).toBe(415);
  });
});

describe('deploying and registering', () => {
  it('given an interface, when it is deployed, then the contract is known by name and address, and verified', async () => {
    const { address } = deployed.body['contract'] as { address: string };
    const byName = await app.ask('GET', '/api/contracts/market');
    const verified = await app.ask('POST', '/api/contracts/market/verify');

    expect(['mined', 'confirmed']).toContain(deployed.body['status']);
    expect(deployed).toMatchObject({ status: 200, body: { contract: { name: 'market' } } });
    expect(byName.body).toMatchObject({
      address,
      interface: 'bazaar',
      version: 1,
      state: 'deployed',
      origin: 'registered',
    });
    expect((await app.ask('GET', `/api/contracts/${address}`)).body).toEqual(byName.body);
    expect(verified.body).toMatchObject({ result: 'exact', interface: 'bazaar' });
  });

  it('given another contract, when it is registered and verified, then it is different, and can be renamed and forgotten', async () => {
    const registered = await app.ask('POST', '/api/contracts', {
      name: 'token',
      address: app.chain.token,
      interface: 'bazaar',
    });
    const again = await app.ask('POST', '/api/contracts', {
      name: 'token',
      address: app.chain.token,
      interface: 'bazaar',
    });
    const verified = await app.ask('POST', '/api/contracts/token/verify');
    const used = await app.ask('DELETE', '/api/interfaces/bazaar');
    const renamed = await app.ask('PATCH', '/api/contracts/token', { name: 'coin' });
    const removed = await app.ask('DELETE', '/api/contracts/coin');

    expect([registered.status, again.status]).toEqual([201, 201]);
    expect(verified.body).toMatchObject({ result: 'different' });
    expect(used.body).toMatchObject({ status: 409, code: 'request.conflict' });
    expect([renamed.body['name'], removed.status]).toEqual(['coin', 204]);
    expect((await app.ask('GET', '/api/contracts/coin')).body).toMatchObject({ code: 'gateway.unknownContract' });
  });

  it('given bad registrations, when they are sent, then each is a 4xx that names the input', async () => {
    const register = (body: object) => app.ask('POST', '/api/contracts', { interface: 'bazaar', ...body });
    const nobody = await register({ address: `0x${'11'.repeat(20)}` });
    const checksum = await register({ address: '0x70997970C51812dc3A010C7d01b50e0d17dc79c8' });
    const name = await register({ address: app.chain.token, name: 'market' });
    const unknown = await register({ address: app.chain.token, interface: 'bazar' });
    const likeAnAddress = await register({ address: app.chain.token, name: '0x1234' });

    expect(nobody.body).toMatchObject({ status: 400, errors: [{ pointer: '#/address' }] });
    expect(checksum.body).toMatchObject({ status: 400, errors: [{ pointer: '#/address' }] });
    expect(name.body).toMatchObject({ status: 409, errors: [{ pointer: '#/name' }] });
    expect(unknown.body).toMatchObject({ status: 404, code: 'gateway.unknownInterface' });
    expect(likeAnAddress.body).toMatchObject({ status: 400, errors: [{ pointer: '#/name' }] });
  });

  it('given a deployment that cannot be, when it is asked for, then it says why and the name stays free', async () => {
    const deploy = (body: object) => app.ask('POST', '/api/interfaces/bazaar/deploy', { name: 'second', ...body });
    const wrong = await deploy({ from: 'treasury', args: { most_: '-1' } });
    const nobody = await deploy({ from: 'nobody', args: [1] });
    const taken = await deploy({ from: 'treasury', args: [1], name: 'market' });
    const headers = { 'idempotency-key': 'deploy-second' };
    const path = '/api/interfaces/bazaar/deploy';
    const first = await app.ask('POST', path, { from: 'treasury', args: [1], name: 'second', wait: 'mined' }, headers);
    const again = await app.ask('POST', path, { from: 'treasury', args: [1], name: 'second', wait: 'mined' }, headers);

    expect(wrong.body).toMatchObject({ status: 422, code: 'evm.arguments', errors: [{ pointer: '#/args/most_' }] });
    expect(nobody.body).toMatchObject({ status: 404, code: 'evm.unknownSigner' });
    expect(taken.body).toMatchObject({ status: 409, errors: [{ pointer: '#/name' }] });
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body['id']).toBe(first.body['id']);
  });
});

describe('a deployment that is asked for again', () => {
  const path = '/api/interfaces/bazaar/deploy';
  const wish = { from: 'treasury', args: [7], name: 'stand', wait: 'mined' };
  const headers = { 'idempotency-key': 'deploy-stand' };

  it('given that its contract has another name by then, then the answer is the same, and to another wish a conflict', async () => {
    const first = await app.ask('POST', path, wish, headers);
    await app.ask('PATCH', '/api/contracts/stand', { name: 'booth' });
    const again = await app.ask('POST', path, wish, headers);
    const successor = await app.ask('POST', path, wish, { 'idempotency-key': 'deploy-next-stand' });
    const withNameTaken = await app.ask('POST', path, wish, headers);
    const others = await Promise.all(
      [{ name: 'booth' }, { name: 'kiosk' }, { args: [8] }, { from: 'nobody' }].map((other) =>
        app.ask('POST', path, { ...wish, ...other }, headers),
      ),
    );

    const { id, contract } = first.body;
    expect([first.status, successor.status]).toEqual([200, 200]);
    expect(again).toMatchObject({ status: 200, body: { id, contract } });
    expect(withNameTaken).toMatchObject({ status: 200, body: { id, contract } });
    expect(others.map(({ status }) => status)).toEqual([409, 409, 409, 404]);
    expect((await app.ask('GET', '/api/contracts/booth')).body).toMatchObject({ transactionId: id });
  });

  it('given one that was accepted before names counted, when it is asked for again, then the answer is the same', async () => {
    const key = { 'idempotency-key': 'deploy-early' };
    const first = await app.ask('POST', path, { ...wish, name: 'early' }, key);
    const id = String(first.body['id']);
    const row = await app.store.db
      .selectFrom('chain_transaction')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const payload = [Number(row.chain_id), row.from_address, null, row.data, row.value];
    await app.store.db
      .updateTable('chain_transaction')
      .set({ payload_hash: hash('sha256', JSON.stringify(payload), 'hex') })
      .where('id', '=', id)
      .execute();

    const again = await app.ask('POST', path, { ...wish, name: 'early' }, key);

    expect(again).toMatchObject({ status: 200, body: { id } });
  });

  it('given a step of a flow whose contract has another name by then, when it is done again, then nothing is changed', async () => {
    const { body } = await app.ask('POST', path, { ...wish, name: 'tent' });
    const { address } = body['contract'] as { address: string };
    await app.ask('PATCH', '/api/contracts/tent', { name: null });

    await app.network.interfaces.register({
      network: app.network.name,
      address,
      name: 'tent',
      interface: { name: 'bazaar', version: 1 },
      transaction: String(body['id']),
      by: 'flow:fair',
    });

    expect((await app.ask('GET', '/api/contracts/tent')).status).toBe(404);
  });
});

describe('a deployment that is accepted', () => {
  const deploy = (name: string) =>
    app.ask('POST', '/api/interfaces/bazaar/deploy', { from: 'treasury', args: [1], name });

  it('given a hub that gets no further after that, then the contract is known by its name', async () => {
    // Its address is asked for only once the transaction has it.
    const real = Object.getOwnPropertyDescriptor(ContractsStore.prototype, 'find')?.value as ContractsStore['find'];
    const find = jest.spyOn(ContractsStore.prototype, 'find').mockImplementation(async function (
      this: ContractsStore,
      network,
      nameOrAddress,
    ) {
      if (nameOrAddress.startsWith('0x')) throw new PatchbayError('store.unavailable');
      return await real.call(this, network, nameOrAddress);
    });

    const cutOff = await deploy('abandoned');
    find.mockRestore();

    expect(cutOff.status).toBe(503);
    await eventually(async () => (await app.ask('GET', '/api/contracts/abandoned')).body['state'] === 'deployed');
  });

  it('given two with the same name at once, then only one of them sends anything', async () => {
    const count = async () => (await app.store.db.selectFrom('chain_transaction').select('id').execute()).length;
    const before = await count();

    const answers = await Promise.all([deploy('twins'), deploy('twins')]);

    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect(await count()).toBe(before + 1);
  });
});

describe('a deployment that is not mined', () => {
  afterEach(() => app.chain.call('evm_setAutomine', [true]));

  it('given a contract that is still being deployed, when it is called, then it says so, and works once it is there', async () => {
    await app.chain.call('evm_setAutomine', [false]);
    const wish = { from: 'treasury', args: [3], name: 'coming' };
    const accepted = await app.ask('POST', '/api/interfaces/bazaar/deploy', wish);
    const early = await app.ask('GET', '/api/contracts/coming/most');
    const seen = await app.ask('GET', '/api/contracts/coming');
    await app.chain.call('evm_setAutomine', [true]);
    await app.chain.mine();

    expect(accepted.status).toBe(202);
    expect(early.body).toMatchObject({ status: 409, detail: expect.stringContaining('being deployed') as unknown });
    expect(seen.body).toMatchObject({ state: 'deploying', transactionId: accepted.body['id'] });
    await eventually(async () => (await app.ask('GET', '/api/contracts/coming/most')).body['result'] === '3');
  });

  it('given a deployment that is cancelled, when the name is used again, then it is free', async () => {
    await app.chain.call('evm_setAutomine', [false]);
    const wish = { from: 'treasury', args: [3], name: 'never' };
    const { body } = await app.ask('POST', '/api/interfaces/bazaar/deploy', wish);
    await app.network.transactions.cancel(String(body['id']));
    // Whichever of the two is mined decides, so the one that does nothing must be there first.
    await eventually(() =>
      app.store.db
        .selectFrom('chain_transaction_attempt')
        .select('hash')
        .where('transaction_id', '=', String(body['id']))
        .where('kind', '=', 'filler')
        .where('sent_at', 'is not', null)
        .executeTakeFirst(),
    );
    await eventually(async () => {
      await app.chain.mine();
      return (await app.ask('GET', '/api/contracts/never')).body['state'] === 'failed';
    });
    await app.chain.call('evm_setAutomine', [true]);
    expect((await app.ask('GET', '/api/contracts/never/most')).body).toMatchObject({ code: 'evm.unknownContract' });

    const again = await app.ask('POST', '/api/interfaces/bazaar/deploy', { ...wish, wait: 'mined' });

    expect(again.status).toBe(200);
    expect((await app.ask('GET', '/api/contracts/never/most')).body).toEqual({ result: '3' });
  });
});
