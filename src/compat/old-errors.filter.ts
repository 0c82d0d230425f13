import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { explanationOf, problemReply, toPatchbayError } from '#platform';
import type { ErrorCode } from '#sdk';
import { CompatSettings } from './compat-settings.js';

/** Where old clients know another status for the same fault. */
const oldStatus: Readonly<Partial<Record<ErrorCode, number>>> = {
  'request.unsupportedType': 400,
  'request.tooLarge': 400,
  'evm.arguments': 400,
  'evm.insufficientFunds': 500,
  'evm.limit': 403,
  'evm.pending': 408,
  'evm.reverted': 500,
  'hub.busy': 429,
  'solidity.compilerMissing': 400,
  'solidity.invalid': 400,
  'solidity.tooExpensive': 400,
  'stream.invalid': 400,
  'upload.invalid': 400,
};

/** Errors as old clients read them, `{ error, code }`, beside what every problem of the hub says. */
@Catch()
export class OldErrorsFilter implements ExceptionFilter {
  constructor(private readonly settings: CompatSettings) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = toPatchbayError(thrown);
    const { publicUrl, log } = this.settings;
    if (error.status >= 500) {
      log.error('A request failed', { requestId: request.id, method: request.method, error });
    }
    if (reply.sent) return;
    const { status, headers, body } = problemReply(error, { publicUrl, requestId: request.id, url: request.url });
    const known = oldStatus[error.code] ?? status;
    void reply
      .status(known)
      .headers({ ...headers, 'content-type': 'application/json; charset=utf-8' })
      .send({ ...body, status: known, error: explanationOf(body), sent: false });
  }
}
