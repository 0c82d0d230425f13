import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BayeuxServer } from './bayeux-server.js';
import type { ReceivedCall } from './exchange.js';
import type { Fault } from './faults.js';
import type { CustomFieldTypes } from './org-schema.js';
import type { ConnectedApp } from './sessions.js';
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
  /** Keeps the org across restarts; sessions and streaming clients are not kept. */
  readonly snapshotFile?: string;
  /** How long a streaming poll waits for events. Default 110 s, as Salesforce. */
  readonly longPollMs?: number;
  /** How long a streaming client may stay away between two polls. Default 40 s. */
  readonly clientIdleMs?: number;
  /** Events kept for replay besides the 24 hours. Default 10,000. */
  readonly eventsKept?: number;
  /** Rows of one page of a query. Default 2,000. */
  readonly pageSize?: number;
  /** Types of custom fields that are not text. */
  readonly customFields?: CustomFieldTypes;
  /** Unique fields, e.g. `Contact.Wallet__c`; a field used by an upsert becomes one by itself. */
  readonly externalIds?: readonly string[];
  /** What an empty org begins with. Default: {@link sandboxSeed}. */
  readonly seed?: readonly SeedRecord[];
  readonly dailyRequests?: number;
  readonly now?: () => Date;
}

export interface SalesforceState {
  readonly orgId: string;
  readonly records: Readonly<Record<string, readonly Row[]>>;
  readonly calls: readonly ReceivedCall[];
  readonly tokensIssued: number;
  readonly openSessions: number;
  readonly streamingClients: BayeuxServer['clients'];
  readonly waitingFaults: readonly Fault[];
}

export interface SalesforceStandIn {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Serves it on a port of its own; 0 takes a free one. */
  listen(port?: number): Promise<{ readonly url: string; close(): Promise<void> }>;
  addFault(fault: Fault): void;
  state(): SalesforceState;
  /** Changes a row as a person in the org would. */
  create(object: string, fields: Row): string;
  update(object: string, id: string, fields: Row): void;
  close(): Promise<void>;
}

export const sandboxUser = 'integration@patchbay.example';

export const sandboxApp: ConnectedApp = {
  clientId: 'patchbay-sandbox',
  clientSecret: 'patchbay-sandbox-secret',
  runAs: sandboxUser,
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
