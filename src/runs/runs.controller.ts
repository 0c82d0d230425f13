import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { Answers, AuditLog, CurrentCaller, Scopes, ZodBody, ZodQuery, type Caller } from '#platform';
import { PatchbayError, z } from '#sdk';
import { RunsQueries, type Page, type RunView } from './runs.queries.js';
import { replayAnswer, runDetailAnswer, runsAnswer } from './runs.schema.js';
import { RunsService, type ReplayReport } from './runs.service.js';

const uuid = z.uuid();
const listQuery = z.object({
  flow: z.string().optional(),
  state: z.enum(['queued', 'running', 'completed', 'failed', 'cancelled']).optional(),
  event: uuid.optional(),
  before: z.string().regex(/^\d+$/).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});
const replayBody = z.strictObject({
  version: z.enum(['then', 'now']).default('now'),
  dryRun: z.boolean().default(false),
});

@Controller('api/runs')
export class RunsController {
  constructor(
    private readonly queries: RunsQueries,
    private readonly runs: RunsService,
    private readonly audit: AuditLog,
  ) {}

  @Answers('Lists runs, newest first', runsAnswer)
  @Get()
  @Scopes('runs:read')
  list(@ZodQuery(listQuery) query: z.output<typeof listQuery>): Promise<Page<RunView>> {
    return this.queries.runs(query);
  }

  @Answers('Gives a run with its steps', runDetailAnswer)
  @Get(':id')
  @Scopes('runs:read')
  get(@Param('id') id: string): Promise<RunView> {
    return this.queries.run(uuidOf(id));
  }

  @Answers('Retries a failed run from its first unfinished step', runDetailAnswer, 202)
  @Post(':id/retry')
  @HttpCode(202)
  @Scopes('runs:write')
  async retry(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<RunView> {
    await this.runs.retry(uuidOf(id));
    await this.audit.write({ actor: caller.name, action: 'run.retry', subject: id });
    return this.queries.run(id);
  }

  @Answers('Runs the flow again with the same event, as a new run', replayAnswer, 202)
  @Post(':id/replay')
  @HttpCode(202)
  @Scopes('runs:write')
  async replay(
    @Param('id') id: string,
    @ZodBody(replayBody) body: z.output<typeof replayBody>,
    @CurrentCaller() caller: Caller,
  ): Promise<ReplayReport> {
    const report = await this.runs.replay(uuidOf(id), { version: body.version, isDryRun: body.dryRun });
    if (!body.dryRun) {
      await this.audit.write({
        actor: caller.name,
        action: 'run.replay',
        subject: id,
        detail: { runs: report.runs },
      });
    }
    return report;
  }

  @Answers('Cancels a run before its next step', runDetailAnswer)
  @Post(':id/cancel')
  @HttpCode(200)
  @Scopes('runs:write')
  async cancel(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<RunView> {
    await this.runs.cancel(uuidOf(id));
    await this.audit.write({ actor: caller.name, action: 'run.cancel', subject: id });
    return this.queries.run(id);
  }
}

/**
 * An id that is no UUID names nothing; the database must not be asked about it.
 *
 * @throws run.notFound, event.notFound
 */
export function uuidOf(id: string, otherwise: 'run.notFound' | 'event.notFound' = 'run.notFound'): string {
  if (uuid.safeParse(id).success) return id;
  throw new PatchbayError(otherwise, { detail: `${id.slice(0, 100)} is no id: ids look like ${exampleId}.` });
}

const exampleId = '2040e8bf-ce55-8998-a33d-71433dc91548';
