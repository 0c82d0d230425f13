import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Catalog } from '#catalog';
import { compatServices } from '#compat';
import { connectionServices, readConfigurationFile } from '#connections';
import { contractDirectory, gatewayCalls, interfaceDirectory, networkDirectory } from '#evm';
import { FlowChecker, FlowsService, FlowsStore } from '#flows';
import { gatewayServices } from '#gateway';
import { iftttErrors, iftttServices } from '#ifttt';
import { NetworksService } from '#networks';
import { oracleServices } from '#oracle';
import {
  ApiKeys,
  AuditLog,
  Readiness,
  Signals,
  closeHttpApp,
  createHttpApp,
  createHttpClient,
  createLeases,
  createMetrics,
  createQueues,
  createVault,
  hubIdOf,
  joinInstances,
  loadMasterKey,
  openStore,
  parseEgress,
  type Config,
  type Log,
} from '#platform';
import {
  IntakeService,
  IntakeStore,
  ReversalsStore,
  RunQueue,
  RunsHere,
  RunsLive,
  RunsQueries,
  RunsService,
  keepRunGauges,
} from '#runs';
import {
  PatchbayError,
  declaredTriggers,
  iftttItems,
  oracleKept,
  oracleResumptions,
  oracleTurns,
  syncLedger,
  zapierItems,
  type ConnectorDefinition,
} from '#sdk';
import { streamServices } from '#streams';
import { SyncStore, syncServices } from '#sync';
import { TransactionsService, chainServices, keepTransactionGauges } from '#transactions';
import {
  BackfillsService,
  HookReceiver,
  ManualRunsService,
  ReplaysService,
  SourcesService,
  SourcesStore,
  declaredTriggersOf,
  keepTriggerGauges,
} from '#triggers';
import { zapierServices } from '#zapier';
import { AppModule } from './app.module.js';
import { startListener } from './listener-role.js';
import type { OnStop } from './stopping.js';
import { startWorker } from './worker-role.js';

// As source this file lies one folder below package.json, built it lies two below.
const packageFile = ['../../package.json', '../package.json']
  .map((path) => new URL(path, import.meta.url))
  .find((file) => existsSync(file));
