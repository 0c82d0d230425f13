import { randomUUID } from 'node:crypto';
import { Controller, Delete, Get, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { Answers, AuditLog, CurrentCaller, Scopes, ZodBody, ZodPath, type Caller } from '#platform';
import { replayAnswer, type ReplayReport } from '#runs';
import { PatchbayError, z } from '#sdk';
import { BackfillsService, type BackfillView } from './backfills.service.js';
import { ManualRunsService, type ManualRun } from './manual-runs.service.js';
import { ReplaysService } from './replays.service.js';
import { SourcesStore, type SourceState } from './sources.store.js';
import { backfillAnswer, manualRunAnswer, triggersAnswer } from './triggers.schema.js';

const backfillBody = z.strictObject({
  from: z.union([z.string(), z.number().int().nonnegative()]).transform(String),
  to: z.union([z.string(), z.number().int().nonnegative()]).transform(String).optional(),
  startRuns: z.boolean().default(false),
});
const replayBody = z.strictObject({
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  dryRun: z.boolean().default(true),
});

const backfillPath = z.object({ id: z.uuid() });
const manualRunBody = z.strictObject({ event: z.unknown() });
/** It becomes an indexed key of the event. */
const longestKey = 255;

@Controller('api')
export class TriggersController {
  constructor(
    private readonly sources: SourcesStore,
    private readonly backfills: BackfillsService,
    private readonly replays: ReplaysService,
    private readonly manualRuns: ManualRunsService,
    private readonly audit: AuditLog,
  ) {}

  @Answers('Lists what listens, where it left off and what troubles it', triggersAnswer)
  @Get('triggers')
  @Scopes('flows:read')
  async list(): Promise<{ triggers: SourceState[] }> {
    return { triggers: await this.sources.list() };
  }

  @Answers('Hands an event to one flow, as if its trigger had heard it', manualRunAnswer, 202)
  @Post('flows/:name/runs')
  @HttpCode(202)
  @Scopes('runs:write')
  async start(
    @Param('name') flow: string,
    @ZodBody(manualRunBody) body: z.output<typeof manualRunBody>,
    @CurrentCaller() caller: Caller,
    @Headers('idempotency-key') key: string = randomUUID(),
  ): Promise<ManualRun> {
    if (key === '' || key.length > longestKey) {
      throw new PatchbayError('request.invalid', { detail: `An Idempotency-Key has 1 to ${longestKey} characters.` });
    }
    const started = await this.manualRuns.start(flow, body.event, key);
    await this.audit.write({ actor: caller.name, action: 'run.start', subject: flow, detail: { ...started } });
    return started;
  }

  @Answers('Begins to read the past of the trigger of a flow', backfillAnswer, 202)
  @Post('flows/:name/backfills')
  @HttpCode(202)
  @Scopes('runs:write')
  async backfill(
    @Param('name') flow: string,
    @ZodBody(backfillBody) body: z.output<typeof backfillBody>,
    @CurrentCaller() caller: Caller,
  ): Promise<BackfillView> {
    const view = await this.backfills.request({ flow, from: body.from, to: body.to, startsRuns: body.startRuns });
    await this.audit.write({ actor: caller.name, action: 'backfill.start', subject: flow, detail: { ...view } });
    return view;
  }

  @Answers('Tells how far a backfill is', backfillAnswer)
  @Get('backfills/:id')
  @Scopes('runs:read')
  progress(@ZodPath(backfillPath) { id }: z.output<typeof backfillPath>): Promise<BackfillView> {
    return this.backfills.get(id);
  }

  @Answers('Cancels a backfill; the events that were read stay', backfillAnswer)
  @Delete('backfills/:id')
  @Scopes('runs:write')
  async cancel(
    @ZodPath(backfillPath) { id }: z.output<typeof backfillPath>,
    @CurrentCaller() caller: Caller,
  ): Promise<BackfillView> {
    const view = await this.backfills.cancel(id);
    await this.audit.write({ actor: caller.name, action: 'backfill.cancel', subject: view.flow, detail: { id } });
    return view;
  }

  @Answers('Runs a flow again over stored events; without dryRun: false it only counts', replayAnswer, 202)
  @Post('flows/:name/replay')
  @HttpCode(202)
  @Scopes('runs:write')
  async replay(
    @Param('name') flow: string,
    @ZodBody(replayBody) body: z.output<typeof replayBody>,
    @CurrentCaller() caller: Caller,
  ): Promise<ReplayReport> {
    const report = await this.replays.replay({ flow, since: body.since, until: body.until, isDryRun: body.dryRun });
    if (!body.dryRun) {
      await this.audit.write({
        actor: caller.name,
        action: 'flow.replay',
        subject: flow,
        detail: { runs: report.runs.length },
      });
    }
    return report;
  }
}
