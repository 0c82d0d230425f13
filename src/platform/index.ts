/** What every feature needs and no business knows. */
export { decodeKey, type Config, type Role } from './config/config.schema.js';
export { configSettings, loadConfig, type ConfigSetting } from './config/config.loader.js';
export { createLog, runWithLogContext, type Log } from './log/log.js';
export { openStore, type Store } from './store/store.js';
export { createPool, patience, type StoreConnection } from './store/pool.js';
export type { Database, EventStatus, RunKind, RunState } from './store/schema.js';
export { createHttpClient, type HttpClientOptions } from './egress/http-client.js';
export {
  parseEgress,
  type EgressOptions,
  type EgressPolicy,
  type RefusalReason,
  type ResolveAll,
} from './egress/egress-policy.js';
export {
  createQueues,
  type JobCounts,
  type JobHandler,
  type JobQueue,
  type QueueJob,
  type Queues,
} from './queue/queues.js';
export { Signals } from './signals/signals.js';
export { buryInstance, findDeadInstances, joinInstances, type Instance, type JoinOptions } from './lease/instances.js';
export { createLeases, type Lease, type Leases, type LeaseTimes } from './lease/leases.js';