export const version =
  packageFile === undefined ? '' : (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;

export interface Hub {
  readonly url: string;
  /** Only when it was made at this start. */
  readonly adminKey: string | undefined;
  readonly flows: FlowsService;
  /** Finishes or hands back what it holds; resolves when everything is closed. */
  stop(): Promise<void>;
}

interface Stopping {
  readonly what: string;
  readonly stop: Parameters<OnStop>[1];
}

/** Puts the parts together, starts those that the roles ask for, and stops them in the opposite order. */
export async function startHub(options: {
  readonly config: Config;
  readonly log: Log;
  readonly connectors: readonly ConnectorDefinition[];
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<Hub> {
  const { log } = options;
  const stopping: Stopping[] = [];
  const stop = async (): Promise<void> => {
    for (const { what, stop: end } of stopping.splice(0).reverse()) {
      const at = performance.now();
      await Promise.resolve(end()).catch((error: unknown) => log.warn('A part did not stop in order', { what, error }));
      log.debug('A part was stopped', { what, ms: Math.round(performance.now() - at) });
    }
  };
  try {
    return await assemble(options, stopping, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(
  { config, log, connectors, env }: Parameters<typeof startHub>[0],
  stopping: Stopping[],
  stop: () => Promise<void>,
): Promise<Hub> {
  const onStop: OnStop = (what, end) => void stopping.push({ what, stop: end });
  const has = (role: Config['roles'][number]): boolean => config.roles.includes(role);

  const catalog = new Catalog(connectors);
  const file = await readConfigurationFile(config.flows.configurationFile, env);
  const store = await openStore({ config, log });
  onStop('store', () => store.close());
  const { db, pool } = store;

  const instance = await joinInstances(store, { name: `${hostname()}:${process.pid}`, roles: config.roles, log });
  onStop('instance', () => instance.leave());
  const leases = createLeases(store, instance, log);
  onStop('leases', () => leases.close());
  instance.onLost(() => {
    log.error('The other processes took this one for dead and have taken over its work');
    process.exit(1);
  });
  const signals = new Signals({ connection: store.connection, pool, name: instance.id, log });
  await signals.start();
  onStop('signals', () => signals.close());
  const queues = await createQueues({ config, store, log });
  onStop('queues', () => queues.close());

  const metrics = createMetrics();
  const readiness = new Readiness(db);
  const { masterKey } = config.vault;
  const vault = createVault(
    await loadMasterKey({ dataDir: config.dataDir, ...(masterKey !== undefined && { configured: masterKey }) }),
  );
  const keys = new ApiKeys(db);
  const { key: adminKey } = await keys.ensureAdminKey(config.auth.adminKey);
  const http = createHttpClient({
    egress: parseEgress(config.egress.allow, { onRefused: (reason) => metrics.targetsRefused.inc({ reason }) }),
    log,
  });

  const chain = chainServices({
    db,
    declared: file,
    http,
    signals,
    leases,
    log,
    networkName: (chainId) => networks.findName(chainId),
    addressOf: (chainId, contract) => networks.findAddress(chainId, contract),
  });
  onStop('signers', () => chain.signers.close());
  const declared = file.connections;
  const hub = await hubIdOf(db);
  const { connections, care } = await connectionServices({
    hub,
    catalog,
    declared,
    db,
    vault,
    signals,
    http,
    log,
    use: chain.use,
  });
  onStop('connections', () => connections.close());
  await care.start();
  onStop('care of connections', () => care.stop());
  const networks = new NetworksService(connections, catalog);
  const audit = new AuditLog(db);
  const transactions = new TransactionsService(networks, chain.transactions, audit);
  onStop('live transactions', () => chain.live.stop());

  const flowEnv = Object.fromEntries(config.flows.env.map((name) => [name, env[name] ?? '']));
  const checker = new FlowChecker({ catalog, connections, use: chain.use });
  const flows = new FlowsService({
    folder: config.flows.dir,
    vocabulary: catalog,
    connections: () => connections.names(),
    env: flowEnv,
    store: new FlowsStore(db),
    checker,
    log,
  });
  const sources = new SourcesService({ catalog, connections, flows, log });
  const publicUrl = config.http.publicUrl ?? `http://${config.http.host}:${config.http.port}`;
  const gateway = gatewayServices({ db, signals, networks, signers: chain.signers, flows, log, publicUrl });
  onStop('gateway', () => gateway.close());
  chain.lend(contractDirectory, gateway.registered);
  chain.lend(interfaceDirectory, gateway.deployments);
  chain.lend(gatewayCalls, gateway.feed);
  chain.lend(networkDirectory, networks);
  chain.lend(declaredTriggers, declaredTriggersOf(flows, sources));
  chain.lend(syncLedger, new SyncStore(db));
  // What files name is asked for when they are loaded, so everything has to be at hand by then.
  await flows.start();
  onStop('flows', () => flows.stop());

  const live = new RunsLive(signals);
  const here = new RunsHere(log);
  const queue = new RunQueue(queues, here, log);
  onStop('run queue', () => queue.close());
  const intakeStore = new IntakeStore(pool);
  const intake = new IntakeService({
    store: intakeStore,
    env: flowEnv,
    metrics,
    here,
    wake: (ready) => queue.wake(ready),
  });
  const queries = new RunsQueries(db);
  const runs = new RunsService({ db, intake: intakeStore, flows, queue, live, env: flowEnv });
  const sourcesStore = new SourcesStore(db);
  const backfills = new BackfillsService({ db, sources, connections, intake, leases, signals, log, use: chain.use });
  const replays = new ReplaysService({ flows, sources, queries, runs });
  const manualRuns = new ManualRunsService({ flows, intake, env: flowEnv });
  const { syncs, provided: syncsProvided } = syncServices({
    ...{ db, flows, sources, sourcesStore, manualRuns, log },
    ...{ catalog, connections, http, use: chain.use },
  });

  const reversals = new ReversalsStore(pool);
  const targets = { http, flows, sources, intake, reversals, queue };
  const { streams, pumps, sessions } = streamServices({
    ...targets,
    db,
    pool,
    vault,
    networks,
    keys,
    audit,
    leases,
    signals,
    metrics,
    log,
    use: chain.use,
  });

  keepRunGauges(metrics, queries);
  keepTriggerGauges(metrics, sourcesStore);
  keepTransactionGauges(metrics, chain.transactions);

  const receiver = new HookReceiver({ flows, sources, connections, intake, keys, log });
  const ifttt = iftttServices({
    db,
    connections,
    flows,
    sources,
    receiver,
    networks,
    contracts: gateway.contracts,
    runs: queries,
    transactions: chain.transactions,
    keys,
    leases,
    http,
    log,
    use: chain.use,
    publicUrl,
  });
  chain.lend(iftttItems, ifttt.published);
  const zapier = zapierServices({
    db,
    pool,
    vault,
    flows,
    networks,
    contracts: gateway.contracts,
    calls: gateway.calls,
    transactions: chain.transactions,
    receiver,
    queries,
    http,
    leases,
    signals,
    use: chain.use,
    publicUrl,
    log,
  });
  chain.lend(zapierItems, zapier.items);
  const oracle = oracleServices({ db, pool, vault, flows, sources, receiver, live, http, signals, publicUrl, log });
  chain.lend(oracleResumptions, oracle.resumptions);
  chain.lend(oracleTurns, oracle.turns);
  chain.lend(oracleKept, oracle.kept);

  const common = { flows, sources, connections, catalog, queue, intake, leases, metrics, log, use: chain.use };
  if (has('worker')) {
    startWorker(
      { ...common, config, store, instance, queues, here, networks, http, signals, live, zapier, env: flowEnv },
      onStop,
    );
  }
  if (has('listener')) {
    startListener({ ...common, queues, sourcesStore, backfills, reversals, syncs, zapier, ifttt }, onStop);
  }
  oracle.start({ sendsReplies: has('worker') });
  onStop('adapters', () => oracle.stop());
  sources.refresh();
  pumps.start({ callsTargets: has('listener') });
  onStop('streams', () => pumps.stop());

  const compat = compatServices({
    db,
    vault,
    gateway,
    networks,
    transactions: chain.transactions,
    streams,
    audit,
    publicUrl,
    log,
  });
  const services = [
    catalog,
    connections,
    networks,
    flows,
    checker,
    queries,
    runs,
    live,
    signals,
    receiver,
    backfills,
    replays,
    manualRuns,
    sourcesStore,
    chain.transactions,
    chain.signers,
    chain.suspensions,
    chain.live,
    transactions,
    streams,
    pumps,
    sessions,
    ...compat,
    ...gateway.provided,
    ...ifttt.provided,
    ...zapier.provided,
    ...syncsProvided,
    ...oracle.provided,
  ];
  const app = await createHttpApp(
    AppModule.for(
      config.roles,
      { db, keys, metrics, readiness, publicUrl, version },
      services.map((service) => ({ provide: service.constructor, useValue: service })),
    ),
    {
      publicUrl,
      maxHookBytes: config.http.hookMaxBytes,
      log,
      errorShapes: [iftttErrors],
    },
  );
  onStop('http', () => closeHttpApp(app));
  await app.listen(config.http.port, config.http.host).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? portTaken(config.http.port, error) : error;
  });
  onStop('readiness', () => readiness.beginStop());
  return { url: await app.getUrl(), adminKey, flows, stop };
}

function portTaken(port: number, cause: Error): PatchbayError {
  return new PatchbayError('config.invalid', {
    detail: `Port ${port} is taken, perhaps by another hub`,
    fix: `Stop what listens there, or choose another port: PATCHBAY_PORT=${port + 1}`,
    cause,
  });
}
