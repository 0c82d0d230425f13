import type { FlowsService } from '#flows';
import type { IntakeService, ReversalsStore, RunQueue } from '#runs';
import { PatchbayError } from '#sdk';
import type { StreamEvent, StreamTarget } from '../stream.js';
import type { FlowSettings } from '../stream.schema.js';

export interface FlowTargetDeps {
  readonly flows: FlowsService;
  readonly intake: IntakeService;
  readonly reversals: ReversalsStore;
  readonly queue: RunQueue;
}

/**
 * Starts a run of the flow for each event, whatever the flow's own trigger is; an event that comes again starts no second
 * one. Of an event that was taken back the runs are reverted, as after a reorganisation.
 */
export function createFlowTarget({ flow: name }: FlowSettings, deps: FlowTargetDeps): StreamTarget {
  return {
    async deliver({ stream, events }) {
      const source = `stream/${stream}`;
      const flow = deps.flows.get(name);
      if (flow.isPaused || !flow.compiled.flow.enabled) {
        throw new PatchbayError('stream.refused', {
          detail: `The flow ${name} is ${flow.isPaused ? 'paused' : 'disabled'}; its events wait in the stream.`,
          fix: flow.isPaused ? `npx patchbay flow resume ${name}` : `Set enabled: true in ${flow.file}.`,
        });
      }
      const heard = events.filter((event) => originalOf(event) === undefined);
      const withdrawn = events.flatMap((event) => originalOf(event) ?? []);
      const types = new Set(heard.map(({ type }) => type));
      for (const uses of types) {
        await deps.intake.accept({
          source,
          uses,
          heard: heard.filter(({ type }) => type === uses).map(heardOf),
          flows: [flow.compiled],
        });
      }
      if (withdrawn.length > 0) deps.queue.wakeAgain(await deps.reversals.withdraw(source, withdrawn));
    },
  };
}

function heardOf({ id, data, time, subject }: StreamEvent) {
  return { id, event: data, ...(time === undefined ? {} : { time }), ...(subject === undefined ? {} : { subject }) };
}

/** Id of the event that this one takes back. */
function originalOf({ type, data }: StreamEvent): string | undefined {
  return type.endsWith('.reverted') && typeof data['reverted'] === 'string' ? data['reverted'] : undefined;
}
