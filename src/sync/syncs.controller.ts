import { randomUUID } from 'node:crypto';
import { Controller, Get, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { Answers, AuditLog, CurrentCaller, Scopes, ZodBody, type Caller } from '#platform';
import type { z } from '#sdk';
import { SyncTrial } from './sync-trial.js';
import { SyncsQueries, type KnownPass } from './syncs.queries.js';
import {
  checkAnswer,
  syncDetailAnswer,
  syncsAnswer,
  trialAnswer,
  trialRequest,
  type SyncView,
} from './syncs.schema.js';
import { SyncsService, type KnownSync } from './syncs.service.js';

const mostRows = 50;

@Controller('api/syncs')
export class SyncsController {
  constructor(
    private readonly syncs: SyncsService,
    private readonly queries: SyncsQueries,
    private readonly trial: SyncTrial,
    private readonly audit: AuditLog,
  ) {}

  @Answers('Lists the syncs, and how far they are', syncsAnswer)
  @Get()
  @Scopes('flows:read')
  async list(): Promise<{ syncs: SyncView[] }> {
    return { syncs: await Promise.all(this.syncs.list().map((sync) => this.#view(sync))) };
  }

  @Answers('Gives a sync with its document, and what is not in order', syncDetailAnswer)
  @Get(':name')
  @Scopes('flows:read')
  async get(@Param('name') name: string) {
    const sync = this.syncs.get(name);
    const rows = await this.queries.troubled(name, sync.compiled.identity, mostRows);
    return {
      ...(await this.#view(sync)),
      document: sync.document,
      rows: rows.map((row) => ({ ...row, updatedAt: row.updatedAt.toISOString() })),
    };
  }

  @Answers('Tells what a sync would write for one record, without writing it; nothing is kept', trialAnswer)
  @Post('try')
  @HttpCode(200)
  @Scopes('flows:write')
  try(@ZodBody(trialRequest) body: z.output<typeof trialRequest>): Promise<unknown> {
    return this.trial.try(body, AbortSignal.timeout(25_000));
  }

  @Answers(
    'Compares both sides of a sync as a whole, and brings in order what differs if the sync says so',
    checkAnswer,
  )
  @Post(':name/check')
  @HttpCode(202)
  @Scopes('flows:write')
  async check(
    @Param('name') name: string,
    @CurrentCaller() caller: Caller,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<{ run: string }> {
    const started = await this.syncs.check(name, key ?? randomUUID());
    await this.audit.write({ actor: caller.name, action: 'sync.check', subject: name });
    return started;
  }

  async #view(sync: KnownSync): Promise<SyncView> {
    const { name, description, kind, identity, flows } = sync.compiled;
    const [state, counts] = await Promise.all([this.queries.state(name), this.queries.counts(name, identity)]);
    return {
      name,
      ...(description !== undefined && { description }),
      file: sync.file,
      kind,
      state: this.syncs.stateOf(sync),
      flows: flows.map((flow) => flow.name),
      faults: [...sync.faults],
      warnings: [...sync.warnings],
      counts,
      pass: state?.pass === undefined || state.identity !== identity ? null : passView(state.pass),
    };
  }
}

function passView({ kind, isRunning, counts, startedAt, finishedAt }: KnownPass): SyncView['pass'] {
  return {
    kind,
    state: isRunning ? 'running' : 'finished',
    ...counts,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}
