import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { Catalog } from '#catalog';
import { Answers, AuditLog, CurrentCaller, Scopes, ZodBody, type Caller } from '#platform';
import { z, type Fault } from '#sdk';
import { FlowChecker, type FlowChecks } from './flow-checker.js';
import { loadFlowFile, movesValue, usesOfFile } from './flow-file.js';
import { faultsAnswer, flowAnswer, flowDetailAnswer, flowsAnswer } from './flows.schema.js';
import { FlowsService, type BrokenFile, type KnownFlow } from './flows.service.js';

const draft = z.strictObject({ document: z.string().max(65_536) });

export interface FlowView {
  readonly name: string;
  readonly description: string | undefined;
  readonly file: string;
  readonly version: string;
  readonly state: 'running' | 'paused' | 'disabled';
  readonly trigger: string;
  readonly steps: readonly string[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

@Controller('api/flows')
export class FlowsController {
  constructor(
    private readonly flows: FlowsService,
    private readonly catalog: Catalog,
    private readonly checker: FlowChecker,
    private readonly audit: AuditLog,
  ) {}

  @Answers('Lists the flows, and the files with faults', flowsAnswer)
  @Get()
  @Scopes('flows:read')
  list(): { flows: FlowView[]; broken: readonly BrokenFile[] } {
    return { flows: this.flows.list().map(viewOf), broken: this.flows.broken() };
  }

  @Answers('Gives a flow with its document', flowDetailAnswer)
  @Get(':name')
  @Scopes('flows:read')
  get(@Param('name') name: string): FlowView & { document: string } {
    const flow = this.flows.get(name);
    return { ...viewOf(flow), document: flow.compiled.flow.document };
  }

  @Answers('Finds the faults of a flow document, also by asking the connections it uses; nothing is kept', faultsAnswer)
  @Post('lint')
  @HttpCode(200)
  @Scopes('flows:read')
  async lint(@ZodBody(draft) { document }: z.output<typeof draft>): Promise<FlowChecks> {
    const { flows, faults, warnings } = loadFlowFile(document, { vocabulary: this.catalog });
    const checks = await this.checker.checkUses(usesOfFile(document), { movesValue: movesValue(flows) });
    return { faults: [...faults, ...checks.faults], warnings: [...warnings, ...checks.warnings] };
  }

  @Answers('Pauses a flow: its trigger stops, runs that have begun go on', flowAnswer)
  @Post(':name/pause')
  @HttpCode(200)
  @Scopes('flows:write')
  pause(@Param('name') name: string, @CurrentCaller() caller: Caller): Promise<FlowView> {
    return this.#setPaused(name, true, caller);
  }

  @Answers('Resumes a paused flow where its trigger left off', flowAnswer)
  @Post(':name/resume')
  @HttpCode(200)
  @Scopes('flows:write')
  resume(@Param('name') name: string, @CurrentCaller() caller: Caller): Promise<FlowView> {
    return this.#setPaused(name, false, caller);
  }

  async #setPaused(name: string, isPaused: boolean, caller: Caller): Promise<FlowView> {
    const flow = await this.flows.setPaused(name, isPaused);
    await this.audit.write({
      actor: caller.name,
      action: isPaused ? 'flow.pause' : 'flow.resume',
      subject: name,
    });
    return viewOf(flow);
  }
}

function viewOf(flow: KnownFlow): FlowView {
  const { description, version, enabled, trigger, steps } = flow.compiled.flow;
  return {
    name: flow.name,
    description,
    file: flow.file,
    version,
    state: flow.isPaused ? 'paused' : enabled ? 'running' : 'disabled',
    trigger: trigger.uses,
    steps: steps.map((step) => step.uses),
    faults: flow.faults,
    warnings: flow.warnings,
  };
}
