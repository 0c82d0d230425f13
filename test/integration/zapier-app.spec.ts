import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../builders/eventually.js';
import { removable } from '../builders/removable.js';
import { ZapierHub } from '../builders/zapier-hub.js';
import { ZapierPlatform, fullApp, operation, type Given } from '../builders/zapier-platform.js';

const ada = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const bob = '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc';

const failing = `
name: zap-fails
trigger: { uses: zapier.runFlow, with: { fields: { amount: { type: integer } } } }
steps:
  - id: mint
    uses: evm.sendTransaction
    with: { contract: loyalty-token, function: mint, args: { to: "${ada}", amount: "{{event.fields.amount}}" }, from: visitor }
`;
const picky = `
name: zap-picky
trigger:
  uses: zapier.runFlow
  with: { fields: { size: { type: integer, required: false } } }
  where: { event.fields.size: { gte: 10 } }
steps:
  - { id: told, uses: zapier.publish, with: { event: picked, fields: { size: "{{event.fields.size}}" }, delivery: batch } }
`;

let hub: ZapierHub;
let zapier: ZapierPlatform;

beforeAll(async () => {
  hub = await ZapierHub.start({
    'zap-points.yaml': await readFile('flows/zap-points.yaml', 'utf8'),
    'zap-fails.yaml': failing,
    'zap-picky.yaml': picky,
  });
  zapier = new ZapierPlatform(hub, await hub.makeKey());
});

afterAll(() => hub.close());

describe('connecting', () => {
  it('given address and key, when the connection is tested, then it says which hub it is', async () => {
    expect(await zapier.run(fullApp.authentication.test)).toEqual({
      id: expect.any(String),
      name: 'zapier',
      instance: 'hub.example',
    });
  });

  it.each([
    ['a key that is none', () => ({ baseUrl: hub.url, apiKey: 'pbk_none' }), 'ExpiredAuthError'],
    [
      'a key for other things',
      async () => ({ baseUrl: hub.url, apiKey: await hub.makeKey(['runs:read']) }),
      'AppError',
    ],
    ['an address that is not encrypted', () => ({ baseUrl: 'http://hub.example', apiKey: 'k' }), 'AppError'],
  ])('given %s, when it is tested, then the error is of the right kind', async (_name, given, kind) => {
    const failure = await zapier
      .run(fullApp.authentication.test, { authData: await given() })
      .catch((error: Given) => error);
    expect(failure.name).toBe(kind);
  });

  it('given no key or a wrong request, when the hub answers, then it is JSON with a message and never 401 for policy', async () => {
    const key = zapier.apiKey;
    const asked = async (method: string, path: string, body?: unknown, withKey = key) => {
      const answer = await hub.ask(method, path, body, withKey);
      expect(answer.type).toContain('json');
      return [answer.status, typeof answer.body['message']];
    };

    const { body } = await hub.ask('POST', '/zapier/subscriptions', { trigger: 'contract_event' }, key);
    expect(body['message']).toMatch(/^\d faults? in the body of the request: targetUrl: It is missing/);
    expect(await asked('GET', '/zapier/me', undefined, '')).toEqual([401, 'string']);
    expect(await asked('POST', '/zapier/calls', {}, key)).toEqual([403, 'string']);
    expect(await asked('GET', '/zapier/lists/nothing')).toEqual([404, 'string']);
    expect(await asked('GET', '/zapier/samples/nothing')).toEqual([404, 'string']);
    expect(await asked('POST', '/zapier/runs', { flow: 'none' })).toEqual([404, 'string']);
    expect(await asked('POST', '/zapier/runs', {})).toEqual([422, 'string']);
    expect(await asked('POST', '/zapier/runs', { flow: 'zap-points', fields: { wallet: 'x' } })).toEqual([
      422,
      'string',
    ]);
    expect((await hub.ask('GET', '/zapier/nothing', undefined, key)).type).toContain('json');
  });
});

