/** What every feature needs and no business knows. */
export { decodeKey, type Config, type Role } from './config/config.schema.js';
export { configSettings, loadConfig, type ConfigSetting } from './config/config.loader.js';
export { createLog, runWithLogContext, type Log } from './log/log.js';
export { Batcher } from './store/batcher.js';
export { inTransaction } from './store/in-transaction.js';
export { storableJson } from './store/storable-json.js';
export { untilWritten, versionText } from './store/versions.js';
export { hubIdOf } from './store/hub-id.js';
export { openStore, type Store } from './store/store.js';
export { createPool, isStoreUnavailable, patience, rethrowStoreError, type StoreConnection } from './store/pool.js';
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
export { Looks } from './signals/looks.js';
export { buryInstance, findDeadInstances, joinInstances, type Instance, type JoinOptions } from './lease/instances.js';
export { createLeases, type Lease, type Leases, type LeaseTimes } from './lease/leases.js';
export { Watches, type Watch } from './lease/watches.js';
export { closeHttpApp, createHttpApp, type HttpAppOptions } from './http/http-app.js';
export { Answers } from './http/operation.js';
export { TakesText, assertShallow } from './http/json-body.js';
export { explanationOf, problemReply, toPatchbayError } from './http/problem.js';
export { TakesUpload } from './http/uploads.js';
export { PlatformModule, type PlatformParts } from './http/platform.module.js';
export { faultsOf } from './http/schema-faults.js';
export { ZodBody, ZodPath, ZodPipe, ZodQuery } from './http/zod.pipe.js';
export { Public, Scopes, TakesBasic } from './auth/access.js';
export { ApiKeys, type ApiKeyInfo, type Caller, type NewApiKey } from './auth/api-keys.js';
export { AuditLog, writeAudit, type AuditEntry, type AuditRecord } from './auth/audit.js';
export { CurrentCaller, bearerOf, bearerOrBasicOf } from './auth/auth.guard.js';
export { assertEveryRouteGuarded } from './auth/route-guards.js';
export { sendLimitsSchema, type SendLimits } from './auth/send-limits.js';
export { AttemptLimit } from './auth/attempt-limit.js';
export { hasScope, scopes, type Scope } from './auth/scopes.js';
export { createVault, type Vault } from './vault/vault.js';
export { loadMasterKey } from './vault/master-key.js';
export { createMetrics, Metrics } from './health/metrics.js';
export { Readiness, type Check } from './health/readiness.js';
export { describeApi } from './openapi/api-description.js';
