import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { PatchbayError } from '#sdk';

import { Metrics } from '../health/metrics.js';
import { accessOf, basicKey } from './access.js';
import { ApiKeys, type Caller } from './api-keys.js';
import { AttemptLimit } from './attempt-limit.js';
import { hasScope } from './scopes.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once a key was accepted. */
    caller?: Caller;
  }
}

/** Lets through what the route allows; a guard and not a middleware, because it sees the matched route and not its spelling. */
@Injectable()
export class AuthGuard implements CanActivate {
  readonly #limit = new AttemptLimit();

  constructor(
    private readonly keys: ApiKeys,
    private readonly metrics: Metrics,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // Sockets bring their key in the handshake and are checked there.
    if (context.getType() !== 'http') return true;
    const access = accessOf(context.getClass(), context.getHandler());
    if (access === 'public') return true;

    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const takesBasic = Reflect.getMetadata(basicKey, context.getClass()) === true;
    const caller = await this.#identify(request, takesBasic ? bearerOrBasicOf : bearerOf);
    const missing = access?.filter((scope) => !hasScope(caller.scopes, scope)) ?? ['admin'];
    if (missing.length > 0) {
      this.metrics.authFailures.inc({ reason: 'scope' });
      throw new PatchbayError('auth.forbidden', {
        detail: `The key "${caller.name}" lacks ${missing.join(', ')}`,
        fix: 'Use a key with this scope.',
      });
    }
    request.caller = caller;
    return true;
  }

  async #identify(request: FastifyRequest, keyOf: typeof bearerOf): Promise<Caller> {
    const key = keyOf(request.headers.authorization);
    if (key === undefined) {
      this.metrics.authFailures.inc({ reason: 'missing' });
      throw new PatchbayError('auth.missing', { fix: 'Send the header authorization: Bearer <key>.' });
    }
    const waitMs = this.#limit.waitMs(request.ip);
    // Others behind the same address, whose keys are known, are not made to wait.
    const caller = waitMs > 0 ? this.keys.recall(key) : await this.keys.authenticate(key);
    if (caller) return caller;
    this.metrics.authFailures.inc({ reason: waitMs > 0 ? 'throttled' : 'unknown' });
    if (waitMs > 0) throw new PatchbayError('auth.throttled', { retryAfterMs: waitMs });
    this.#limit.fail(request.ip);
    throw new PatchbayError('auth.invalid');
  }
}

/** Who the request acts for; only on routes with scopes. */
export const CurrentCaller = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!caller) throw new PatchbayError('auth.missing');
  return caller;
});

/** The key in an `Authorization` header. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^bearer +(\S+)$/i.exec(header?.trim() ?? '')?.[1];
}

/** As {@link bearerOf}, or the password of `Basic`; the name of the user is not looked at. */
export function bearerOrBasicOf(header: string | undefined): string | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header?.trim() ?? '') ?? [];
  if (encoded === undefined) return bearerOf(header);
  const [, password] = /^[^:]*:(\S+)$/.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  return password;
}