describe('drop-downs and fields', () => {
  it('given networks, contracts and flows, when a drop-down is opened, then it has them', async () => {
    expect(await zapier.list('network_list')).toEqual([{ id: 'local', name: 'local (chain 31337)' }]);
    expect(await zapier.list('contract_list')).toContainEqual({
      id: 'usdc',
      name: expect.stringContaining('usdc (0x'),
    });
    expect(await zapier.list('event_list', { contract: 'usdc' })).toContainEqual({
      id: 'Transfer',
      name: 'Transfer(address,address,uint256)',
    });
    expect(await zapier.list('event_list')).toEqual([]);
    const reading = await zapier.list('function_list', { contract: 'usdc' });
    expect(reading.map(({ id }: Given) => id)).toContain('balanceOf');
    expect(reading.map(({ id }: Given) => id)).not.toContain('mint');
    expect((await zapier.list('sending_function_list', { contract: 'usdc' })).map(({ id }: Given) => id)).toContain(
      'mint',
    );
    expect((await zapier.list('runnable_flow_list')).map(({ id }: Given) => id)).toEqual([
      'zap-fails',
      'zap-picky',
      'zap-points',
    ]);
    expect((await zapier.list('flow_list')).length).toBe(3);
    expect(await zapier.list('published_event_list')).toContainEqual({
      id: 'points_minted',
      name: 'Points Minted (zap-points)',
    });
    expect(await zapier.run(operation('triggers', 'network_list').perform, { meta: { page: 1 } })).toEqual([]);
  });

  it('given a function or a flow, when it is chosen, then its arguments become fields', async () => {
    expect(await zapier.fields('read_contract', { contract: 'usdc', function: 'balanceOf' })).toEqual([
      expect.objectContaining({ key: expect.stringMatching(/^arg_/), type: 'string', required: true }),
    ]);
    expect((await zapier.fields('run_flow', { flow: 'zap-points' })).map(({ key }: Given) => key)).toEqual([
      'field_wallet',
      'field_points',
    ]);
    expect(await zapier.fields('run_flow', {})).toEqual([]);
    expect(await zapier.fields('call_contract', { contract: 'usdc', function: 'transfer' })).toHaveLength(2);
  });
});

