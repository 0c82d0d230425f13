import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemReply, toPatchbayError } from '#platform';
import type { Logger } from '#sdk';
import { messageOf } from './problem-message.js';

/** Where problems refer to, and where faults of the hub are told. */
export class ZapierErrors {
  constructor(
    readonly publicUrl: string,
    readonly log: Logger,
  ) {}
}

/**
 * Errors as Zapier takes them: problems like everywhere, with `message` for the people who build Zaps, and 422 for what they
 * filled in. 401 is only ever about the key: it makes Zapier ask everybody to connect anew.
 */
@Catch()
export class ZapierFilter implements ExceptionFilter {
  constructor(private readonly errors: ZapierErrors) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = toPatchbayError(thrown);
    if (error.status >= 500) {
      this.errors.log.error('A request of Zapier failed', {
        requestId: request.id,
        route: request.routeOptions.url,
        error,
      });
    }
    if (reply.sent) return;
    const { status, headers, body } = problemReply(error, {
      publicUrl: this.errors.publicUrl,
      requestId: request.id,
      url: request.url,
    });
    void reply
      .status(status === 400 ? 422 : status)
      .headers(headers)
      .send({ ...body, status: status === 400 ? 422 : status, message: messageOf(body) });
  }
}
