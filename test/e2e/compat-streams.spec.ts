import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { devAccounts } from '../../src/evm/testing/dev-chain.js';
import { eventually } from '../builders/eventually.js';
import type { OldClient } from '../builders/old-client.js';
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

describe('event streams of old clients', () => {
  it('given a webhook, when subscriptions are made in each way, then events come as arrays of old events', async () => {
    const stream = await client.ask('POST', '/eventstreams', {
      name: 'orders',
      type: 'webhook',
      batchSize: 10,
      batchTimeoutMS: 50,
      errorHandling: 'block',
      blockedReryDelaySec: 2,
      inputs: true,
      timestamps: true,
      webhook: { url: `${hub.target.url}/old`, headers: { 'x-token': 'secret' } },
    });
    const { id } = stream.body;
    await hub.settle(1, 10);
    const short = await client.ask('POST', '/contracts/escrow-eu/Settled/subscribe', {
      stream: id,
      name: 'settled',
      fromBlock: '0',
    });
    const byAbi = await client.ask('POST', '/subscriptions', {
      stream: id,
      address,
      event: { type: 'event', name: 'Opened', inputs: [{ name: 'orderId', type: 'uint256', indexed: false }] },
    });
    await hub.open(77);
    const eventsOf = ({ body }: { readonly body: { readonly id?: string } }) =>
      hub.eventsTo('/old').filter(({ subId }) => subId === body.id);
    await eventually(() => [short, byAbi].every((subscription) => eventsOf(subscription).length > 0));
    const settled = eventsOf(short);

    expect(stream).toMatchObject({
      status: 200,
      body: { blockedRetryDelaySec: 2, webhook: { headers: { 'x-token': '***' } } },
    });
    expect([short.status, byAbi.status]).toEqual([200, 201]);
    expect(short.body).toMatchObject({ name: 'settled', filter: { address: [address] }, fromBlock: '0' });
    expect(settled[0]).toMatchObject({
      address,
      signature: 'Settled(uint256,address,uint256)',
      data: { orderId: '1', buyer, amount: '10' },
      transactionIndex: '0x0',
      logIndex: '0',
      inputMethod: 'settle',
      inputArgs: { orderId: '1' },
      inputSigner: devAccounts[0].address,
    });
    expect(settled[0]).toMatchObject({
      blockNumber: expect.stringMatching(/^\d+$/),
      timestamp: expect.stringMatching(/^\d{10}$/),
      id: expect.any(String),
    });
    expect(eventsOf(byAbi)).toHaveLength(1);
  });

  it('given a stream with subscriptions, when it is changed, suspended and reset, then only what was meant moves', async () => {
    const { id } = (
      await client.ask('POST', '/eventstreams', {
        type: 'webhook',
        batchSize: 50,
        batchTimeoutMS: 20,
        webhook: { url: `${hub.target.url}/one` },
      })
    ).body;
    const one = (await client.ask('POST', '/contracts/escrow-eu/Opened/subscribe', { stream: id })).body.id as string;
    const two = (await client.ask('POST', '/contracts/escrow-eu/Settled/subscribe', { stream: id })).body.id as string;
    const got = (path: string) => hub.eventsTo(path).map(({ data }) => data['orderId']);

    await hub.open(1001);
    await eventually(() => got('/one').includes('1001'));
    expect((await client.ask('POST', `/eventstreams/${id}/suspend`)).status).toBe(204);
    expect(
      (await client.ask('PATCH', `/eventstreams/${id}`, { webhook: { url: `${hub.target.url}/two` } })).body,
    ).toMatchObject({
      suspended: true,
    });
    await hub.open(1002);
    expect((await client.ask('POST', `/eventstreams/${id}/resume`)).status).toBe(204);
    expect((await client.ask('POST', `/eventstreams/${id}/resume`)).status).toBe(409);
    await eventually(() => got('/two').includes('1002'));
    // What was delivered as it was suspended may be delivered again.
    expect(got('/two').filter((order) => order !== '1001')).toEqual(['1002']);

    expect((await client.ask('POST', `/subscriptions/${one}/reset`, { fromBlock: '0' })).status).toBe(204);
    await eventually(
      () => got('/two').includes('1001') && got('/two').filter((order) => order === '1002').length === 2,
    );
    expect(hub.eventsTo('/two').every(({ subId }) => subId === one)).toBe(true);

    expect((await client.ask('PATCH', `/eventstreams/${id}`, { type: 'websocket' })).status).toBe(400);
    expect((await client.ask('DELETE', `/subscriptions/${two}`)).status).toBe(204);
    expect((await client.ask('DELETE', `/eventstreams/${id}`)).status).toBe(204);
    expect((await client.ask('GET', `/subscriptions/${one}`)).status).toBe(404);
    expect((await client.ask('GET', `/eventstreams/${id}`)).status).toBe(404);
  });

  it('given a topic, when an old client listens, then batches come one by one and again until they are accepted', async () => {
    const { id } = (
      await client.ask('POST', '/eventstreams', {
        name: 'live',
        type: 'websocket',
        batchTimeout: '20ms',
        websocket: { topic: 'ignored' },
      })
    ).body;
    await client.ask('POST', '/subscriptions', {
      stream: 'live',
      filters: [{ event: { name: 'Opened', inputs: [{ name: 'orderId', type: 'uint256' }] }, address }],
    });
    const [socket, heard] = await client.listen();
    const say = (message: object) => socket.send(JSON.stringify(message));

    say({ type: 'listen', stream: 'live' });
    await hub.open(2001);
    const [first] = await eventually(() => heard.length > 0 && heard);
    say({ type: 'ack', stream: 'live', batchNumber: first.batchNumber + 5 });
    say({ type: 'error', stream: 'live', batchNumber: first.batchNumber, message: 'not now' });
    await eventually(() => heard.length === 2);
    say({ type: 'ack', stream: 'live', batchNumber: heard[1].batchNumber });
    say({ type: 'listenreplies' });
    await eventually(() => heard.length === 3);
    socket.close();

    expect(first.events).toMatchObject([
      {
        data: { orderId: '2001' },
        logIndex: '0',
        transactionIndex: '0',
        chainId: '31337',
        listenerType: 'events',
        streamId: id,
      },
    ]);
    expect(heard[1].events).toEqual(first.events);
    expect(heard[2]).toMatchObject({ type: 'error', code: 'request.invalid' });
  });

  it('given a broadcast, when several streams share its topic, then arrays come without waiting for an answer', async () => {
    const websocket = { topic: 'news', distributionMode: 'broadcast' };
    const ids: string[] = [];
    for (const event of ['Opened', 'Settled']) {
      const { id } = (
        await client.ask('POST', '/eventstreams', { type: 'websocket', batchSize: 5, batchTimeoutMS: 20, websocket })
      ).body;
      const { body } = await client.ask('POST', `/contracts/escrow-eu/${event}/subscribe`, {
        stream: id,
        fromBlock: 'latest',
      });
      ids.push(String(body.id));
    }
    const [socket, heard] = await client.listen();
    socket.send(JSON.stringify({ type: 'listen', topic: 'news' }));
    await eventually(async () => {
      await hub.open(3001);
      await hub.settle(3002, 1);
      return ids.every((id) => heard.flat().some(({ subId }) => subId === id));
    });
    socket.close();

    expect(heard.flat()).toContainEqual(expect.objectContaining({ data: { orderId: '3001' } }));
    expect((await client.ask('GET', `/subscriptions/${ids[0]}`)).body).toMatchObject({
      signature: `${address}:Opened(uint256)`,
      fromBlock: 'latest',
    });
    expect((await client.ask('GET', '/subscriptions')).body.length).toBeGreaterThan(2);
  });
});