describe('triggers', () => {
  it('given a Zap on transfers, when one happens, then it gets what its samples promised, once', async () => {
    const inputData = { contract: 'usdc', to: ada, minimum: '100' };
    const before = await zapier.samples('token_transfer', inputData);
    const zap = await zapier.switchOn('token_transfer', 'transfers', inputData);
    const again = await zapier.switchOn('token_transfer', 'transfers', inputData);
    expect(again.subscribeData).toEqual(zap.subscribeData);

    await hub.transfer(50, ada);
    const hash = await hub.transfer(25_000, ada);
    const [item] = await zapier.received('transfers');

    expect(item).toMatchObject({
      id: expect.stringMatching(new RegExp(`^31337:${hash}:\\d+$`)),
      contract_name: 'usdc',
      to: ada,
      amount: '25000000000',
      amount_formatted: '25000',
      time: expect.stringMatching(/Z$/),
    });
    expect(Object.keys(before[0]).sort()).toEqual(Object.keys(item).sort());
    expect(Object.keys(operation('triggers', 'token_transfer').sample).sort()).toEqual(Object.keys(item).sort());
    const samples = await eventually(async () => {
      const shown = await zapier.samples('token_transfer', inputData);
      return shown.some(({ id }: Given) => id === item.id) && shown;
    });
    expect(samples).toContainEqual(item);
    const { perform } = operation('triggers', 'token_transfer');
    const bundle = { inputData, cleanedRequest: item, ...zap };
    expect(await zapier.run(perform, bundle)).toEqual([item]);
    expect(await zapier.run(perform, bundle)).toEqual([]);
    expect(await zapier.run(perform, { ...bundle, cleanedRequest: [item, { ...item, id: 'other' }] })).toHaveLength(1);
    expect(hub.zapier.hook('1001/transfers').report()).toMatchObject({ items: 1, doubled: 0 });
  });

  it('given a Zap on an event, when it is switched off, then nothing comes any more, and off again is no fault', async () => {
    const inputData = { network: 'local', contract: 'usdc', event: 'Transfer', burst: 'batch' };
    const zap = await zapier.switchOn('contract_event', 'events', inputData);
    await hub.transfer(1, ada);
    const [item] = await zapier.received('events');
    const [sample] = await zapier.samples('contract_event', inputData);

    const { performUnsubscribe } = operation('triggers', 'contract_event');
    expect(await zapier.run(performUnsubscribe, zap)).toEqual(zap.subscribeData);
    expect(await zapier.run(performUnsubscribe, zap)).toEqual(zap.subscribeData);
    await zapier.run(performUnsubscribe, { subscribeData: { id: 'never-known' } });

    expect(item).toMatchObject({ event: 'Transfer', arg_to: ada, arg_value: '1000000', arg_value_formatted: '1' });
    expect(Object.keys(sample).sort()).toEqual(Object.keys(item).sort());
    const { body } = await hub.ask('GET', '/zapier/subscriptions', undefined, zapier.apiKey);
    expect((body['items'] as Given[]).map(({ id }) => id)).not.toContain(zap.subscribeData.id);
  });

  it('given a hub that stops and comes back, when transfers happen meanwhile, then each is told of once', async () => {
    await zapier.switchOn('token_transfer', 'restart', { contract: 'usdc', to: ada, minimum: '7' });
    await hub.halt();
    const hashes = [await hub.transfer(7, ada), await hub.transfer(8, ada)];
    await hub.boot();

    await zapier.received('restart', 2);
    hashes.push(await hub.transfer(9, ada));
    const items = await zapier.received('restart', 3);

    expect(items.map(({ transaction_hash }) => transaction_hash)).toEqual(hashes);
    expect(hub.zapier.hook('1001/restart').report()).toMatchObject({ items: 3, distinct: 3 });
  });

  it('given a transfer that a reorganisation removes and that is mined again, when it is heard again, then the Zap is not told again', async () => {
    const { rpc } = hub.chain;
    await zapier.switchOn('token_transfer', 'reorganised', { contract: 'usdc', to: bob });
    const { hash, depth } = await removable(rpc, () => hub.transfer(11, bob));
    const raw = await rpc<string>('eth_getRawTransactionByHash', hash);
    const [told] = await zapier.received('reorganised');

    await rpc('anvil_reorg', await depth(), []);
    await rpc('eth_sendRawTransaction', raw);
    const again = await eventually(() => rpc<{ blockHash: string } | null>('eth_getTransactionReceipt', hash));
    await hub.transfer(12, bob);
    const items = await zapier.received('reorganised', 2);

    expect(again.blockHash).not.toBe(told.block_hash);
    expect(items.map(({ amount_formatted }) => amount_formatted)).toEqual(['11', '12']);
    expect(hub.zapier.hook('1001/reorganised').report()).toMatchObject({ items: 2, distinct: 2 });
  });

  it('given a Zap that vanished at Zapier, when something happens, then its subscription is removed', async () => {
    const zap = await zapier.switchOn('token_transfer', 'vanished', { contract: 'usdc', to: ada });
    hub.zapier.hook('1001/vanished').turnOff();
    await hub.transfer(3, ada);

    await eventually(async () => {
      const { body } = await hub.ask('GET', '/zapier/subscriptions', undefined, zapier.apiKey);
      return !(body['items'] as Given[]).some(({ id }) => id === zap.subscribeData.id);
    });
    await zapier.switchOn('token_transfer', 'witness', { contract: 'usdc', to: ada });
    await hub.transfer(4, ada);
    await zapier.received('witness');
    expect(hub.zapier.hook('1001/vanished').report()).toMatchObject({ requests: 1, after410: 0 });
  });

  it.each([
    ['an inner address', { targetUrl: 'https://10.0.0.1/hooks' }, 403],
    ['a cloud that hands out credentials', { targetUrl: 'https://169.254.169.254/latest' }, 403],
    ['no encryption', { targetUrl: 'http://hooks.zapier.com/hooks/standard/1/a/' }, 403],
    ['another scheme', { targetUrl: 'file:///etc/passwd' }, 403],
    ['no address', { targetUrl: 'hooks' }, 422],
    ['an unknown contract', { input: { contract: 'nothing', event: 'Transfer' } }, 404],
    ['an unknown event', { input: { contract: 'usdc', event: 'Nothing' } }, 404],
    ['an unknown network', { input: { network: 'moon', contract: 'usdc', event: 'Transfer' } }, 404],
    ['a missing field', { input: { contract: 'usdc' } }, 422],
    ['a field too many', { input: { contract: 'usdc', event: 'Transfer', colour: 'red' } }, 422],
    ['an unknown trigger', { trigger: 'nothing' }, 422],
    ['an event that no flow publishes', { trigger: 'flow_published', input: { event: 'nothing' } }, 404],
    ['an unknown flow', { trigger: 'flow_finished', input: { flow: 'nothing' } }, 404],
    ['a wrong address in a field', { trigger: 'token_transfer', input: { contract: 'usdc', to: '0x1' } }, 422],
  ])('given %s, when it is subscribed, then it is refused with what to do', async (_name, given, status) => {
    const wanted = {
      targetUrl: `${hub.server.url}/hooks/standard/1001/bad/`,
      trigger: 'contract_event',
      input: { contract: 'usdc', event: 'Transfer' },
      ...given,
    };
    const answer = await hub.ask('POST', '/zapier/subscriptions', wanted, zapier.apiKey);

    expect(answer.status).toBe(status);
    expect(answer.body['message']).toEqual(expect.any(String));
  });
});

