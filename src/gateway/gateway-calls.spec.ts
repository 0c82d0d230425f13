import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GatewayApp } from '../../test/builders/gateway-app.js';
import { aMarket, order } from '../../test/builders/gateway-contracts.js';
import { devAccounts } from '../evm/testing/dev-chain.js';

let app: GatewayApp;
let address: string;

beforeAll(async () => {
  app = await GatewayApp.start();
  const { deployed } = await aMarket(app);
  ({ address } = deployed.body['contract'] as { address: string });
});

afterAll(() => app.close());

const call = (path: string, body?: unknown, headers?: Record<string, string>) =>
  app.ask(body === undefined ? 'GET' : 'POST', `/api/contracts/market/${path}`, body, headers);

describe('reading', () => {
  it('given functions, when they are read by GET, then inputs come from the query and numbers are decimal text', async () => {
    expect((await call('most')).body).toEqual({ result: '2' });
    expect((await call('sum?values=1&values=2')).body).toEqual({ result: '3' });
    expect((await call('sum?values=[1,"2",3]')).body).toEqual({ result: '6' });
    expect((await call('owner?block=latest')).body).toEqual({ result: devAccounts[0].address });
  });

  it('given overloads, when they are read by signature, then each is reached, and a bare name says which there are', async () => {
    const { address } = devAccounts[1];
    expect((await call(`find${encodeURIComponent('(uint256)')}?id=0`)).body).toEqual({ result: 'none' });
    // Its inputs are called like options.
    expect((await call(`find(address,uint256)?from=${address}&block=7&pb-block=latest`)).body).toEqual({
      result: { arg0: address, arg1: '7' },
    });
    expect((await call('find?id=0')).body).toMatchObject({
      status: 404,
      code: 'evm.unknownFunction',
      fix: expect.stringContaining('find(address,uint256)') as unknown,
    });
    expect((await call('verify')).body).toEqual({ result: true });
    expect((await call('verify()', {})).body).toEqual({ result: true });
  });

  it('given who asks, when a function is read, then it is an address or a signer, and another is refused by name', async () => {
    const { address } = devAccounts[1];
    const asked = (from: string) => call('most', { from });

    for (const from of [address, 'treasury']) expect((await asked(from)).body).toEqual({ result: '2' });
    expect((await call('most?from=treasury')).body).toEqual({ result: '2' });
    expect((await asked('nobody')).body).toMatchObject({ status: 404, code: 'evm.unknownSigner' });
    expect((await asked('0x12')).body).toMatchObject({ status: 404, code: 'evm.unknownSigner' });
  });

  it('given a block that is not there yet, when a function is read as of it, then that is told with the newest one', async () => {
    const head = Number(await app.chain.call('eth_blockNumber', []));
    const asOf = async (block: number | string) => (await call(`most?block=${String(block)}`)).body;

    expect(await asOf(head)).toEqual({ result: '2' });
    for (const block of [head + 1_000, `0x${(head + 1_000).toString(16)}`]) {
      expect(await asOf(block)).toMatchObject({
        status: 400,
        errors: [{ pointer: '#/block', detail: expect.stringContaining(`its newest is ${head}`) as unknown }],
      });
    }
    expect(await asOf('soon')).toMatchObject({
      status: 400,
      errors: [{ pointer: '#/block', detail: expect.stringMatching(/^must be .*pending, earliest$/) as unknown }],
    });
  });

  it('given nested tuples, when they go through the chain, then they come back as they went', async () => {
    const grid = [
      [1, 2],
      [3, 4],
    ];
    const read = await call('echo', { args: { order, grid } });
    const inOrder = await call('echo', {
      args: [[order.buyer, order.lines.map(Object.values), order.grid, order.memo], grid],
    });
    const query = new URLSearchParams({ order: JSON.stringify(order), grid: JSON.stringify(grid) });

    expect(read.body).toEqual({
      result: {
        arg0: {
          buyer: order.buyer,
          lines: order.lines.map((line) => ({ ...line, amount: String(line.amount) })),
          grid: ['-1', '32767'],
          memo: 'two lines',
        },
        arg1: [
          ['1', '2'],
          ['3', '4'],
        ],
      },
    });
    expect(inOrder.body).toEqual(read.body);
    expect((await call(`echo?${query.toString()}`)).body).toEqual(read.body);
  });

  it('given wrong inputs, when they are read, then each is a 4xx that names the input', async () => {
    const lines = [{ sku: 1, amount: 'many', note: '0x' }];
    expect((await call('sum?vales=1')).body).toMatchObject({ status: 400, errors: [{ pointer: '#/vales' }] });
    expect((await call('find(uint256)?id=-1')).body).toMatchObject({ status: 422, errors: [{ pointer: '#/id' }] });
    expect((await call('find(uint256)')).body).toMatchObject({ status: 422, errors: [{ pointer: '#/id' }] });
    expect((await call('most?block=newest')).body).toMatchObject({ status: 400, errors: [{ pointer: '#/block' }] });
    expect((await call('echo', { args: { order: { ...order, lines }, grid: [] } })).body).toMatchObject({
      status: 422,
      errors: [{ pointer: '#/args/order/lines/0/amount' }, { pointer: '#/args/order/lines/0/note' }],
    });
    expect((await call('echo?order={&grid=[]')).body).toMatchObject({ status: 400, errors: [{ pointer: '#/order' }] });
    for (const name of ['markt', 'constructor', '__proto__', 'toString']) {
      expect((await app.ask('GET', `/api/contracts/${name}/most`)).body).toMatchObject({ code: 'evm.unknownContract' });
      expect((await app.ask('GET', `/api/contracts/${name}`)).body).toMatchObject({ code: 'gateway.unknownContract' });
      expect((await call(name)).body).toMatchObject({ code: 'evm.unknownFunction' });
      expect((await call(`most?${name}=1`)).body).toMatchObject({ status: 400, errors: [{ pointer: `#/${name}` }] });
    }
  });

  it('given an address that nobody has registered, when an interface is named, then it can be called', async () => {
    await app.ask('POST', '/api/interfaces', { name: 'erc20', abi: erc20 });

    expect((await app.ask('GET', `/api/contracts/${address}/most?interface=bazaar@1`)).body).toEqual({ result: '2' });
    expect((await app.ask('GET', `/api/contracts/${app.chain.token}/decimals?interface=erc20`)).body).toEqual({
      result: '6',
    });
    expect((await app.ask('GET', `/api/contracts/${address}/decimals?interface=erc20`)).status).toBe(422);
    for (const none of ['bazaar@9', 'bazaar@x', 'bazaar@99999999999', '@1']) {
      expect((await app.ask('GET', `/api/contracts/${address}/most?interface=${none}`)).body).toMatchObject({
        status: 404,
        code: 'gateway.unknownInterface',
      });
    }
  });
});

