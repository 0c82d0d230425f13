import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import type { NetworksService } from '#networks';
import type { ApiKeys, AuditLog, Database, Leases, Metrics, Signals, Vault } from '#platform';
import type { Logger, UseService } from '#sdk';
import { CircuitBreakers } from './circuit-breaker.js';
import { ConsumerSessions } from './consumer-sessions.js';
import { PositionsStore } from './positions.store.js';
import { keepStreamGauges } from './stream-gauges.js';
import { StreamPumps } from './stream-pumps.js';
import { openStreamSource } from './stream-sources.js';
import type { StreamDefinition } from './stream.schema.js';
import { StreamsService } from './streams.service.js';
import { StreamsStore } from './streams.store.js';
import { createTarget, type TargetDeps } from './targets/create-target.js';

export interface StreamServicesParts extends TargetDeps {
  readonly db: Kysely<Database>;
  readonly pool: Pool;
  readonly vault: Vault;
  readonly networks: NetworksService;
  readonly keys: ApiKeys;
  readonly audit: AuditLog;
  readonly leases: Leases;
  readonly signals: Signals;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly use: UseService;
}

export interface StreamServices {
  readonly streams: StreamsService;
  readonly pumps: StreamPumps;
  readonly sessions: ConsumerSessions;
}

/** Puts the parts of event streams together; nothing is delivered before `pumps.start`. */
export function streamServices(parts: StreamServicesParts): StreamServices {
  const { db, pool, vault, keys, audit, leases, signals, metrics, log } = parts;
  const store = new StreamsStore(db, vault);
  const openSource = (definition: StreamDefinition) => openStreamSource(definition, parts);
  const openTarget = (definition: StreamDefinition) => createTarget(definition, parts);
  const streams = new StreamsService({ store, signals, openSource, createTarget: openTarget });
  const pumps = new StreamPumps({
    store,
    positions: new PositionsStore(pool),
    leases,
    breakers: new CircuitBreakers(),
    signals,
    openSource,
    createTarget: openTarget,
    metrics,
    log,
    onEnded: async (stream, reason) => {
      if (!(await streams.suspendUnchanged(stream, reason))) return;
      await audit.write({ actor: 'hub', action: 'stream.suspend', subject: stream.name, detail: { reason } });
    },
  });
  keepStreamGauges(metrics, { pumps, store });
  return { streams, pumps, sessions: new ConsumerSessions({ streams: pumps, keys, log }) };
}