describe('running flows', () => {
  it('given a Zap that waits, when the transaction is confirmed, then the step goes on, and other Zaps hear of it', async () => {
    const published = await zapier.switchOn('flow_published', 'published', { event: 'points_minted' });
    await zapier.switchOn('flow_finished', 'finished', { flow: 'zap-points' });
    await zapier.switchOn('transaction_status', 'status', { statuses: ['confirmed'], contract: 'loyalty-token' });
    const [promised] = await zapier.samples('flow_published', { event: 'points_minted' });
    const inputData = { flow: 'zap-points', field_wallet: ada, field_points: '2.5' };

    const { results, status } = await zapier.execute('creates.run_flow.operation.perform', { inputData }, 'points');
    const cleanedRequest = await zapier.callback('points');
    const resumed = await zapier.execute('creates.run_flow.operation.performResume', {
      inputData,
      outputData: results,
      cleanedRequest,
    });

    expect(status).toBe('CALLBACK');
    expect(results).toMatchObject({ flow: 'zap-points', duplicate: false });
    expect(resumed.results).toMatchObject({
      run_id: results.run_id,
      state: 'completed',
      error: null,
      outputs: { mint_status: 'confirmed', mint_transactionHash: expect.stringMatching(/^0x/) },
    });
    const [item] = await zapier.received('published');
    expect(item).toMatchObject({ event: 'points_minted', wallet: ada, points: '2.5' });
    expect(Object.keys(promised).sort()).toEqual(Object.keys(item).sort());
    expect(await zapier.received('finished')).toMatchObject([{ run_id: results.run_id, state: 'completed' }]);
    const [change] = await zapier.received('status');
    expect(change).toMatchObject({ status: 'confirmed', contract: 'loyalty-token', signer: 'treasury' });
    expect(Object.keys(operation('triggers', 'transaction_status').sample).sort()).toEqual(Object.keys(change).sort());
    expect(published.subscribeData.id).toEqual(expect.any(String));
  });

  it('given a transaction that reverts, when the run has failed, then the step throws what the contract said', async () => {
    const inputData = { flow: 'zap-fails', field_amount: '1' };
    const { results } = await zapier.execute('creates.run_flow.operation.perform', { inputData }, 'fails');
    const cleanedRequest = await zapier.callback('fails');

    expect(cleanedRequest).toMatchObject({ run_id: results.run_id, state: 'failed', error: { code: 'evm.reverted' } });
    await expect(
      zapier.execute('creates.run_flow.operation.performResume', { inputData, outputData: results, cleanedRequest }),
    ).rejects.toThrow(/NotOwner/);
    expect(hub.zapier.callbacks().get('fails')).toHaveLength(1);
  });

  it('given a step that Zapier repeats, when it comes again, then nothing runs twice', async () => {
    const inputData = { flow: 'zap-picky', field_size: '12', wait: false, once_for: 'event-7' };
    const first = await zapier.create('run_flow', inputData);
    const second = await zapier.create('run_flow', inputData);
    const withCallback = { inputData: { flow: 'zap-picky', field_size: '13' } };
    const third = await zapier.execute('creates.run_flow.operation.perform', withCallback, 'repeated');
    const fourth = await zapier.execute('creates.run_flow.operation.perform', withCallback, 'repeated');

    expect(second).toMatchObject({ id: first.id, duplicate: true });
    expect(fourth.results).toMatchObject({ id: third.results.id, duplicate: true });
    await zapier.callback('repeated');
  });

  it('given conditions that do not hold, or a paused flow, when it is run, then the Zap is halted and stays on', async () => {
    const small = { flow: 'zap-picky', field_size: '3', wait: false };
    const failure = await zapier.create('run_flow', small).catch((e: Given) => e);
    await hub.ask('POST', '/api/flows/zap-picky/pause');
    const paused = await zapier.create('run_flow', { ...small, field_size: '20' }).catch((e: Given) => e);
    await hub.ask('POST', '/api/flows/zap-picky/resume');

    expect([failure.name, paused.name]).toEqual(['HaltedError', 'HaltedError']);
  });

  it('given fields that are wrong, when it is run, then the error says which', async () => {
    const inputData = { flow: 'zap-points', field_wallet: '0x1', wait: false };

    await expect(zapier.create('run_flow', inputData)).rejects.toThrow(/Wallet must be an address.*Points is missing/);
  });

  it('given the editor, when the step is tried, then nothing runs and the answer looks like a real one', async () => {
    const meta = { isLoadingSample: true };
    const sample = await zapier.create('run_flow', { flow: 'zap-points' }, meta);

    expect(sample).toMatchObject({ flow: 'zap-points', state: 'completed' });
    expect(await zapier.create('mint_token', {}, meta)).toMatchObject({
      status: 'confirmed',
    });
  });
});

