import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toPatchbayError } from '#platform';
import type { Logger } from '#sdk';
import { failureOf } from './adapter-answer.js';

/** Where faults of the hub are told. */
export class OracleErrors {
  constructor(readonly log: Logger) {}
}

/** What is refused at the door, a wrong key included, in the shape that callers of adapters know. */
@Catch()
export class OracleFilter implements ExceptionFilter {
  constructor(private readonly errors: OracleErrors) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = toPatchbayError(thrown);
    if (error.status >= 500) {
      this.errors.log.error('A request to an adapter failed', {
        requestId: request.id,
        route: request.routeOptions.url,
        error,
      });
    }
    if (reply.sent) return;
    const { status, body } = failureOf(error, undefined);
    if (error.retryAfterMs !== undefined)
      void reply.header('retry-after', String(Math.ceil(error.retryAfterMs / 1_000)));
    void reply.status(status).send(body);
  }
}
