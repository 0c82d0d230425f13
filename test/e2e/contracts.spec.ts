import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { Webhook } from 'standardwebhooks';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { aZip } from '../../src/gateway/compile/testing/packing.js';
import { eventually } from '../builders/eventually.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { silentLog } from '../environment/silent-log.js';

const secret = `whsec_${Buffer.from('a secret of thirty-two bytes ...').toString('base64')}`;

interface Delivered {
  readonly type: string;
  readonly data: { readonly name: string; readonly args: Readonly<Record<string, string>> };
}
interface Batch {
  readonly batch: number;
  readonly events: readonly Delivered[];
}
interface Answer {
  readonly status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of many routes, each compared with what it must be
  readonly body: any;
}

let database: TestDatabase;
let sandbox: Sandbox;
let hub: HubProcess;
let socket: Socket | undefined;

beforeAll(async () => {
  [database, sandbox] = await Promise.all([
    createTestDatabase(),
    startSandbox({ port: 0, chainPort: 0, blockTimeSeconds: 1, log: silentLog }),
  ]);
  hub = await HubProcess.create({
    databaseUrl: database.url,
    flows: {},
    configuration: await readFile('patchbay.yaml', 'utf8'),
    env: { ...sandbox.env },
  });
  await hub.start();
});

afterAll(async () => {
  socket?.close();
  await hub.remove();
  await sandbox.stop();
  await database.drop();
});

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(hub.url + path, {
    ...init,
    headers: { authorization: `Bearer ${hub.key}`, ...init.headers },
  });
  return { status: response.status, body: await response.json() };
}