describe('reading, sending and finding', () => {
  it('given a function that reads, when it is called, then its values come flat', async () => {
    const names = await zapier.fields('read_contract', { contract: 'usdc', function: 'balanceOf' });
    const inputData = { contract: 'usdc', function: 'balanceOf', [names[0].key]: ada };

    const answer = await zapier.create('read_contract', inputData);
    expect(Object.entries(answer).find(([key]) => key.startsWith('result'))?.[1]).toMatch(/^\d+$/);
    await expect(zapier.create('read_contract', { contract: 'usdc', function: 'mint' })).rejects.toThrow(
      /changes the chain/,
    );
    await expect(zapier.create('read_contract', { ...inputData, [names[0].key]: '0x1' })).rejects.toThrow(/address/);
  });

  it('given the opt-in app and a key that may send, when it mints, then the step goes on once it is confirmed', async () => {
    const sender = { baseUrl: hub.url, apiKey: await hub.makeKey(['zapier:use', 'chain:send']) };
    const inputData = { contract: 'loyalty-token', to: ada, amount: '5', signer: 'treasury', once_for: 'mint-1' };

    const { results } = await zapier.execute(
      'creates.mint_token.operation.perform',
      { authData: sender, inputData },
      'mint',
    );
    const cleanedRequest = await zapier.callback('mint');
    const resumed = await zapier.execute('creates.mint_token.operation.performResume', {
      outputData: results,
      cleanedRequest,
    });

    expect(resumed.results).toMatchObject({ status: 'confirmed', function: 'mint(address,uint256)' });
    await expect(zapier.execute('creates.mint_token.operation.perform', { inputData }, 'no')).rejects.toThrow(
      /chain:send/,
    );
    const [found] = await zapier.search('find_transaction', { transaction: results.id });
    expect(found).toMatchObject({ id: results.id, status: 'confirmed' });
    const [byHash] = await zapier.search('find_transaction', { transaction: found.transaction_hash });
    expect(byHash.id).toBe(results.id);
  });

  it('given runs, when one is looked for, then it is found by id and by flow, and nothing is no fault', async () => {
    const find = (inputData: Given) => zapier.search('find_run', inputData);
    const [newest] = await find({ flow: 'zap-points', state: 'completed' });

    expect(newest).toMatchObject({ flow: 'zap-points', state: 'completed', error_code: '' });
    expect((await find({ run: newest.run_id }))[0]).toEqual(newest);
    expect(await find({ run: '2040e8bf-ce55-8998-a33d-71433dc91548' })).toEqual([]);
    expect(await find({ run: 'none' })).toEqual([]);
    expect(await find({ flow: 'nothing' })).toEqual([]);
    await expect(find({})).rejects.toThrow(/Give one of them/);
    expect(await zapier.search('find_transaction', { transaction: 'unknown' })).toEqual([]);
  });
});
