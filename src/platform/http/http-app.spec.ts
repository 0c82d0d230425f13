import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Readiness } from '../health/readiness.js';
import { createHttpApp } from './http-app.js';
import { OrdersApp, as, type Ask } from './testing/orders-app.js';

let orders: OrdersApp;

beforeAll(async () => {
  orders = await OrdersApp.start();
});

afterAll(() => orders.close());

const ask = (request: Ask) => orders.ask(request);

describe('errors over HTTP', () => {
  it('given an error with a code, when it is thrown, then it is answered as a problem', async () => {
    const response = await ask({ url: '/busy?token=1', headers: { 'x-request-id': 'client-0001' } });

    expect(response.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'retry-after': '2',
      'x-request-id': 'client-0001',
      'x-content-type-options': 'nosniff',
    });
    expect(response.json()).toEqual({
      type: 'https://hub.example/errors/hub.busy',
      title: 'The hub takes no more work for now',
      status: 503,
      detail: 'The hub holds 5 runs',
      instance: '/busy',
      code: 'hub.busy',
      requestId: 'client-0001',
      fix: 'Wait.',
    });
  });

  it('given an unknown error, when it is thrown, then it is logged and the answer says nothing of it', async () => {
    orders.logged.length = 0;
    const response = await ask({ url: '/broken', headers: { 'x-request-id': 'bad id!' } });

    expect(response.json()).toMatchObject({
      status: 500,
      code: 'internal',
      detail: 'Something unexpected happened inside Patchbay',
    });
    expect(response.body).not.toContain('password');
    expect(response.json()['requestId']).toMatch(/^[0-9a-f-]{36}$/);
    expect(orders.logged).toMatchObject([
      { message: 'A request failed', fields: { requestId: response.json()['requestId'] } },
    ]);
  });

  const json = 'application/json';
  it.each([
    ['GET', '/api/nothing', 'no body', 404, 'request.notFound', '', ''],
    ['DELETE', '/api/orders', 'no body', 404, 'request.notFound', '', ''],
    ['GET', '/%ff', 'no body', 400, 'request.invalid', '', ''],
    ['POST', '/api/orders', 'half of JSON', 400, 'request.invalid', '{"name":', json],
    ['POST', '/api/orders', 'a prototype', 400, 'request.invalid', '{"__proto__":{"a":1},"name":"x"}', json],
    [
      'POST',
      '/api/orders',
      'a constructor',
      400,
      'request.invalid',
      '{"constructor":{"prototype":{}},"name":"x"}',
      json,
    ],
    ['POST', '/api/orders', 'deep JSON', 400, 'request.invalid', '['.repeat(40) + ']'.repeat(40), json],
    ['POST', '/api/orders', 'much JSON', 413, 'request.tooLarge', `{"name":"${'x'.repeat(2100)}"}`, json],
    ['POST', '/api/orders', 'very much JSON', 413, 'request.tooLarge', `{"name":"${'x'.repeat(5000)}"}`, json],
    ['POST', '/api/orders', 'a form', 415, 'request.unsupportedType', 'name=x', 'application/x-www-form-urlencoded'],
    ['POST', '/api/orders', 'files', 415, 'request.unsupportedType', '--x--\r\n', 'multipart/form-data; boundary=x'],
    [
      'POST',
      '/hooks/a',
      'much of a form',
      413,
      'request.tooLarge',
      'x'.repeat(4100),
      'multipart/form-data; boundary=x',
    ],
    ['POST', '/api/orders', 'XML', 415, 'request.unsupportedType', '<a/>', 'text/xml'],
    ['POST', '/hooks/a', 'much text', 413, 'request.tooLarge', 'x'.repeat(4100), 'text/plain'],
  ] as const)(
    'given %s %s with %s, when it is sent, then the answer is %i %s',
    async (method, url, _what, status, code, payload, type) => {
      const headers = { ...as(orders.admin), ...(type && { 'content-type': type }) };
      const response = await ask({ method, url, headers, ...(payload && { payload }) });

      expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(response.json()).toMatchObject({ status, code });
      expect(response.statusCode).toBe(status);
    },
  );

  it('given a body with several faults, when it is sent, then all are named with their places', async () => {
    const response = await ask({
      method: 'POST',
      url: '/api/orders',
      ...orders.withJson('{"lines":[{"count":"1"}],"a/b":1}'),
    });

    expect(response.json()).toMatchObject({
      code: 'request.invalid',
      detail: '3 faults in the body of the request',
      errors: [
        { pointer: '#/name' },
        { pointer: '#/lines/0/count' },
        { pointer: '#/a~1b', rule: 'unknown-field', fix: 'It takes name, lines' },
      ],
    });
  });

  it('given a good body and query, when they are sent, then the route gets what the schema promises', async () => {
    const created = await ask({ method: 'POST', url: '/api/orders', ...orders.withJson('{"name":"x"}') });
    const listed = await ask({ url: '/api/orders?limit=7', headers: as(orders.admin) });
    const refused = await ask({ url: '/api/orders?limit=70', headers: as(orders.admin) });

    expect([created.statusCode, created.json(), listed.json()]).toEqual([201, { name: 'x', lines: [] }, { limit: 7 }]);
    expect(refused.json()).toMatchObject({ code: 'request.invalid', errors: [{ pointer: '#/limit' }] });
  });

  it('given a hook, when bytes of any type come in, then the route gets them as they were', async () => {
    const text = '{"a" :1,  "__proto__":{}}';
    const form = 'multipart/form-data; boundary=x';
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', form, undefined]) {
      const headers = type === undefined ? {} : { 'content-type': type };
      const response = await ask({
        method: 'POST',
        url: '/hooks/some-flow',
        payload: Buffer.from(text),
        headers,
      });
      expect(response.json()).toEqual({ isBuffer: true, text });
    }
  });

  it('given the type of a problem, when it is opened, then it is a page, or data for programs', async () => {
    const html = await ask({ url: '/errors/flow.invalid', headers: { accept: 'text/html' } });
    const json = await ask({ url: '/errors/flow.invalid', headers: { accept: 'application/json' } });

    expect(html.body).toContain('<h1>The flow is not valid</h1>');
    expect(json.json()).toEqual({ code: 'flow.invalid', title: 'The flow is not valid', status: 422, retry: 'never' });
    expect((await ask({ url: '/errors/made.up' })).statusCode).toBe(404);
    expect((await ask({ url: '/errors' })).body).toContain('/errors/evm.reverted');
  });
});

