import { ApiUsage } from './api-usage.js';
import { BayeuxServer } from './bayeux-server.js';
import { ChangeEvents } from './change-events.js';
import { Clock } from './clock.js';
import { EventBus } from './event-bus.js';
import { Faults, type ImmediateFault } from './faults.js';
import { sandboxApp, type SalesforceStandInOptions } from './options.js';
import { OrgSchema } from './org-schema.js';
import { PlatformEvents } from './platform-events.js';
import { PushTopics } from './push-topics.js';
import { recordId, serialOf } from './record-id.js';
import { Records } from './records.js';
import { RestApi } from './rest-api.js';
import { SaveRules } from './save-rules.js';
import { Sessions } from './sessions.js';

/** The parts of one org, wired together: rows tell the bus, the bus tells the streaming clients. */
export class OrgParts {
  readonly orgId: string;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly rules: SaveRules;
  readonly records: Records;
  readonly bus: EventBus;
  readonly platformEvents: PlatformEvents;
  readonly sessions: Sessions;
  readonly bayeux: BayeuxServer;
  readonly rest: RestApi;
  readonly usage: ApiUsage;
  /** Where the org moved to, if it did. */
  movedTo: string | undefined;

  /** @param onChange – something that outlives a restart is different now */
  constructor(options: SalesforceStandInOptions, orgId: string | undefined, onChange: () => void) {
    this.orgId = orgId ?? recordId('00D', '000', Math.floor(Math.random() * 1e12));
    this.clock = new Clock(options.now);
    const now = () => this.clock.now();
    this.faults = new Faults((fault) => this.#apply(fault));
    this.rules = new SaveRules(options.rules ?? []);
    this.usage = new ApiUsage(options.dailyRequests ?? 15_000, now);
    const schema = new OrgSchema(options);
    this.records = new Records({
      schema,
      rules: this.rules,
      now,
      onCommit: (changes) => {
        pushTopics.hear(changes);
        changeEvents.hear(changes);
        onChange();
      },
      externalIds: options.externalIds ?? [],
      instance: this.orgId.slice(9, 12),
    });
    this.bus = new EventBus({
      now,
      eventsKept: options.eventsKept ?? 50_000,
      onEvent: (event) => this.bayeux.deliver(event),
    });
    const { records, bus, faults } = this;
    const channels = options.channels ?? {};
    const pushTopics = new PushTopics({ records, bus, now });
    const changeEvents = new ChangeEvents({ records, bus, faults, now, channels, objects: options.capturedObjects });
    this.platformEvents = new PlatformEvents({
      schema,
      bus,
      now,
      channels,
      newId: (prefix) => records.newId(prefix),
    });
    this.sessions = new Sessions({
      apps: options.apps ?? [sandboxApp],
      users: options.users ?? [],
      orgId: this.orgId,
      policy: options.sessionPolicy ?? {},
      userIdOf: (username) => this.userId(username),
      now,
    });
    this.bayeux = new BayeuxServer({
      channelExists: (channel) =>
        pushTopics.exists(channel) || changeEvents.exists(channel) || this.platformEvents.exists(channel),
      since: (channel, replayId) => bus.since(channel, replayId),
      faults,
      now,
      longPollMs: options.longPollMs ?? 110_000,
      clientIdleMs: options.clientIdleMs ?? 40_000,
      maxClients: options.maxStreamingClients ?? 1_000,
      dailyDeliveries: options.dailyDeliveries ?? Infinity,
    });
    this.rest = new RestApi({
      org: { records, faults, now, platformEvents: this.platformEvents },
      pageSize: options.pageSize ?? 2_000,
      bulkPageSize: options.bulkPageSize ?? 50_000,
      bulkDelayMs: options.bulkDelayMs ?? 50,
      limits: () => this.#limits(options),
    });
  }

  userId(username: string): string {
    return recordId('005', this.orgId.slice(9, 12), serialOf(username));
  }

  close(): void {
    this.bayeux.close();
    this.rest.close();
  }

  #limits({ dailyDeliveries = 50_000, maxStreamingClients = 1_000 }: SalesforceStandInOptions) {
    const left = (Max: number, used = 0) => ({ Max, Remaining: Math.max(0, Max - used) });
    const { delivered, clients } = this.bayeux;
    return {
      DailyApiRequests: left(this.usage.limit, this.usage.used),
      DailyBulkV2QueryJobs: left(10_000),
      DailyBulkApiBatches: left(15_000),
      DailyStreamingApiEvents: left(dailyDeliveries, delivered),
      DailyDurableStreamingApiEvents: left(dailyDeliveries, delivered),
      DailyDeliveredPlatformEvents: left(dailyDeliveries, delivered),
      HourlyPublishedPlatformEvents: left(250_000),
      StreamingApiConcurrentClients: left(maxStreamingClients, clients.length),
      DurableStreamingApiConcurrentClients: left(maxStreamingClients, clients.length),
    };
  }

  #apply(fault: ImmediateFault): void {
    if (fault.kind === 'expireReplay') {
      this.bus.purge(fault);
      return;
    }
    if (fault.kind === 'dropStreams') return this.bayeux.drop(fault.advice);
    if (fault.kind === 'stopDeliveries') return this.bayeux.stopDeliveries(fault.stopped ?? true);
    if (fault.kind === 'apiUsage') {
      this.usage.limit = fault.limit ?? this.usage.limit;
      return this.usage.set(fault.used ?? this.usage.limit);
    }
    if (fault.kind === 'sessionPolicy') return this.sessions.setPolicy(fault);
    if (fault.kind === 'moveInstance') this.movedTo = fault.url.replace(/\/$/, '');
    if (fault.kind === 'revokeTokens') this.sessions.revokeAll();
    this.sessions.expireAll();
    this.bayeux.endExpired((token) => this.sessions.find(token) !== undefined);
  }
}
