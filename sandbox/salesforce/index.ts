/** A server that plays one Salesforce org: OAuth, REST and Streaming API, with faults on demand. */
export type { Fault, FaultArea } from './faults.js';
export type { CustomFieldTypes, FieldType } from './org-schema.js';
export type { ConnectedApp } from './sessions.js';
export type { ReceivedCall } from './exchange.js';
export {
  sandboxApp,
  sandboxSeed,
  sandboxUser,
  type SalesforceStandIn,
  type SalesforceStandInOptions,
  type SalesforceState,
  type SeedRecord,
} from './options.js';
export { createSalesforceStandIn } from './stand-in.js';
