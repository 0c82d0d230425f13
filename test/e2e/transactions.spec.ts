import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import type { TransactionChange } from '#evm';
import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { eventually } from '../builders/eventually.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';

const to = devAccounts[1].address;

let chain: DevChain;
let database: TestDatabase;
let hub: HubProcess;
const sockets: Socket[] = [];

beforeAll(async () => {
  [chain, database] = await Promise.all([DevChain.start(), createTestDatabase()]);
  hub = await HubProcess.create({
    databaseUrl: database.url,
    flows: {},
    env: { TREASURY: devAccounts[0].key },
    configuration: `
networks:
  local: { rpcUrl: '${chain.url}', chainId: 31337 }
signers:
  treasury:
    privateKey: { env: TREASURY }
    limits: { valuePerTransaction: 1000 }
limits:
  - for: { key: shop }
    contracts: ['${to}']
`,
  });
  await hub.start();
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

afterAll(async () => {
  await hub.remove();
  await database.drop();
  await chain.stop();
});

interface Answer {
  readonly status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of many routes, each compared with what it must be
  readonly body: any;
}

async function call(
  method: string,
  path: string,
  body?: object,
  { as = hub.key, idempotencyKey }: { as?: string; idempotencyKey?: string } = {},
): Promise<Answer> {
  const response = await fetch(hub.url + path, {
    method,
    headers: {
      authorization: `Bearer ${as}`,
      ...(body && { 'content-type': 'application/json' }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}

const send = (more: object, options?: Parameters<typeof call>[3]): Promise<Answer> =>
  call('POST', '/api/transactions', { from: 'treasury', to, value: 5, ...more }, options);

async function limitedKey(name: string, limits: object): Promise<string> {
  const { body } = await call('POST', '/api/keys', { name, scopes: ['chain:send', 'keys:write'], limits });
  return body.key;
}

describe('transactions over HTTP', () => {
  it('given a transaction, when it is sent and waited for, then it is there with its history, under id and hash', async () => {
    const sent = await send({ wait: 'confirmed' });

    expect(sent).toMatchObject({
      status: 200,
      body: {
        status: 'confirmed',
        network: 'local',
        signer: 'treasury',
        to,
        value: '5',
        receipt: { gasUsed: '21000' },
      },
    });
    expect(sent.body.history.map(({ status }: { status: string }) => status)).toEqual([
      'reserved',
      'signed',
      'broadcast',
      'mined',
      'confirmed',
    ]);
    expect((await call('GET', `/api/transactions/${sent.body.hash}`)).body).toEqual(sent.body);
    const listed = await call('GET', '/api/transactions?status=mined,confirmed&network=local&signer=treasury&limit=1');
    expect(listed.body.items[0].id).toBe(sent.body.id);
    expect((await call('GET', '/api/transactions?colour=red')).status).toBe(400);
  });

  it('given one key, when it is used twice, then it is one transaction, and another body is a conflict', async () => {
    const first = await send({}, { idempotencyKey: 'order-1' });
    const again = await send({}, { idempotencyKey: 'order-1' });
    const other = await send({ value: 6 }, { idempotencyKey: 'order-1' });

    expect(first.status).toBe(202);
    expect(again.body.id).toBe(first.body.id);
    expect(other).toMatchObject({ status: 409, body: { code: 'request.conflict' } });
    expect(first.body.idempotencyKey).toBe('order-1');
    const found = await call('GET', '/api/transactions?idempotencyKey=order-1');
    expect(found.body.items).toMatchObject([{ id: first.body.id, idempotencyKey: 'order-1' }]);
  });

  it('given a batch, when one of it cannot be sent, then the others are', async () => {
    const one = { from: 'treasury', to, value: 1 };
    const { status, body } = await call('POST', '/api/transactions/batch', {
      transactions: [one, { ...one, from: 'nobody' }, { ...one, value: 1_001 }],
    });
    expect(status).toBe(202);
    expect(body.items).toMatchObject([
      { id: expect.any(String) },
      { error: { code: 'evm.unknownSigner' } },
      { error: { code: 'evm.limit', detail: expect.stringContaining('may send 1000 wei in one transaction') } },
    ]);
  });

  it('given a transaction that is final, when it is cancelled or replaced, then it is a conflict', async () => {
    const { body } = await send({ wait: 'confirmed' });
    for (const [verb, wish] of [
      ['cancel', undefined],
      ['replace', { fee: { max: 9 } }],
    ] as const) {
      expect(await call('POST', `/api/transactions/${body.id}/${verb}`, wish)).toMatchObject({ status: 409 });
    }
  });

  it('given a suspended signer, when something is sent, then it is refused with the reason until it is resumed', async () => {
    const { body } = await call('POST', '/api/signers/treasury/suspend', { reason: 'key leaked' });
    expect(body.suspensions).toMatchObject([{ network: 'local', reason: 'key leaked' }]);
    expect(await send({})).toMatchObject({ status: 409, body: { code: 'evm.signerSuspended' } });

    expect((await call('POST', '/api/signers/treasury/resume', {})).body).toEqual({ suspensions: [] });
    expect((await send({})).status).toBe(202);
    const { body: audit } = await call('GET', '/api/audit?limit=5');
    expect(audit.entries.map(({ action }: { action: string }) => action)).toContain('signer.suspend');
  });
});

describe('a key with limits', () => {
  it('given limits of a key and in the file, when it sends, then it sends what they allow', async () => {
    const shop = await limitedKey('shop', { transactionsPerDay: 2, feeCap: '900000000000' });
    const elsewhere = `0x${'ee'.repeat(20)}`;

    expect(await send({ to: elsewhere }, { as: shop })).toMatchObject({ status: 403, body: { code: 'evm.limit' } });
    expect((await send({}, { as: shop })).body).toMatchObject({ fee: { cap: '900000000000' } });
    const twice = await Promise.all([send({}, { as: shop }), send({}, { as: shop }), send({}, { as: shop })]);
    expect(twice.map(({ status }) => status).toSorted()).toEqual([202, 403, 403]);
  });

  it('given a key with limits, when it makes a key or stops a signer, then it cannot get past them', async () => {
    const narrow = await limitedKey('narrow', { signers: ['treasury'] });
    const make = (limits?: object): Promise<Answer> =>
      call('POST', '/api/keys', { name: 'more', scopes: ['chain:send'], ...(limits && { limits }) }, { as: narrow });

    expect((await make()).status).toBe(403);
    expect((await make({ signers: ['other'] })).status).toBe(403);
    expect(await make({ signers: ['treasury'] })).toMatchObject({
      status: 201,
      body: { limits: { signers: ['treasury'] } },
    });
    const { status } = await call('POST', '/api/signers/treasury/suspend', { reason: 'x' }, { as: narrow });
    expect(status).toBe(403);
  });
});

describe('watching transactions', () => {
  it('given sockets, when a transaction goes its way, then each hears what it asked for', async () => {
    const open = async (auth: object): Promise<TransactionChange[]> => {
      const heard: TransactionChange[] = [];
      const socket = io(`${hub.url}/transactions`, { auth: { key: hub.key, ...auth }, transports: ['websocket'] });
      sockets.push(socket);
      socket.on('status', (changes: TransactionChange[]) => heard.push(...changes));
      await new Promise((resolve, reject) => {
        socket.once('ready', resolve);
        socket.once('connect_error', reject);
      });
      return heard;
    };
    const all = await open({});
    const own = await open({ signer: devAccounts[0].address });
    const others = await open({ signer: 'other' });

    const { body } = await send({ wait: 'confirmed' });
    const ofIt = (heard: TransactionChange[]): string[] =>
      heard.filter(({ transaction }) => transaction.id === body.id).map(({ status }) => status);
    await eventually(() => ofIt(all).length === 5 && ofIt(own).length === 5);

    expect(ofIt(all)).toEqual(['reserved', 'signed', 'broadcast', 'mined', 'confirmed']);
    expect(ofIt(own)).toEqual(ofIt(all));
    expect(others).toEqual([]);
    await expect(open({ key: 'unknown' })).rejects.toThrow('auth.invalid');
  });

  it('given transactions, when the metrics are read, then those that are not final are counted', async () => {
    await chain.call('evm_setAutomine', [false]);
    await send({});
    expect((await call('GET', '/metrics')).body).toMatch(
      /patchbay_tx_intents\{chain="31337",signer="treasury",state="\w+"\} 1/,
    );
    await chain.call('evm_setAutomine', [true]);
    await chain.mine();
  });
});
