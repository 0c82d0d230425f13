import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import type { FlowsService } from '#flows';
import type { ContractCalls, ContractsService } from '#gateway';
import type { NetworksService } from '#networks';
import type { Database, Leases, Signals, Vault } from '#platform';
import type { RunsQueries } from '#runs';
import type { HttpClient, Logger, UseService, ZapierItems } from '#sdk';
import type { TransactionsQueries } from '#transactions';
import type { HookReceiver } from '#triggers';
import { DeclaredForZapier } from './declared.js';
import { DeliveriesStore } from './deliveries.store.js';
import { EndedRunsStore } from './ended-runs.store.js';
import { usualTimes, type SendingTimes } from './hook-lane.js';
import { HookPace, usualPace, type PaceLimits } from './hook-pace.js';
import { HookSender, zapierTopic } from './hook-sender.js';
import { SubscriptionsStore } from './subscriptions.store.js';
import { ZapContracts } from './zap-contracts.js';
import { ZapRuns } from './zap-runs.js';
import { ZapSubscriptions } from './zap-subscriptions.js';
import { ZapTransactions } from './zap-transactions.js';
import { HubIdentity } from './zapier.controller.js';
import { ZapierErrors } from './zapier.filter.js';
import { ZapierListener } from './zapier-listener.js';

export interface ZapierServicesParts {
  readonly db: Kysely<Database>;
  readonly pool: Pool;
  readonly vault: Vault;
  readonly flows: FlowsService;
  readonly networks: NetworksService;
  readonly contracts: ContractsService;
  readonly calls: ContractCalls;
  readonly transactions: TransactionsQueries;
  readonly receiver: HookReceiver;
  readonly queries: RunsQueries;
  readonly http: HttpClient;
  readonly leases: Leases;
  readonly signals: Signals;
  readonly use: UseService;
  readonly publicUrl: string;
  readonly log: Logger;
  readonly pace?: PaceLimits;
  readonly times?: SendingTimes;
}

export interface ZapierServices {
  /** What the routes need. */
  readonly provided: readonly object[];
  /** What flows publish through. */
  readonly items: ZapierItems;
  /** Hears; in the role `listener`. */
  readonly listener: ZapierListener;
  /** Sends; in the role `worker`. */
  readonly sender: HookSender;
}

/** Puts the parts of Zapier together; nothing is heard or sent before `start`. */
export function zapierServices(parts: ZapierServicesParts): ZapierServices {
  const { db, pool, vault, flows, transactions, signals, log, publicUrl } = parts;
  const subscriptions = new SubscriptionsStore(db, vault);
  const deliveries = new DeliveriesStore(db, pool);
  const endedRuns = new EndedRunsStore(db);
  const declared = new DeclaredForZapier(flows);
  const shared = { ...parts, subscriptions, deliveries, endedRuns, declared };
  return {
    provided: [
      new HubIdentity(publicUrl),
      new ZapierErrors(publicUrl, log),
      declared,
      new ZapContracts(shared),
      new ZapSubscriptions(shared),
      new ZapRuns(shared),
      new ZapTransactions(transactions),
    ],
    items: {
      async publish(item) {
        const isNew = await deliveries.publish(item);
        if (isNew) signals.publish(zapierTopic, null);
        return { isNew };
      },
    },
    listener: new ZapierListener(shared),
    sender: new HookSender({
      ...shared,
      pace: new HookPace(parts.pace ?? usualPace),
      times: parts.times ?? usualTimes,
      onGone: (subscription) => log.info('A Zap wants no more events', { subscription }),
    }),
  };
}
