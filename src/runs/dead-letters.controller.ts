import { Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { Answers, AuditLog, CurrentCaller, Scopes, ZodBody, ZodQuery, type Caller } from '#platform';
import { PatchbayError, z } from '#sdk';
import { uuidOf } from './runs.controller.js';
import { RunsQueries, type Page, type RunView } from './runs.queries.js';
import { runDetailAnswer, runsAnswer } from './runs.schema.js';
import { RunsService } from './runs.service.js';

const listQuery = z.object({
  flow: z.string().optional(),
  before: z.string().regex(/^\d+$/).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});
/** Present: the event as it should have been, for this run only. */
const retryBody = z.strictObject({ event: z.unknown().optional() });
const retryMany = z.strictObject({
  flow: z.string().optional(),
  limit: z.number().int().min(1).max(1_000).default(100),
});

/** Runs that were given up and wait for a person. */
@Controller('api/dead-letters')
export class DeadLettersController {
  constructor(
    private readonly queries: RunsQueries,
    private readonly runs: RunsService,
    private readonly audit: AuditLog,
  ) {}

  @Answers('Lists the runs that were given up, newest first', runsAnswer)
  @Get()
  @Scopes('runs:read')
  list(@ZodQuery(listQuery) query: z.output<typeof listQuery>): Promise<Page<RunView>> {
    return this.queries.runs({ ...query, state: 'failed' });
  }

  @Answers('Gives a dead letter with its steps', runDetailAnswer)
  @Get(':id')
  @Scopes('runs:read')
  async get(@Param('id') id: string): Promise<RunView> {
    return this.#deadLetter(id);
  }

  /** Without those that their trigger refused: each of these is to be looked at. */
  @Answers(
    'Retries dead letters, newest first, without those that their trigger refused',
    z.object({ retried: z.array(z.uuid()) }),
    202,
  )
  @Post('retry')
  @HttpCode(202)
  @Scopes('runs:write')
  async retryMany(
    @ZodBody(retryMany) body: z.output<typeof retryMany>,
    @CurrentCaller() caller: Caller,
  ): Promise<{ retried: readonly string[] }> {
    const { items } = await this.queries.runs({
      flow: body.flow,
      state: 'failed',
      withRefused: false,
      limit: body.limit,
    });
    const retried = items.map((run) => run.id);
    for (const id of retried) await this.runs.retry(id);
    await this.audit.write({ actor: caller.name, action: 'deadLetter.retry', detail: { retried } });
    return { retried };
  }

  @Answers('Retries a dead letter, with an edited event if one is given', runDetailAnswer, 202)
  @Post(':id/retry')
  @HttpCode(202)
  @Scopes('runs:write')
  async retry(
    @Param('id') id: string,
    @ZodBody(retryBody) body: z.output<typeof retryBody>,
    @CurrentCaller() caller: Caller,
  ): Promise<RunView> {
    await this.#deadLetter(id);
    await this.runs.retry(id, 'event' in body ? { event: body.event } : undefined);
    await this.audit.write({
      actor: caller.name,
      action: 'event' in body ? 'deadLetter.editAndRetry' : 'deadLetter.retry',
      subject: id,
    });
    return this.queries.run(id);
  }

  @Answers('Drops a dead letter: its run is cancelled', undefined, 204)
  @Delete(':id')
  @HttpCode(204)
  @Scopes('runs:write')
  async drop(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<void> {
    await this.#deadLetter(id);
    await this.runs.cancel(id);
    await this.audit.write({ actor: caller.name, action: 'deadLetter.drop', subject: id });
  }

  async #deadLetter(id: string): Promise<RunView> {
    const run = await this.queries.run(uuidOf(id));
    if (run.state === 'failed') return run;
    throw new PatchbayError('run.stateConflict', { detail: `The run ${id} is ${run.state}; it is no dead letter.` });
  }
}
