import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { PatchbayError, type Logger } from '#sdk';

import { runWithLogContext } from '../log/log.js';
import { assertEveryRouteGuarded } from '../auth/route-guards.js';
import { assertShallow, isJsonType, takesText } from './json-body.js';
import { NestLog } from './nest-log.js';
import { ProblemFilter } from './problem.filter.js';
import { errorReply, toPatchbayError, type ErrorShape } from './problem.js';
import { addUploads } from './uploads.js';

export interface HttpAppOptions {
  /** Under which others reach the hub; without a trailing slash. */
  readonly publicUrl: string;
  readonly log: Logger;
  /** Largest body in bytes. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Largest body of a hook in bytes. Default as `maxBodyBytes`. */
  readonly maxHookBytes?: number;
  /** Largest form with files in bytes, on the routes that take them. Default 32 MiB. */
  readonly maxUploadBytes?: number;
  /** Addresses of proxies whose `x-forwarded-for` is believed. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** Where an error is no problem+json, also one that no route has seen. Default: nowhere. */
  readonly errorShapes?: readonly ErrorShape[];
}

/** Signatures of hooks are computed over the bytes as they came; what answers in the shape of IFTTT reads them itself. */
const rawRoutes = /^\/(hooks|ifttt|oracle)(\/|$)/;
const saneRequestId = /^[\w.:-]{8,128}$/;

/**
 * The hub's web application: Nest on Fastify, bounded JSON bodies, request ids, every error as problem+json (or in the
 * shape its address demands), security headers. Routes under `/hooks` and `/ifttt` get their body as a Buffer, whatever its type.
 *
 * @throws internal – a route has neither scopes nor is it marked public
 */
export async function createHttpApp(
  rootModule: Type | DynamicModule,
  options: HttpAppOptions,
): Promise<NestFastifyApplication> {
  const { log, errorShapes = [] } = options;
  const publicUrl = options.publicUrl.replace(/\/+$/, '');
  const maxBodyBytes = options.maxBodyBytes ?? 1_048_576;
  const maxHookBytes = options.maxHookBytes ?? maxBodyBytes;

  const adapter = new FastifyAdapter({
    bodyLimit: Math.max(maxBodyBytes, maxHookBytes),
    genReqId: requestIdOf,
    requestTimeout: 60_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    trustProxy: options.trustedProxies ? [...options.trustedProxies] : false,
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: true },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      const place = { publicUrl, requestId: request.id, url: request.url };
      const answer = errorReply(toPatchbayError(error), place, errorShapes);
      void reply.status(answer.status).headers(answer.headers).send(answer.body);
    },
  });
  const server: FastifyInstance = adapter.getInstance();
  addContext(server, publicUrl);
  addBodyParser(server, maxBodyBytes, maxHookBytes);
  await addUploads(server, isRaw, { maxUploadBytes: options.maxUploadBytes ?? 33_554_432, maxHookBytes });

  const app = await NestFactory.create<NestFastifyApplication>(rootModule, adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLog(log),
  });
  app.useGlobalFilters(new ProblemFilter(publicUrl, log, errorShapes));
  assertEveryRouteGuarded(app);
  return app;
}

/** Request id and security headers, before anything can fail. */
function addContext(server: FastifyInstance, publicUrl: string): void {
  const headers = {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy':
      "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ...(publicUrl.startsWith('https:') && { 'strict-transport-security': 'max-age=31536000' }),
  };
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers).header('x-request-id', request.id);
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
    runWithLogContext({ requestId: request.id }, done);
  });
}

function addBodyParser(server: FastifyInstance, maxBodyBytes: number, maxHookBytes: number): void {
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    if (bytes.length > (isRaw(request) ? maxHookBytes : maxBodyBytes))
      return done(new PatchbayError('request.tooLarge'));
    if (isRaw(request)) return done(null, bytes);
    if (bytes.length === 0) return done(null, undefined);
    if (takesText(request)) return done(null, bytes.toString('utf8'));
    const contentType = request.headers['content-type'] ?? '';
    if (!isJsonType(contentType)) return done(unsupported(contentType));
    void parseJson(request, bytes.toString('utf8'), (error, value: unknown) => {
      if (error) return done(malformed(error));
      try {
        assertShallow(value);
      } catch (tooDeep) {
        return done(tooDeep as PatchbayError);
      }
      done(null, value);
    });
  });
}

/** The matched route decides, not the address as it was spelled. */
function isRaw(request: FastifyRequest): boolean {
  return rawRoutes.test(request.routeOptions.url ?? '');
}

function unsupported(contentType: string): PatchbayError {
  return new PatchbayError('request.unsupportedType', {
    detail: contentType === '' ? 'The body has no content type' : `The body is ${contentType.slice(0, 100)}`,
    fix: 'Send JSON, with content-type: application/json.',
  });
}

function malformed(cause: Error): PatchbayError {
  return new PatchbayError('request.invalid', { detail: `The body is not valid JSON: ${cause.message}`, cause });
}

function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && saneRequestId.test(given) ? given : randomUUID();
}

const closeIdleEveryMs = 100;

/**
 * Requests under way get their answer. Their connections become idle after the server has looked for idle ones, and a
 * client that keeps them open would hold up the end for as long as they may live.
 */
export async function closeHttpApp(app: NestFastifyApplication): Promise<void> {
  const server = app.getHttpServer();
  const timer = setInterval(() => server.closeIdleConnections(), closeIdleEveryMs);
  try {
    await app.close();
  } finally {
    clearInterval(timer);
  }
}
