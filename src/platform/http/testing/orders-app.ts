import { request as requestOver, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Body, Controller, Get, Module, Post, type DynamicModule, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { PatchbayError, z, type Logger } from '#sdk';

import { openTestStore } from '../../../../test/environment/postgres.js';
import { Public, Scopes } from '../../auth/access.js';
import { ApiKeys } from '../../auth/api-keys.js';
import { createMetrics } from '../../health/metrics.js';
import { Readiness } from '../../health/readiness.js';
import type { Store } from '../../store/store.js';
import { createHttpApp } from '../http-app.js';
import { PlatformModule } from '../platform.module.js';
import { ZodBody, ZodQuery } from '../zod.pipe.js';

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

/** Answers are asserted, not typed. */
type Json = Readonly<Record<string, unknown>>;

export interface Ask {
  readonly of?: NestFastifyApplication;
  readonly method?: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: string | Buffer | object;
  /** As a trusted proxy reports it. */
  readonly from?: string;
}

const nothing = () => undefined;

/** An app of the hub over a real database: with routes of every kind, small limits, and a key for everything. */
export class OrdersApp {
  readonly logged: { message: string; fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  readonly log: Logger = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: (message: string, fields?: Readonly<Record<string, unknown>>) => void this.logged.push({ message, fields }),
  };
  #app: NestFastifyApplication | undefined;

  private constructor(
    readonly store: Store,
    readonly keys: ApiKeys,
    readonly admin: string,
  ) {}

  static async start(): Promise<OrdersApp> {
    const store = await openTestStore();
    const keys = new ApiKeys(store.db);
    const started = new OrdersApp(store, keys, (await keys.ensureAdminKey()).key ?? '');
    started.#app = await createHttpApp(started.rootWith([OrdersController]), {
      publicUrl: 'https://hub.example/',
      log: started.log,
      maxBodyBytes: 2000,
      maxHookBytes: 4000,
      trustedProxies: ['127.0.0.1'],
    });
    await started.#app.listen(0, '127.0.0.1');
    return started;
  }

  /** The root of another app on the same database. */
  rootWith(controllers: Type[], readiness = new Readiness(this.store.db)): DynamicModule {
    @Module({})
    class Root {}
    const { store, keys } = this;
    return {
      module: Root,
      controllers,
      imports: [PlatformModule.with({ db: store.db, keys, metrics: createMetrics(), readiness })],
    };
  }

  async close(): Promise<void> {
    await this.#app?.close();
    await this.store.close();
  }

  withJson(text: string) {
    return { payload: text, headers: { ...as(this.admin), 'content-type': 'application/json' } };
  }

  /** By node:http, which sends paths as they are written. */
  async ask({ of = this.#app, method = 'GET', url, headers = {}, payload, from }: Ask) {
    const isPlain = typeof payload === 'object' && !Buffer.isBuffer(payload);
    if (of === undefined) throw new Error('It is not started');
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
}

export const as = (key: string) => ({ authorization: `Bearer ${key}` });
