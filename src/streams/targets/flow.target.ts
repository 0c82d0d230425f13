import type { FlowsService } from '#flows';
import type { IntakeService, ReversalsStore, RunQueue } from '#runs';
import { PatchbayError, type Heard, type Logger } from '#sdk';
import type { SourcesService } from '#triggers';
import type { StreamEvent, StreamTarget } from '../stream.js';
import { eventJson } from '../stream-format.js';
import type { FlowSettings } from '../stream.schema.js';

export interface FlowTargetDeps {
  readonly flows: FlowsService;
  readonly sources: SourcesService;
  readonly intake: IntakeService;
  readonly reversals: ReversalsStore;
  readonly queue: RunQueue;
  readonly log: Logger;
}

/**
 * Starts a run of the flow for each event; one that comes again starts no second run. A flow that takes webhooks gets the
 * CloudEvent as it would over the network, any other gets its data. Of an event that was taken back the runs are reverted,
 * as after a reorganisation.
 */
export function createFlowTarget({ flow: name }: FlowSettings, deps: FlowTargetDeps): StreamTarget {
  return {
    check: () => Promise.resolve(void deps.flows.get(name)),
    async deliver({ stream, events }) {
      const flow = deps.flows.get(name);
      if (flow.isPaused || !flow.compiled.flow.enabled) {
        throw new PatchbayError('stream.refused', {
          detail: `The flow ${name} is ${flow.isPaused ? 'paused' : 'disabled'}; its events wait in the stream.`,
          fix: flow.isPaused ? `npx patchbay flow resume ${name}` : `Set enabled: true in ${flow.file}.`,
        });
      }
      const source = `stream/${stream}`;
      const { uses, trigger, input } = deps.sources.of(name);
      const { log } = deps;
      const heard: Heard[] = [];
      for (const event of events.filter((one) => originalOf(one) === undefined)) {
        const received = trigger.receive?.({ input, client: undefined, request: requestOf(event), log });
        heard.push(...((await received) ?? [plain(event)]));
      }
      if (heard.length > 0) await deps.intake.accept({ source, uses, heard, flows: [flow.compiled] });
      const withdrawn = events.flatMap((event) => originalOf(event) ?? []);
      if (withdrawn.length > 0) deps.queue.wakeAgain(await deps.reversals.withdraw(source, withdrawn));
    },
  };
}

/** As a webhook that a trusted sender delivers. */
function requestOf(event: StreamEvent) {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json', 'webhook-id': event.id },
    query: {},
    rawBody: Buffer.from(eventJson(event)),
    body: event,
    isAuthenticated: true,
  };
}

function plain({ id, data, time, subject }: StreamEvent): Heard {
  return { id, event: data, ...(time === undefined ? {} : { time }), ...(subject === undefined ? {} : { subject }) };
}

/** Id of the event that this one takes back. */
function originalOf({ type, data }: StreamEvent): string | undefined {
  return type.endsWith('.reverted') && typeof data['reverted'] === 'string' ? data['reverted'] : undefined;
}
