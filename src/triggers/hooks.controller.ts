import { Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { ConnectionsService } from '#connections';
import type { FlowsService } from '#flows';
import { Answers, bearerOf, hasScope, Public, type ApiKeys } from '#platform';
import type { IntakeService } from '#runs';
import { PatchbayError, type Heard, type HookRequest, type Logger } from '#sdk';
import { hookRequestOf } from './hook-request.js';
import type { RawHook } from './hook-request.js';
import type { SourcesService } from './sources.service.js';
import type { TriggerSource } from './trigger-source.js';
import { hookAnswer } from './triggers.schema.js';

export interface HookAnswer {
  readonly accepted: number;
  readonly events: readonly string[];
  readonly runs: readonly string[];
  /** Heard before: nothing new was started. */
  readonly duplicates: number;
}

/** What a hook needs, as one thing that Nest can inject. */
export class HookReceiver {
  constructor(
    private readonly parts: {
      readonly flows: FlowsService;
      readonly sources: SourcesService;
      readonly connections: ConnectionsService;
      readonly intake: IntakeService;
      readonly keys: ApiKeys;
      readonly log: Logger;
    },
  ) {}

  /** A 2xx is given only after the event and its runs are stored. */
  async receive(flowName: string, request: RawHook): Promise<HookAnswer> {
    // A flow that takes no webhooks is told apart before anything of the request is judged.
    this.#sourceOf(flowName);
    const received = hookRequestOf(request);
    const key = bearerOf(received.headers['authorization']);
    const known = key === undefined ? undefined : await this.parts.keys.authenticate(key);
    const isAuthenticated = known !== undefined && hasScope(known.scopes, 'events:write');
    return this.accept(flowName, { ...received, isAuthenticated });
  }

  /** What came for a flow by another door, which has judged who sent it. When it has returned, event and runs are stored. */
  async accept(flowName: string, request: HookRequest): Promise<HookAnswer> {
    const flow = this.parts.flows.get(flowName);
    const source = this.#sourceOf(flowName);
    const client: unknown = await this.parts.connections.clientFor(source.uses, source.trigger, source.connection);
    const heard = (await source.trigger.receive?.({
      input: source.input,
      client,
      request,
      log: this.parts.log,
    })) as readonly Heard[];
    if (!this.parts.sources.isRunning(flowName)) {
      throw new PatchbayError('flow.disabled', {
        detail: `The flow ${flow.name} is ${flow.isPaused ? 'paused' : 'disabled'}; the request was not kept.`,
        fix: `npx patchbay flow resume ${flow.name}`,
      });
    }
    const accepted = await this.parts.intake.accept({
      source: source.id,
      uses: source.uses,
      heard,
      flows: source.flows,
    });
    const runs = accepted.flatMap((event) => event.runs);
    return {
      accepted: accepted.length,
      events: accepted.map((event) => event.id),
      runs: runs.map((run) => run.id),
      duplicates: runs.filter((run) => !run.isNew).length,
    };
  }

  #sourceOf(flowName: string): TriggerSource {
    const source = this.parts.sources.of(flowName);
    if (source.trigger.receive !== undefined) return source;
    throw new PatchbayError('flow.notFound', {
      detail: `The flow ${flowName} is started by ${source.uses}, not by a webhook.`,
    });
  }
}

@Controller('hooks')
export class HooksController {
  constructor(private readonly receiver: HookReceiver) {}

  @Answers('Receives a webhook for a flow; 202 means that it is stored', hookAnswer, 202)
  @Post(':flow')
  @HttpCode(202)
  @Public()
  receive(@Param('flow') flow: string, @Req() request: RawHook): Promise<HookAnswer> {
    return this.receiver.receive(flow, request);
  }
}