describe('the description of the API', () => {
  it('given the routes, when it is read, then it has their inputs, answers and scopes', async () => {
    const { paths } = (await ask({ url: '/api/openapi.json' })).json() as {
      paths: Record<string, Record<string, unknown>>;
    };

    expect(paths['/api/keys']?.['post']).toMatchObject({
      description: 'Needs the scope keys:write.',
      security: [{ key: [] }],
      requestBody: {
        content: { 'application/json': { schema: { required: ['name', 'scopes'], additionalProperties: false } } },
      },
      responses: {
        201: {
          content: { 'application/json': { schema: { required: expect.arrayContaining(['key', 'id']) as unknown } } },
        },
      },
    });
    expect(paths['/api/keys/{id}']?.['delete']).toMatchObject({
      parameters: [{ name: 'id', in: 'path', required: true }],
    });
    expect(paths['/api/audit']?.['get']).toMatchObject({
      parameters: [
        { name: 'before', in: 'query', required: false },
        { name: 'limit', in: 'query', required: false },
      ],
    });
  });

  it('given the page, when it is opened, then all its files come from this hub', async () => {
    const page = (await ask({ url: '/docs' })).body;
    const files = [...page.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, url = '']) => url);

    expect(files).toHaveLength(3);
    for (const url of files) expect((await ask({ url })).statusCode).toBe(200);
    expect((await ask({ url: '/docs/..%2fpackage.json' })).statusCode).toBe(404);
  });
});

describe('health and metrics', () => {
  it('given a running hub, when it is probed, then it is alive and ready, with details for keys only', async () => {
    const live = await ask({ url: '/health/live' });
    const ready = await ask({ url: '/health/ready' });
    const detailed = await ask({ url: '/health/ready', headers: as(orders.admin) });

    expect([live.json(), ready.json()]).toEqual([{ status: 'ok' }, { status: 'ok' }]);
    expect(detailed.json()['checks']).toContainEqual({ name: 'database', isOk: true });
  });

  it('given the metrics, when they are read, then a key is needed and what happened is counted', async () => {
    const { statusCode } = await ask({ url: '/metrics' });
    const text = (await ask({ url: '/metrics', headers: as(orders.admin) })).body;

    expect(statusCode).toBe(401);
    expect(text).toMatch(/patchbay_auth_failures_total\{reason="missing"\} \d/);
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('given a hub that is told to stop, when it is probed, then it is not ready any more', async () => {
    const readiness = new Readiness(orders.store.db);
    const other = await createHttpApp(orders.rootWith([], readiness), { publicUrl: 'http://x', log: orders.log });
    await other.listen(0, '127.0.0.1');
    readiness.beginStop();

    expect((await ask({ of: other, url: '/health/ready' })).statusCode).toBe(503);
    await other.close();
  });
});
