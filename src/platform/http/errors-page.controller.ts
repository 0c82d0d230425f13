import { Controller, Get, Header, Headers, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { PatchbayError, errorCodes, isErrorCode, type ErrorCode, type RetryAdvice } from '#sdk';

import { Public } from '../auth/access.js';

const advice: Readonly<Record<RetryAdvice, string>> = {
  never: 'Trying again as it is cannot help; something has to be changed first.',
  later: 'Trying again later may help; Patchbay does so by itself where it can.',
  after: 'Trying again helps once the other side’s own waiting time is over.',
};

/** What the `type` of a problem points to. */
@Controller('errors')
export class ErrorsPageController {
  @Public()
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  list(): string {
    const rows = (Object.keys(errorCodes) as ErrorCode[]).map(
      (code) => `<li><a href="/errors/${code}">${code}</a>: ${errorCodes[code].title}</li>`,
    );
    return page('Errors of Patchbay', `<ul>${rows.join('')}</ul>`);
  }

  @Public()
  @Get(':code')
  get(@Param('code') code: string, @Headers('accept') accept = '', @Res() reply: FastifyReply): void {
    if (!isErrorCode(code)) throw new PatchbayError('request.notFound', { fix: 'All codes are listed at /errors.' });
    const entry = errorCodes[code];
    if (accept.includes('json')) {
      void reply.send({ code, ...entry });
      return;
    }
    const body = `<p><code>${code}</code>, HTTP status ${entry.status}</p><p>${advice[entry.retry]}</p><p><a href="/errors">All codes</a></p>`;
    void reply.type('text/html; charset=utf-8').send(page(entry.title, body));
  }
}

/** Only texts of the catalogue go in, so nothing has to be escaped. */
function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}</html>`;
}
