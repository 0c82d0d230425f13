import type { Vocabulary } from '#engine';
import { loadFlowFile, movesValue, usesOfFile } from '#flows';
import type { Fault } from '#sdk';
import { HubAnswerError, type HubClient } from './hub-client.js';

export interface FlowChecksAnswer {
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** Asks the hub whether the other sides know what a flow names. */
export type AskChecks = (text: string, file: string) => Promise<FlowChecksAnswer>;

const nothing: FlowChecksAnswer = { faults: [], warnings: [] };

/** The hub has the connections; where it cannot be asked, that is one warning, and the files are linted without it. */
export function hubChecks(vocabulary: Vocabulary, openHub: () => Promise<HubClient>): AskChecks {
  let isSilent = false;
  return async (text, file) => {
    const isMoving = movesValue(loadFlowFile(text, { vocabulary }).flows);
    const first = usesOfFile(text, file).find(({ uses, input }) => {
      const trigger = vocabulary.trigger(uses);
      const finality = isMoving ? trigger?.finality : undefined;
      const isOpen = finality?.input !== undefined && !Object.hasOwn(input, finality.input);
      const isAsked = isOpen && finality.shortfallOf !== undefined;
      return isAsked || (vocabulary.action(uses) ?? trigger)?.check !== undefined;
    });
    if (first === undefined || isSilent) return nothing;
    try {
      const hub = await openHub();
      const { faults, warnings = [] } = await hub.post<Partial<FlowChecksAnswer>>('/api/flows/lint', {
        document: text,
      });
      // What needs no connection was found here already.
      const found = (faults ?? []).filter(({ rule }) => rule === 'not-there');
      return {
        faults: found.map((fault) => ({ ...fault, file })),
        warnings: warnings.map((fault) => ({ ...fault, file })),
      };
    } catch (error) {
      isSilent = true;
      const reason = error instanceof HubAnswerError ? error.problem.detail : String(error);
      const warning = first.faultAt('', {
        rule: 'not-checked',
        detail: `Whether there is what the flow names was not looked up. ${reason ?? 'The hub did not answer.'}`,
        fix: 'Start the hub and lint again, or name it with --hub.',
      });
      return { faults: [], warnings: [{ ...warning, severity: 'warning' }] };
    }
  };
}
