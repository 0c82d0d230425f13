import { Controller, Get } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createHttpApp } from '../http/http-app.js';
import { OrdersApp, as, type Ask } from '../http/testing/orders-app.js';

@Controller('open')
class ForgottenController {
  @Get()
  read(): string {
    return 'open';
  }
}

let orders: OrdersApp;

beforeAll(async () => {
  orders = await OrdersApp.start();
});

afterAll(() => orders.close());

const ask = (request: Ask) => orders.ask(request);

describe('who may call what', () => {
  it('given a route without a rule of access, when the hub is started, then it does not start', async () => {
    await expect(
      createHttpApp(orders.rootWith([ForgottenController]), { publicUrl: 'http://x', log: orders.log }),
    ).rejects.toMatchObject({
      code: 'internal',
      detail: expect.stringContaining('ForgottenController.read') as unknown,
    });
  });

  it.each([
    '/api/orders',
    '/api/orders/',
    '/api//orders',
    '/%61pi/orders',
    '/api/orders?x=1',
    '/api/orders;x',
    '/API/orders',
  ])('given no key, when %s is asked for by GET or HEAD, then nothing is given away', async (url) => {
    for (const method of ['GET', 'HEAD'] as const) {
      expect([401, 404]).toContain((await ask({ method, url })).statusCode);
    }
  });

  it('given keys with other scopes, when a route is called, then only the right ones pass', async () => {
    const statusFor = async (...scopes: string[]) => {
      const { key } = await orders.keys.create({ name: scopes.join(), scopes });
      return (await ask({ url: '/api/orders', headers: as(key) })).statusCode;
    };

    expect([await statusFor('runs:read'), await statusFor('runs:*'), await statusFor('admin')]).toEqual([
      200, 200, 200,
    ]);
    expect([await statusFor('runs:write'), await statusFor('flows:*')]).toEqual([403, 403]);
  });

  it('given a key, when it is made, listed, used and revoked over the API, then it works until then and all is noted', async () => {
    const made = await ask({
      method: 'POST',
      url: '/api/keys',
      ...orders.withJson('{"name":"ci","scopes":["runs:read"]}'),
    });
    const { id, key } = made.json() as unknown as { id: string; key: string };
    const listed = await ask({ url: '/api/keys', headers: as(orders.admin) });
    const used = await ask({ url: '/api/orders', headers: as(key) });
    const revoked = await ask({ method: 'DELETE', url: `/api/keys/${id}`, headers: as(orders.admin) });
    const after = await ask({ url: '/api/orders', headers: as(key) });
    const audit = await ask({ url: '/api/audit?limit=2', headers: as(orders.admin) });

    expect(key).toMatch(/^pbk_[\w-]{43}$/);
    expect(listed.body).not.toContain(key);
    expect(listed.json()['keys']).toContainEqual(expect.objectContaining({ id, name: 'ci', scopes: ['runs:read'] }));
    expect([used.statusCode, revoked.statusCode, after.statusCode]).toEqual([200, 204, 401]);
    expect(audit.json()['entries']).toMatchObject([
      { action: 'key.revoke', subject: id, actor: 'admin' },
      { action: 'key.create', subject: id, detail: { name: 'ci', scopes: ['runs:read'] } },
    ]);
  });

  it('given a key that may make keys, when it asks for more than it has, then it is refused', async () => {
    const { key } = await orders.keys.create({ name: 'maker', scopes: ['keys:write', 'runs:*'] });
    const statusFor = async (scopes: string[]) =>
      (await ask({ method: 'POST', url: '/api/keys', payload: { name: 'x', scopes }, headers: as(key) })).statusCode;

    expect([
      await statusFor(['runs:read']),
      await statusFor(['admin']),
      await statusFor(['flows:read']),
      await statusFor(['nonsense']),
    ]).toEqual([201, 403, 403, 400]);
  });

  it('given many wrong keys from one address, when more come, then they wait, but a known key does not', async () => {
    const from = (address: string, key: string) => ask({ url: '/api/orders', headers: as(key), from: address });
    await from('10.1.1.1', orders.admin);
    for (let i = 0; i < 20; i += 1) expect((await from('10.1.1.1', `pbk_wrong${i}`)).statusCode).toBe(401);
    const limited = await from('10.1.1.1', 'pbk_wrong');

    expect(limited.json()).toMatchObject({ code: 'auth.throttled', status: 429 });
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect((await from('10.1.1.1', orders.admin)).statusCode).toBe(200);
    expect((await from('10.1.1.2', 'pbk_wrong')).statusCode).toBe(401);
  });
});
