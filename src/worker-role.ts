import type { Catalog } from '#catalog';
import type { ConnectionsService } from '#connections';
import type { FlowsService } from '#flows';
import { GatewayCallRetention } from '#gateway';
import { SendingService, type NetworksService } from '#networks';
import {
  buryInstance,
  findDeadInstances,
  type Config,
  type Instance,
  type Log,
  type Metrics,
  type Queues,
  type Signals,
  type Store,
} from '#platform';
import {
  ActionCaller,
  RetentionService,
  RunExecutor,
  RunsStore,
  SweeperService,
  WaitingRuns,
  runQueueName,
  type RunJob,
  type RunQueue,
  type RunsHere,
  type RunsLive,
} from '#runs';
import type { HttpClient, UseService } from '#sdk';
import type { ZapierServices } from '#zapier';
import type { OnStop } from './stopping.js';

/** Executes runs and sends what they and others leave to be sent. */
export function startWorker(
  parts: {
    readonly config: Config;
    readonly store: Store;
    readonly instance: Instance;
    readonly queues: Queues;
    readonly queue: RunQueue;
    readonly here: RunsHere;
    readonly catalog: Catalog;
    readonly connections: ConnectionsService;
    readonly networks: NetworksService;
    readonly flows: FlowsService;
    readonly live: RunsLive;
    readonly zapier: ZapierServices;
    readonly http: HttpClient;
    readonly signals: Signals;
    readonly metrics: Metrics;
    readonly env: Readonly<Record<string, string>>;
    readonly use: UseService;
    readonly log: Log;
  },
  onStop: OnStop,
): void {
  const { config, store, instance, queues, queue, here, catalog, connections, networks, flows, live } = parts;
  const { zapier, http, signals, metrics, env, use, log } = parts;
  const { db, pool } = store;

  const sending = new SendingService(networks, log);
  sending.start();
  onStop('sending', () => sending.stop());
  const runsStore = new RunsStore(pool, () => instance.id);
  const caller = new ActionCaller({ catalog, connections, http, log, metrics, use });
  const executor = new RunExecutor({ store: runsStore, flows, caller, queue, live, env, metrics, log });
  here.start(() => instance.id, executor);
  queues.worker<RunJob>(runQueueName, (job) => executor.execute(job.data), {
    concurrency: config.queue.concurrency,
  });
  onStop('runs', () => executor.stop(config.shutdownSeconds * 1000));
  const sweeper = new SweeperService({
    store: runsStore,
    queue,
    executor,
    // After a long sleep of the machine this process looks silent to itself; it is not the one to judge.
    findDead: async () => (await findDeadInstances(store)).filter((id) => id !== instance.id),
    bury: async (instances) => {
      for (const id of instances) await buryInstance(store, id);
    },
    metrics,
    log,
  });
  sweeper.start();
  onStop('sweeper', () => sweeper.stop());
  const waitingRuns = new WaitingRuns({ pool, signals, queue, log });
  waitingRuns.start();
  onStop('waiting runs', () => waitingRuns.stop());
  const retention = new RetentionService({ db, ...config.retention, log });
  retention.start();
  onStop('retention', () => retention.stop());
  const callRetention = new GatewayCallRetention({ db, eventDays: config.retention.eventDays, log });
  callRetention.start();
  onStop('retention of calls', () => callRetention.stop());
  zapier.sender.start();
  onStop('sending to Zapier', () => zapier.sender.stop());
}