const erc20 = [
  { type: 'function', name: 'decimals', inputs: [], outputs: [{ type: 'uint8' }], stateMutability: 'view' },
];

describe('sending', () => {
  it('given a function, when it is sent, then it is accepted with its nonce, or mined with decoded events', async () => {
    const accepted = await call('pay', { from: 'treasury', value: '5' });
    const mined = await call('place', { args: { order }, from: 'treasury', wait: 'mined' });

    expect(accepted).toMatchObject({ status: 202, body: { network: 'local', nonce: expect.any(Number) as unknown } });
    expect(mined).toMatchObject({
      status: 200,
      body: {
        blockNumber: expect.any(Number) as unknown,
        events: [
          { name: 'Ordered', args: { id: '1', from: order.buyer, total: '5', memo: 'two lines' } },
          { name: 'Ordered', args: { id: '1' } },
        ],
      },
    });
    expect((await call('paid')).body).toEqual({ result: '5' });
  });

  it('given a key, when it is used again, then it is the same transaction; with another body it is a conflict', async () => {
    const headers = { 'idempotency-key': 'pay-once' };
    const first = await call('pay', { from: 'treasury', value: 1 }, headers);
    const again = await call('pay', { from: 'treasury', value: 1 }, headers);
    const other = await call('pay', { from: 'treasury', value: 2 }, headers);

    expect(again.body['id']).toBe(first.body['id']);
    expect(other.body).toMatchObject({ status: 409, code: 'request.conflict' });
  });

  it('given a call that the contract refuses, when it is sent or simulated, then its own words are told', async () => {
    const many = { ...order, lines: [order.lines[0], order.lines[0], order.lines[0]] };
    const refused = await call('place', { args: { order: many }, from: 'treasury' });
    const panic = await call('divide?simulate=true', { args: [0], from: 'treasury' });
    const late = await call('ifFirst', { args: [99], from: 'treasury', gas: 100_000, wait: 'mined' });

    expect(refused.body).toMatchObject({
      status: 422,
      code: 'evm.reverted',
      detail: expect.stringContaining('TooMany') as unknown,
      error: { name: 'TooMany', signature: 'TooMany(uint256,uint256)', args: { given: '3', most: '2' } },
    });
    expect(panic.body).toMatchObject({
      code: 'evm.reverted',
      detail: expect.stringContaining('division') as unknown,
      error: { name: 'Panic', signature: 'Panic(uint256)', args: { code: '18' } },
    });
    expect(late.body).toMatchObject({
      code: 'evm.reverted',
      detail: expect.stringContaining('somebody was faster') as unknown,
      error: { name: 'Error', signature: 'Error(string)', args: { reason: 'somebody was faster' } },
    });
  });

  it('given a simulation, when it is asked for, then gas and result are told and nothing is sent', async () => {
    const before = await call('count');
    const simulated = await call('place', { args: { order }, from: 'treasury', simulate: true });
    const asked = await call('place?read=true', { args: { order } });

    expect(simulated.body).toEqual({ gas: expect.stringMatching(/^\d+$/) as unknown, result: '2' });
    expect(asked.body).toEqual({ result: '2' });
    expect(await call('count').then(({ body }) => body)).toEqual(before.body);
  });

  it('given a key that may only read, or nobody who sends, when it is sent, then it is refused', async () => {
    const { key } = await app.keys.create({ name: 'only-reads', scopes: ['chain:read'] });

    expect((await call('pay', { from: 'treasury' }, { key })).body).toMatchObject({ status: 403 });
    expect((await call('most', {}, { key })).body).toEqual({ result: '2' });
    expect((await call('pay', {})).body).toMatchObject({ status: 400, errors: [{ pointer: '#/from' }] });
    expect((await call('pay', { from: 'treasury', value: -1 })).body).toMatchObject({
      errors: [{ pointer: '#/value' }],
    });
  });
});

