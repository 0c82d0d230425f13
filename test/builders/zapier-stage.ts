import { randomUUID } from 'node:crypto';
import {
  Signals,
  createHttpClient,
  createLeases,
  createLog,
  createVault,
  joinInstances,
  parseEgress,
  type Store,
} from '#platform';
import { createZapierHooks, type ZapierStandIn } from '../../sandbox/zapier/hooks.js';
import { DeliveriesStore } from '../../src/zapier/deliveries.store.js';
import { usualTimes, type SendingTimes } from '../../src/zapier/hook-lane.js';
import { HookPace, type PaceLimits } from '../../src/zapier/hook-pace.js';
import { HookSender } from '../../src/zapier/hook-sender.js';
import { SubscriptionsStore, type SubscriptionTrigger } from '../../src/zapier/subscriptions.store.js';
import { openTestStore } from '../environment/postgres.js';
import { startStandIn, type StandInServer } from './stand-in-server.js';

export interface Sending {
  readonly gone: string[];
  stop(): Promise<void>;
}

/** The ledger of Zapier over a real database, and Zapier itself as the sandbox plays it. */
export class ZapierStage {
  private constructor(
    readonly store: Store,
    readonly zapier: ZapierStandIn,
    readonly server: StandInServer,
    readonly subscriptions: SubscriptionsStore,
    readonly deliveries: DeliveriesStore,
  ) {}

  static async start(): Promise<ZapierStage> {
    const zapier = createZapierHooks();
    const [store, server] = await Promise.all([openTestStore(), startStandIn(zapier)]);
    const vault = createVault(Buffer.alloc(32, 1));
    return new ZapierStage(
      store,
      zapier,
      server,
      new SubscriptionsStore(store.db, vault),
      new DeliveriesStore(store.db, store.pool),
    );
  }

  /** One process that sends. */
  async send({
    times = usualTimes,
    pace = { perSecond: 1_000, perFiveMinutes: 1_000_000 },
    deliveries = this.deliveries,
    subscriptions = this.subscriptions,
  }: {
    readonly times?: SendingTimes;
    readonly pace?: PaceLimits;
    readonly deliveries?: DeliveriesStore;
    readonly subscriptions?: SubscriptionsStore;
  } = {}): Promise<Sending> {
    const log = createLog({ level: 'silent', format: 'json' });
    const instance = await joinInstances(this.store, { name: randomUUID(), roles: ['worker'], log });
    const leases = createLeases(this.store, instance, log);
    const signals = new Signals({ connection: this.store.connection, pool: this.store.pool, name: instance.id, log });
    await signals.start();
    const http = createHttpClient({ egress: parseEgress(['127.0.0.1:1-65535']), log });
    const gone: string[] = [];
    const sender = new HookSender({
      deliveries,
      subscriptions,
      http,
      pace: new HookPace(pace),
      times,
      leases,
      signals,
      log,
      onGone: (subscription) => gone.push(subscription),
    });
    sender.start();
    return {
      gone,
      stop: async () => {
        await sender.stop();
        await signals.close();
        await leases.close();
        await instance.leave();
        http.agents.http.destroy();
        http.agents.https.destroy();
      },
    };
  }

  async subscribe(
    hook: string,
    {
      trigger = 'flow_published',
      topic = 'tick',
      inBatch = false,
      awaits = null,
    }: {
      readonly trigger?: SubscriptionTrigger;
      readonly topic?: string;
      readonly inBatch?: boolean;
      readonly awaits?: string | null;
    } = {},
  ): Promise<string> {
    const { id } = await this.subscriptions.add({
      hash: randomUUID(),
      trigger,
      topic,
      input: {},
      awaits,
      targetUrl: `${this.server.url}/hooks/standard/${hook}/`,
      inBatch,
      cursor: null,
      createdBy: 'spec',
    });
    return id;
  }

  publish(id: string, { topic = 'tick', inBatch = false } = {}): Promise<boolean> {
    return this.deliveries.publish({
      slug: topic,
      id,
      time: new Date().toISOString(),
      ingredients: { of: id },
      inBatch,
    });
  }

  async waiting(): Promise<number> {
    const { rows } = await this.store.pool.query<{ n: string }>(
      `select count(*) as n from zapier_delivery where state = 'waiting'`,
    );
    return Number(rows[0]?.n);
  }

  async close(): Promise<void> {
    await this.server.stop();
    await this.store.close();
  }
}
