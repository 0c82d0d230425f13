/** A server that plays one Salesforce org: OAuth, REST, Bulk and Streaming API, with faults on demand. */
export type { BusEvent } from './event-bus.js';
export { parseFault, type Fault, type FaultArea } from './faults.js';
export type { CustomField, CustomFieldTypes, FieldType } from './field-schema.js';
export type { ConnectedApp, OrgUser } from './oauth-apps.js';
export type { SaveRule } from './save-rules.js';
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
export { sandboxFields } from './sandbox-fields.js';