describe('calls that flows wait for', () => {
  it('given a flow that waits for a function, when it is called, then exactly such calls are kept', async () => {
    const kept = async () =>
      (await app.store.db.selectFrom('gateway_call').select('item').orderBy('seq').execute()).map(({ item }) => item);
    await call('pay', { from: 'treasury' });
    expect(await kept()).toEqual([]);
    await app.writeFlow('paid.yaml', paidFlow);

    const headers = { 'idempotency-key': 'kept-once' };
    const sent = await call('pay', { from: 'treasury' }, headers);
    await call('pay', { from: 'treasury' }, headers);
    await call('pay', { from: 'nobody' });
    await call('place', { from: 'treasury', args: { order } });
    await call('paid');

    expect(await kept()).toMatchObject([
      {
        id: sent.body['id'],
        transaction: sent.body['id'],
        caller: 'spec',
        contract: { name: 'market' },
        function: 'pay()',
        kind: 'send',
        args: {},
      },
    ]);
  });
});

const paidFlow = `
name: paid
trigger:
  uses: gateway.called
  with: { contract: market, function: pay }
steps:
  - id: tell
    uses: http.request
    with: { url: 'https://example.com', body: { from: '{{event.caller}}' } }
`;

describe('past events', () => {
  it('given many, when they are read in pages, then each comes once and in order, and indexed arguments filter', async () => {
    await app.ask('POST', '/api/interfaces', { name: 'transfers', abi: [transfer] });
    await app.ask('POST', '/api/contracts', { name: 'demo', address: app.chain.token, interface: 'transfers' });
    await app.chain.transferMany(25);
    await app.chain.mine(3);
    await app.chain.transfer(7n, address);

    const values: unknown[] = [];
    let cursor: string | undefined;
    do {
      const path = `/api/contracts/demo/events/Transfer?limit=10&from=${devAccounts[0].address}`;
      const { body } = await app.ask('GET', `${path}${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      values.push(...(body['events'] as { args: { value: string } }[]).map(({ args }) => args.value));
      cursor = body['cursor'] as string | undefined;
    } while (cursor !== undefined);
    const filtered = await app.ask('GET', `/api/contracts/demo/events/Transfer?to=${address}&to=${app.chain.token}`);

    expect(values).toEqual([...Array.from({ length: 25 }, () => '1'), '7']);
    expect(filtered.body['events']).toMatchObject([{ name: 'Transfer', args: { to: address, value: '7' } }]);
    expect((await app.ask('GET', '/api/contracts/demo/events/Transfer?value=1')).body).toMatchObject({
      status: 400,
      errors: [{ pointer: '#/value' }],
    });
    expect((await app.ask('GET', '/api/contracts/demo/events/Transfer?cursor=7')).status).toBe(400);
    expect((await call('events/Ordered')).body).toMatchObject({ code: 'evm.unknownFunction' });
  });
});

const transfer = {
  type: 'event',
  name: 'Transfer',
  inputs: [
    { name: 'from', type: 'address', indexed: true },
    { name: 'to', type: 'address', indexed: true },
    { name: 'value', type: 'uint256', indexed: false },
  ],
};
