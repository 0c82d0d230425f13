import { request as requestOver, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Body, Controller, Get, Module, Post, type DynamicModule, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { PatchbayError, z } from '#sdk';

import { openTestStore } from '../../../test/environment/postgres.js';
import { Public, Scopes } from '../auth/access.js';
import { ApiKeys } from '../auth/api-keys.js';
import { createMetrics } from '../health/metrics.js';
import { Readiness } from '../health/readiness.js';
import type { Store } from '../store/store.js';
import { createHttpApp } from './http-app.js';
import { PlatformModule } from './platform.module.js';
import { ZodBody, ZodQuery } from './zod.pipe.js';

const order = z.strictObject({ name: z.string(), lines: z.array(z.object({ count: z.number() })).default([]) });
const page = z.strictObject({ limit: z.coerce.number().int().max(10).default(5) });

@Controller()
class OrdersController {
  @Scopes('flows:write')
  @Post('api/orders')
  create(@ZodBody(order) body: z.output<typeof order>): unknown {
    return body;
  }

  @Scopes('runs:read')
  @Get('api/orders')
  list(@ZodQuery(page) query: z.output<typeof page>): unknown {
    return query;
  }

  @Public()
  @Post('hooks/:flow')
  hook(@Body() body: Buffer): unknown {
    return { isBuffer: Buffer.isBuffer(body), text: body.toString() };
  }

  @Public()
  @Get('busy')
  busy(): never {
    throw new PatchbayError('hub.busy', { detail: 'The hub holds 5 runs', fix: 'Wait.', retryAfterMs: 1500 });
  }

  @Public()
  @Get('broken')
  broken(): never {
    throw new Error('postgres://user:password@db');
  }
}

@Controller('open')
class ForgottenController {
  @Get()
  read(): string {
    return 'open';
  }
}

const logged: { message: string; fields: Readonly<Record<string, unknown>> | undefined }[] = [];
const silent = () => undefined;
const log = {
  debug: silent,
  info: silent,
  warn: silent,
  error: (message: string, fields?: Readonly<Record<string, unknown>>) => void logged.push({ message, fields }),
};

let store: Store;
let keys: ApiKeys;
let app: NestFastifyApplication;
let admin: string;
let readiness: Readiness;

function rootWith(controllers: Type[]): DynamicModule {
  @Module({})
  class Root {}
  readiness = new Readiness(store.db);
  return {
    module: Root,
    controllers,
    imports: [PlatformModule.with({ db: store.db, keys, metrics: createMetrics(), readiness })],
  };
}

beforeAll(async () => {
  store = await openTestStore();
  keys = new ApiKeys(store.db);
  admin = (await keys.ensureAdminKey()).key ?? '';
  app = await createHttpApp(rootWith([OrdersController]), {
    publicUrl: 'https://hub.example/',
    log,
    maxBodyBytes: 2000,
    maxHookBytes: 4000,
    trustedProxies: ['127.0.0.1'],
  });
  await app.listen(0, '127.0.0.1');
}, 60_000);

afterAll(async () => {
  await app.close();
  await store.close();
}, 60_000);

/** Answers are asserted, not typed. */
type Json = Readonly<Record<string, unknown>>;

interface Ask {
  readonly of?: NestFastifyApplication;
  readonly method?: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: string | Buffer | object;
  /** As a trusted proxy reports it. */
  readonly from?: string;
}

/** By node:http, which sends paths as they are written. */
async function ask({ of = app, method = 'GET', url, headers = {}, payload, from }: Ask) {
  const isPlain = typeof payload === 'object' && !Buffer.isBuffer(payload);
  const { port } = of.getHttpServer().address() as AddressInfo;
  const sent = {
    ...headers,
    ...(isPlain && { 'content-type': 'application/json' }),
    ...(from && { 'x-forwarded-for': from }),
  };
  return new Promise<{ statusCode: number; headers: IncomingMessage['headers']; body: string; json: () => Json }>(
    (settle, fail) => {
      const request = requestOver({ port, method, path: url, headers: sent }, (answer) => {
        answer.setEncoding('utf8');
        let body = '';
        answer.on('data', (chunk: string) => (body += chunk));
        answer.on('end', () =>
          settle({
            statusCode: answer.statusCode ?? 0,
            headers: answer.headers,
            body,
            json: () => JSON.parse(body) as Json,
          }),
        );
      });
      request.on('error', fail).end(isPlain ? JSON.stringify(payload) : payload);
    },
  );
}

const as = (key: string) => ({ authorization: `Bearer ${key}` });
const withJson = (text: string) => ({ payload: text, headers: { ...as(admin), 'content-type': 'application/json' } });

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
    logged.length = 0;
    const response = await ask({ url: '/broken', headers: { 'x-request-id': 'bad id!' } });

    expect(response.json()).toMatchObject({
      status: 500,
      code: 'internal',
      detail: 'Something unexpected happened inside Patchbay',
    });
    expect(response.body).not.toContain('password');
    expect(response.json()['requestId']).toMatch(/^[0-9a-f-]{36}$/);
    expect(logged).toMatchObject([
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
      const headers = { ...as(admin), ...(type && { 'content-type': type }) };
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
      ...withJson('{"lines":[{"count":"1"}],"a/b":1}'),
    });

    expect(response.json()).toMatchObject({
      code: 'request.invalid',
      detail: '3 faults in the body of the request',
      errors: [{ pointer: '#/name' }, { pointer: '#/lines/0/count' }, { pointer: '#/a~1b', rule: 'unknown-field' }],
    });
  });

  it('given a good body and query, when they are sent, then the route gets what the schema promises', async () => {
    const created = await ask({ method: 'POST', url: '/api/orders', ...withJson('{"name":"x"}') });
    const listed = await ask({ url: '/api/orders?limit=7', headers: as(admin) });
    const refused = await ask({ url: '/api/orders?limit=70', headers: as(admin) });

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

describe('who may call what', () => {
  it('given a route without a rule of access, when the hub is started, then it does not start', async () => {
    await expect(createHttpApp(rootWith([ForgottenController]), { publicUrl: 'http://x', log })).rejects.toMatchObject({
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
      const { key } = await keys.create({ name: scopes.join(), scopes });
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
      ...withJson('{"name":"ci","scopes":["runs:read"]}'),
    });
    const { id, key } = made.json() as unknown as { id: string; key: string };
    const listed = await ask({ url: '/api/keys', headers: as(admin) });
    const used = await ask({ url: '/api/orders', headers: as(key) });
    const revoked = await ask({ method: 'DELETE', url: `/api/keys/${id}`, headers: as(admin) });
    const after = await ask({ url: '/api/orders', headers: as(key) });
    const audit = await ask({ url: '/api/audit?limit=2', headers: as(admin) });

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
    const { key } = await keys.create({ name: 'maker', scopes: ['keys:write', 'runs:*'] });
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
    await from('10.1.1.1', admin);
    for (let i = 0; i < 20; i += 1) expect((await from('10.1.1.1', `pbk_wrong${i}`)).statusCode).toBe(401);
    const limited = await from('10.1.1.1', 'pbk_wrong');

    expect(limited.json()).toMatchObject({ code: 'auth.throttled', status: 429 });
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect((await from('10.1.1.1', admin)).statusCode).toBe(200);
    expect((await from('10.1.1.2', 'pbk_wrong')).statusCode).toBe(401);
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
    const detailed = await ask({ url: '/health/ready', headers: as(admin) });

    expect([live.json(), ready.json()]).toEqual([{ status: 'ok' }, { status: 'ok' }]);
    expect(detailed.json()['checks']).toContainEqual({ name: 'database', isOk: true });
  });

  it('given the metrics, when they are read, then a key is needed and what happened is counted', async () => {
    const text = (await ask({ url: '/metrics', headers: as(admin) })).body;

    expect((await ask({ url: '/metrics' })).statusCode).toBe(401);
    expect(text).toMatch(/patchbay_auth_failures_total\{reason="missing"\} \d/);
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('given a hub that is told to stop, when it is probed, then it is not ready any more', async () => {
    const other = await createHttpApp(rootWith([]), { publicUrl: 'http://x', log });
    await other.listen(0, '127.0.0.1');
    readiness.beginStop();

    expect((await ask({ of: other, url: '/health/ready' })).statusCode).toBe(503);
    await other.close();
  });
});
