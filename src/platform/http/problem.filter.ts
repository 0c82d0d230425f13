import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Logger } from '#sdk';

import { problemReply, toPatchbayError } from './problem.js';

/** The one place where an error becomes HTTP. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly publicUrl: string,
    private readonly log: Logger,
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
    const { status, headers, body } = problemReply(error, {
      publicUrl: this.publicUrl,
      requestId: request.id,
      url: request.url,
    });
    void reply.status(status).headers(headers).send(body);
  }
}