function post(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function theProject(): Promise<Blob> {
  const folder = join('contracts', 'examples', 'market');
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.sol'));
  const entries = files.map(async (name) => ({ name, content: await readFile(join(folder, name), 'utf8') }));
  return new Blob([new Uint8Array(aZip(await Promise.all(entries)))], { type: 'application/zip' });
}

function upload(project: Blob, options: Readonly<Record<string, string>>): Promise<Answer> {
  const form = new FormData();
  form.set('file', project, 'market.zip');
  for (const [name, value] of Object.entries(options)) form.set(name, value);
  return ask('/api/interfaces', { method: 'POST', body: form });
}

const articles = ['pot', 'pan', 'lid', 'jar'].map((title, index) => ({
  title,
  price: String((index + 1) * 1_000),
  stock: 3,
}));
const titles = (batches: readonly (readonly Delivered[])[]) =>
  batches.map((events) => events.map(({ data }) => data.args['title']));

describe('the second tutorial', () => {
  it('given a project of several files, when it is sent as a zip, then one of its contracts becomes an interface', async () => {
    const project = await theProject();

    const contents = await upload(project, { list: 'true' });
    const unclear = await upload(project, { name: 'market' });
    const registered = await upload(project, { name: 'market', contract: 'Market' });

    expect(contents.body.sources).toEqual(['IMarket.sol', 'Market.sol', 'Points.sol', 'libraries/Percent.sol']);
    expect(unclear).toMatchObject({
      status: 422,
      body: { code: 'upload.invalid', fix: expect.stringContaining('Market.sol:Market, Points.sol:Points') },
    });
    expect(registered).toMatchObject({ status: 201, body: { name: 'market', version: 1, deployable: true } });
  });

  it('given the interface, when it is deployed, then it has a page, a description with the words of its authors, and its code is found again', async () => {
    const wish = { from: 'treasury', name: 'market', args: { basisPoints: 250 }, wait: 'confirmed' };
    const deployed = await post('/api/interfaces/market/deploy', wish);
    const refused = await post('/api/interfaces/market/deploy', {
      ...wish,
      name: 'other',
      args: { basisPoints: 10_001 },
    });

    expect(deployed).toMatchObject({ status: 200, body: { status: 'confirmed', contract: { name: 'market' } } });
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'evm.reverted', detail: expect.stringContaining('MoreThanWhole(basisPoints: "10001")') },
    });
    const page = await fetch(hub.url + deployed.body.links.docs);
    expect(await page.text()).toContain('/docs/contracts.js');
    for (const part of ['contracts.js', 'swagger-ui-bundle.js', 'swagger-ui.css']) {
      expect((await fetch(`${hub.url}/docs/${part}`)).status).toBe(200);
    }
    const { body: description } = await ask('/api/contracts/market/openapi.json');
    expect(description.openapi).toBe('3.1.0');
    expect(JSON.stringify(description.paths['/api/contracts/market/buy'])).toContain(
      'Exactly their price must be sent',
    );
    expect((await ask('/api/contracts/market/verify', { method: 'POST' })).body.result).toBe('exact');
  });

  it('given the contract, when it is sent to in both modes, then its events come to a webhook and to a socket in batches', async () => {
    const stream = { contracts: ['market'], batch: { size: 3 } };
    const target = { type: 'webhook', url: `${sandbox.url}/http/market`, secret };
    expect((await post('/api/streams', { ...stream, name: 'market-hook', target })).status).toBe(201);
    await post('/api/streams', { ...stream, name: 'market-live', target: { type: 'websocket' } });
    const heard: Batch[] = [];
    const connected = io(`${hub.url}/streams`, { auth: { key: hub.key }, transports: ['websocket'] });
    socket = connected;
    connected.on('connect', () => connected.emit('listen', { stream: 'market-live' }));
    connected.on('batch', (batch: Batch, accept: () => void) => {
      heard.push(batch);
      accept();
    });

    const accepted = await post('/api/contracts/market/offer', {
      from: 'treasury',
      args: { articles },
      wait: 'accepted',
    });
    expect(accepted).toMatchObject({ status: 202, body: { id: expect.any(String) } });
    const sent = () => sandbox.received.list('http').filter(({ url }) => url === '/http/market');
    await eventually(() => heard.length === 2 && sent().length === 2);
    const order = { from: 'treasury', args: { id: 1, count: 2 }, value: '4000', wait: 'confirmed' };
    const bought = await post('/api/contracts/market/buy', order, { 'idempotency-key': 'order-1' });
    const again = await post('/api/contracts/market/buy', order, { 'idempotency-key': 'order-1' });

    expect(bought).toMatchObject({
      status: 200,
      body: { status: 'confirmed', events: [{ name: 'Sold', args: { id: '1', count: '2', paid: '4000' } }] },
    });
    expect(again.body.id).toBe(bought.body.id);
    expect((await ask('/api/contracts/market/article?id=1')).body).toEqual({
      result: { title: 'pan', price: '2000', stock: '1' },
    });
    await eventually(() => heard.length === 3 && sent().length === 3);
    const posted = sent().map(
      ({ body, headers }) => new Webhook(secret).verify(body, { ...headers }) as readonly Delivered[],
    );
    expect(titles(posted)).toEqual([['pot', 'pan', 'lid'], ['jar'], [undefined]]);
    expect(heard.map(({ batch }) => batch)).toEqual([1, 2, 3]);
    expect(heard.map(({ events }) => events)).toEqual(posted);
    const places = await Promise.all(['market-hook', 'market-live'].map((name) => ask(`/api/streams/${name}`)));
    await eventually(async () => {
      const { body } = await ask('/api/streams/market-live');
      return body.positions[0].events === 5;
    });
    expect(places.map(({ body }) => body.state)).toEqual(['running', 'running']);
    expect((await ask('/api/contracts/market/events/Offered?limit=3')).body).toMatchObject({
      events: [{ args: { title: 'pot' } }, { args: { title: 'pan' } }, { args: { title: 'lid' } }],
      cursor: expect.any(String),
    });
  });

  it('given a mistake, when it is made, then the answer says what is wrong, where, and what there is instead', async () => {
    const buy = { from: 'treasury', args: { id: 0, count: 1 }, value: '1000' };
    const at = '/api/contracts/market';
    const mistakes: [Answer, object][] = [
      [
        await post(`${at}/buy`, { ...buy, value: '1' }),
        { status: 422, body: { detail: expect.stringContaining('WrongPayment(expected: "1000", given: "1")') } },
      ],
      [
        await post(`${at}/offer`, { from: 'treasury', args: [[{ title: 'pot', price: '-1', stock: 1 }]] }),
        { status: 422, body: { code: 'evm.arguments', errors: [{ pointer: '#/args/0/0/price' }] } },
      ],
      [
        await post(`${at}/buy`, { ...buy, from: 'nobody' }),
        { status: 404, body: { fix: 'Known signers: treasury, demo-oracle, custody.' } },
      ],
      [await ask(`${at}/articles?id=1`), { status: 404, body: { fix: expect.stringContaining('article, buy') } }],
      [
        await ask('/api/contracts/0x70997970C51812dc3A010C7d01b50e0d17dc79C8/article?id=1'),
        { status: 404, body: { fix: expect.stringContaining('Add interface=<name>') } },
      ],
      [
        await ask('/api/contracts/0x70997970C51812dc3A010C7d01b50e0d17dc79c8/article?id=1'),
        { status: 400, body: { errors: [{ pointer: '#/address' }] } },
      ],
      [
        await ask('/api/contracts/markt/article?id=1'),
        { status: 404, body: { fix: expect.stringMatching(/^There are: usdc, .*market$/) } },
      ],
      [
        await post(`${at}/buy`, { ...buy, args: { id: 0, count: 2 }, value: '2000' }, { 'idempotency-key': 'order-1' }),
        { status: 409, body: { detail: expect.stringContaining('The idempotency key order-1 was used') } },
      ],
      [
        await post('/api/transactions', { from: 'treasury', to: '0x70997970C51812dc3A010C7d01b50e0d17dc79c8' }),
        { status: 400, body: { errors: [{ pointer: '#/to', detail: expect.stringContaining('checksum') }] } },
      ],
      [
        await post('/api/streams', {
          name: 'x',
          contracts: ['market'],
          target: { type: 'webhook', url: 'http://10.0.0.1/' },
        }),
        { status: 403, body: { code: 'target.forbidden' } },
      ],
      [
        await post('/api/streams', { name: 'x', contracts: ['market'], target: { type: 'flow', flow: 'none' } }),
        { status: 404, body: { detail: expect.stringContaining('none') } },
      ],
    ];

    for (const [answer, expected] of mistakes) expect(answer).toMatchObject(expected);
    expect((await ask('/api/streams')).body.items).toHaveLength(2);
  });
});
