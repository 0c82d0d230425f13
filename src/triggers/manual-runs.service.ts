import type { FlowsService } from '#flows';
import type { IntakeService } from '#runs';
import { PatchbayError } from '#sdk';

export interface ManualRunsParts {
  readonly flows: FlowsService;
  readonly intake: IntakeService;
  readonly env: Readonly<Record<string, string>>;
}

export interface ManualRun {
  readonly event: string;
  readonly runs: readonly string[];
  /** How many of the runs existed already, because the same key was sent before. */
  readonly duplicates: number;
  /** Why the flow does not take the event; nothing was stored then. */
  readonly ignored?: string;
}

/** Events that a person hands to one flow, as if its trigger had heard them. */
export class ManualRunsService {
  constructor(private readonly parts: ManualRunsParts) {}

  /** A repeated key starts no second run. */
  async start(flowName: string, event: unknown, key: string): Promise<ManualRun> {
    const flow = this.parts.flows.get(flowName);
    if (flow.isPaused || !flow.compiled.flow.enabled) {
      throw new PatchbayError('flow.disabled', {
        detail: `The flow ${flowName} is ${flow.isPaused ? 'paused' : 'disabled'}; no run was started.`,
        fix: flow.isPaused ? `npx patchbay flow resume ${flowName}` : `Set enabled: true in ${flow.file}.`,
      });
    }
    const accepted = await this.parts.intake.accept({
      source: `manual/${flowName}`,
      uses: 'patchbay.manual',
      heard: [{ id: key, event }],
      flows: [flow.compiled],
    });
    const runs = accepted.flatMap((one) => one.runs);
    const acceptance = runs.length > 0 ? undefined : flow.compiled.accept(event, this.parts.env);
    return {
      event: accepted[0]?.id ?? '',
      runs: runs.map((run) => run.id),
      duplicates: runs.filter((run) => !run.isNew).length,
      ...(acceptance?.takes === false && { ignored: acceptance.because }),
    };
  }
}
