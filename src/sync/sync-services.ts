import type { Kysely } from 'kysely';
import type { Database } from '#platform';
import { SyncTrial, type SyncTrialParts } from './sync-trial.js';
import { SyncsQueries } from './syncs.queries.js';
import { SyncsService, type KnownSync } from './syncs.service.js';

/** As far as this room needs to know of a flow. */
interface FlowsPort {
  syncs(): readonly KnownSync[];
  find(name: string): { readonly isPaused: boolean } | undefined;
}

export interface SyncServicesParts extends SyncTrialParts {
  readonly db: Kysely<Database>;
  readonly flows: FlowsPort;
  readonly sources: { of(flow: string): { readonly id: string } };
  readonly sourcesStore: { list(): Promise<readonly { readonly id: string; readonly cursor: string | null }[]> };
  readonly manualRuns: {
    start(flow: string, event: unknown, key: string): Promise<{ readonly runs: readonly string[] }>;
  };
}

export function syncServices({ db, flows, sources, sourcesStore, manualRuns, ...trialed }: SyncServicesParts) {
  const queries = new SyncsQueries(db);
  const syncs = new SyncsService({
    syncs: () => flows.syncs(),
    isPaused: (name) => flows.find(name)?.isPaused,
    queries,
    areListening: async (names) => {
      const begun = new Set((await sourcesStore.list()).flatMap(({ id, cursor }) => (cursor === null ? [] : [id])));
      return names.every((name) => flows.find(name) !== undefined && begun.has(sources.of(name).id));
    },
    start: (name, event, key) => manualRuns.start(name, event, key),
    log: trialed.log,
  });
  return { syncs, provided: [syncs, queries, new SyncTrial(trialed)] };
}
