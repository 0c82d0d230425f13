import type { FlowsService } from '#flows';
import type { DeclaredTrigger, DeclaredTriggers } from '#sdk';
import type { SourcesService } from './sources.service.js';

/** What a trigger may know of the flows around it: which others there are, and what they ask for. */
export function declaredTriggersOf(flows: FlowsService, sources: SourcesService): DeclaredTriggers {
  return {
    of: (uses) =>
      flows
        .list()
        .filter(({ compiled: { flow } }) => flow.enabled && flow.trigger.uses === uses)
        .flatMap(({ name, isPaused }): DeclaredTrigger[] => {
          const source = sources.findOf(name);
          if (source === undefined) return [];
          const input = source.input as Readonly<Record<string, unknown>>;
          return [{ flow: name, connection: source.connection, input, movesValue: source.movesValue, isPaused }];
        }),
  };
}
