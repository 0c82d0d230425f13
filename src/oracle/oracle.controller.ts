import { Controller, HttpCode, Param, Patch, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Answers, Public, Scopes } from '#platform';
import { PatchbayError, z } from '#sdk';
import { hookRequestOf, type RawHook } from '#triggers';
import { AdapterRuns } from './adapter-runs.js';
import { OracleFilter } from './oracle.filter.js';
import { ResumptionsStore } from './resumptions.store.js';

const adapterAnswer = z.looseObject({
  jobRunID: z.string().optional(),
  data: z.looseObject({ result: z.unknown() }).optional(),
  result: z.unknown().optional(),
  statusCode: z.number().int().optional(),
  pending: z.boolean().optional().meta({ description: 'The answer is sent to responseURL later' }),
});

const longestError = 2_000;

/** The hub as an external adapter, and where adapters elsewhere answer later. */
@Controller('oracle')
@UseFilters(OracleFilter)
export class OracleController {
  constructor(
    private readonly adapters: AdapterRuns,
    private readonly resumptions: ResumptionsStore,
  ) {}

  @Answers('Asks a flow as an external adapter, and waits for its answer', adapterAnswer)
  @Post('adapters/:flow')
  @Scopes('oracle:adapters')
  async ask(@Param('flow') flow: string, @Req() request: RawHook, @Res() reply: FastifyReply): Promise<void> {
    const { status, body } = await this.adapters.answer(flow, request);
    void reply.status(status).send(body);
  }

  @Answers(
    'Takes the answer of an external adapter that was asked by a step; the address opens it, once',
    undefined,
    200,
  )
  @Patch('resume/:id')
  @HttpCode(200)
  @Public()
  async resume(@Param('id') id: string, @Req() request: RawHook): Promise<void> {
    if (!z.uuid().safeParse(id).success) {
      throw new PatchbayError('request.notFound', { detail: 'Nobody waits here for an answer.' });
    }
    await this.resumptions.answer(id, resumptionOf(hookRequestOf(request).body));
  }
}

/** @throws oracle.answer unless it is exactly one of value and error */
function resumptionOf(body: unknown): { readonly value: unknown } | { readonly error: string } {
  const given = z.looseObject({ value: z.unknown(), error: z.string().nullish() }).safeParse(body);
  const { value, error } = given.success ? given.data : {};
  const hasValue = value !== undefined && value !== null;
  if (given.success && hasValue && error == null) return { value };
  if (given.success && !hasValue && error != null) return { error: error.slice(0, longestError) };
  throw new PatchbayError('oracle.answer', {
    detail: 'The body has not exactly one of value and error.',
    fix: 'Send {"value": …} or {"error": "text"}.',
  });
}
