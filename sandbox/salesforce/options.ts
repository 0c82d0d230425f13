import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BayeuxServer } from './bayeux-server.js';
import type { ReceivedCall } from './exchange.js';
import type { Fault } from './faults.js';
import type { ClockChange } from './clock.js';
import type { BusEvent } from './event-bus.js';
import type { CustomFieldTypes } from './field-schema.js';
import type { ConnectedApp, OrgUser } from './oauth-apps.js';
import type { SaveRule } from './save-rules.js';
import type { SessionPolicy } from './sessions.js';
import type { Row } from './soql-rows.js';

/** A row the org begins with. */
export interface SeedRecord {
  readonly object: string;
  readonly fields: Row;
}

export interface SalesforceStandInOptions {
  /** Path under which it is mounted, e.g. `/salesforce`. Default: none. */
  readonly basePath?: string;
  /** Default: one app, {@link sandboxApp}. */
  readonly apps?: readonly ConnectedApp[];
  /** Who may log in with a password. */
  readonly users?: readonly OrgUser[];
  /** Whom the page of the web server flow acts for. Default {@link sandboxUser}. */
  readonly authorizingUser?: string;
  /** Whether that page asks, or decides by itself. Default `ask`. */
  readonly consent?: 'ask' | 'allow' | 'deny';
  /** When sessions end by themselves. Default: they do not. */
  readonly sessionPolicy?: SessionPolicy;
  /** Keeps the org across restarts; sessions and streaming clients are not kept. */
  readonly snapshotFile?: string;
  /** How long a streaming poll waits for events. Default 110 s, as Salesforce. */
  readonly longPollMs?: number;
  /** How long a streaming client may stay away between two polls. Default 40 s. */
  readonly clientIdleMs?: number;
  /** Streaming clients at a time. Default 1,000. */
  readonly maxStreamingClients?: number;
  /** Events delivered before the quota of the day is used up. Default: as many as there are. */
  readonly dailyDeliveries?: number;
  /** Objects selected for change data capture. Default: all. */
  readonly capturedObjects?: readonly string[];
  /** Channels of the org's own, `Ledger__chn`, with the objects or platform events heard on them. */
  readonly channels?: Readonly<Record<string, readonly string[]>>;
  /** Events kept for replay, besides the 24 or 72 hours. Default 50,000. */
  readonly eventsKept?: number;
  /** Rows of one page of a query. Default 2,000. */
  readonly pageSize?: number;
  /** Rows of one page of the results of a bulk query. Default 50,000. */
  readonly bulkPageSize?: number;
  /** How long a bulk job waits, and then again how long it is in progress. Default 50 ms. */
  readonly bulkDelayMs?: number;
  /** Custom objects and fields, as far as more matters than that they exist. */
  readonly customFields?: CustomFieldTypes;
  /** Whether nothing exists but what was declared. Default: a custom object or field comes to be when it is used. */
  readonly isStrict?: boolean;
  /** Flows, validations and duplicate rules of the org. */
  readonly rules?: readonly SaveRule[];
  /** Unique fields, e.g. `Contact.Wallet__c`; a field used by an upsert becomes one by itself. */
  readonly externalIds?: readonly string[];
  /** What an empty org begins with. Default: {@link sandboxSeed}, or nothing when it is strict. */
  readonly seed?: readonly SeedRecord[];
  /** Calls of 24 hours; what goes beyond is refused. Default 15,000. */
  readonly dailyRequests?: number;
  readonly now?: () => Date;
}

export interface SalesforceState {
  readonly orgId: string;
  readonly records: Readonly<Record<string, readonly Row[]>>;
  readonly calls: readonly ReceivedCall[];
  readonly tokensIssued: number;
  readonly openSessions: number;
  readonly refreshTokens: number;
  readonly apiUsage: { readonly used: number; readonly limit: number };
  readonly eventsDelivered: number;
  readonly rules: readonly SaveRule[];
  readonly streamingClients: BayeuxServer['clients'];
  readonly waitingFaults: readonly Fault[];
}

export interface SalesforceStandIn {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Serves it on a port of its own; 0 takes a free one. */
  listen(port?: number): Promise<{ readonly url: string; close(): Promise<void> }>;
  addFault(fault: Fault): void;
  addRule(rule: SaveRule): void;
  clearRules(): void;
  setClock(change: ClockChange): void;
  now(): Date;
  state(): SalesforceState;
  /** Changes a row as a person in the org would. */
  create(object: string, fields: Row): string;
  update(object: string, id: string, fields: Row): void;
  delete(object: string, id: string): void;
  undelete(object: string, id: string): void;
  /** What is done within is one transaction. */
  transaction(work: () => void): void;
  /** Publishes a platform event, as a flow of the org would. */
  publish(event: string, fields: Row): void;
  /** Events of a channel that can still be replayed. */
  events(channel: string): readonly BusEvent[];
  close(): Promise<void>;
}

export const sandboxUser = 'integration@patchbay.example';

export const sandboxApp: ConnectedApp = {
  clientId: 'patchbay-sandbox',
  clientSecret: 'patchbay-sandbox-secret',
  runAs: sandboxUser,
  // Wherever the console or the command line waits for the browser to come back.
  redirectsToThisMachine: true,
};

export const sandboxSeed: readonly SeedRecord[] = [
  {
    object: 'PushTopic',
    fields: {
      Name: 'WonOpportunities',
      Query: "SELECT Id, Name, StageName, Amount, Wallet__c FROM Opportunity WHERE StageName = 'Closed Won'",
      ApiVersion: 62,
      NotifyForFields: 'Referenced',
    },
  },
];
