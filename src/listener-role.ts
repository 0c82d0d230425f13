import type { Catalog } from '#catalog';
import type { ConnectionsService } from '#connections';
import type { FlowsService } from '#flows';
import type { IftttServices } from '#ifttt';
import type { Leases, Log, Queues } from '#platform';
import type { IntakeService, ReversalsStore, RunQueue } from '#runs';
import type { UseService } from '#sdk';
import type { syncServices } from '#sync';
import {
  ForgottenSources,
  SchedulesService,
  TriggerHostService,
  type BackfillsService,
  type SourcesService,
  type SourcesStore,
} from '#triggers';
import type { ZapierServices } from '#zapier';
import type { OnStop } from './stopping.js';

/** Hears what starts runs. */
export function startListener(
  parts: {
    readonly catalog: Catalog;
    readonly connections: ConnectionsService;
    readonly flows: FlowsService;
    readonly sources: SourcesService;
    readonly sourcesStore: SourcesStore;
    readonly queues: Queues;
    readonly queue: RunQueue;
    readonly intake: IntakeService;
    readonly reversals: ReversalsStore;
    readonly backfills: BackfillsService;
    readonly syncs: ReturnType<typeof syncServices>['syncs'];
    readonly zapier: ZapierServices;
    readonly ifttt: IftttServices;
    readonly leases: Leases;
    readonly use: UseService;
    readonly log: Log;
  },
  onStop: OnStop,
): void {
  const { catalog, connections, flows, sources, sourcesStore, queues, queue, intake, reversals, backfills } = parts;
  const { syncs, zapier, ifttt, leases, use, log } = parts;

  const schedules = new SchedulesService({ sources, queues, intake, log });
  schedules.start();
  syncs.start();
  onStop('syncs', () => syncs.stop());
  onStop('schedules', () => schedules.stop());
  backfills.start();
  onStop('backfills', () => backfills.stop());
  const host = new TriggerHostService({
    sources,
    store: sourcesStore,
    connections,
    intake,
    reversals,
    queue,
    leases,
    log,
    use,
  });
  host.start();
  onStop('triggers', () => host.stop());
  const forgotten = new ForgottenSources({
    catalog,
    flows,
    sources,
    store: sourcesStore,
    connections,
    leases,
    log,
    use,
  });
  forgotten.start();
  onStop('forgotten sources', () => forgotten.stop());
  zapier.listener.start();
  onStop('listening for Zapier', () => zapier.listener.stop());
  ifttt.watches.start();
  onStop('watches for IFTTT', () => ifttt.watches.stop());
  ifttt.realtime.start();
  onStop('Realtime of IFTTT', () => ifttt.realtime.stop());
}
