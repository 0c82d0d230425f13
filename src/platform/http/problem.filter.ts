import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Logger } from '#sdk';

import { errorReply, toPatchbayError, type ErrorShape } from './problem.js';

/** The one place where an error becomes HTTP. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly publicUrl: string,
    private readonly log: Logger,
    private readonly shapes: readonly ErrorShape[] = [],
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = toPatchbayError(thrown);
    if (error.status >= 500) {
      this.log.error('A request failed', {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url,
        error,
      });
    }
    if (reply.sent) return;
    const place = { publicUrl: this.publicUrl, requestId: request.id, url: request.url };
    const { status, headers, body } = errorReply(error, place, this.shapes);
    void reply.status(status).headers(headers).send(body);
  }
}
