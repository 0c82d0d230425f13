/** What a connector author may use: definitions over zod schemas, errors with codes, the way out over HTTP. */
export {
  defineAction,
  defineConnection,
  defineConnector,
  defineTrigger,
  type ActionContext,
  type ActionDefinition,
  type AnyAction,
  type AnyConnection,
  type AnyTrigger,
  type AuthorisationDefinition,
  type AuthorisationGrant,
  type AuthorisationRequest,
  type BackfillContext,
  type BrowsableObjects,
  type CheckContext,
  type ConnectionDefinition,
  type ConnectorDefinition,
  type EmitOptions,
  type ForgetContext,
  type Heard,
  type HookRequest,
  type Incident,
  type ListenContext,
  type ObjectSchema,
  type OpenContext,
  type PollContext,
  type PollResult,
  type ReceiveContext,
  type RemoteField,
  type RemoteObject,
  type RemoteObjectDetail,
  type Refusal,
  type Retraction,
  type Schedule,
  type TriggerDefinition,
} from './define.js';
export { PatchbayError, type ContractError, type Fault, type PatchbayErrorOptions } from './error.js';
export { errorCodes, isErrorCode, type ErrorCode, type ErrorCodeEntry, type RetryAdvice } from './error-codes.js';
export { followFeed, type Feed, type FeedEntry, type FollowOptions } from './feed.js';
export type { HttpClient, HttpRequest, HttpResponse } from './http.js';
export {
  iftttDeduplicationField,
  type IftttActionDeclaration,
  type IftttField,
  type IftttOauthSettings,
  type IftttServiceSettings,
} from './ifttt-service.js';
export { exactNumber, isReadExactly } from './exact-number.js';
export type { Logger } from './log.js';
export {
  oracleKept,
  oracleResumptions,
  oracleTurns,
  type OracleKept,
  type OracleResumptions,
  type OracleTurns,
  type Resumption,
} from './oracle-services.js';
export {
  iftttItems,
  zapierItems,
  type PublishedItem,
  type PublishedItems,
  type ZapierItems,
} from './published-items.js';
export { pointerTo } from './pointer.js';
export { Secret, address, amount, duration, finalityInput, isSecretSchema, secret, z } from './schema.js';
export { findField, followFields, isSecretField, knownFields, shapeOf } from './schema-walk.js';
export { declaredTriggers, type DeclaredTrigger, type DeclaredTriggers } from './declared-triggers.js';
export { defineService, type ServiceToken, type UseService } from './service.js';
export type { TriggerFinality } from './trigger-finality.js';
export {
  syncLedger,
  type SyncCounts,
  type SyncLedger,
  type SyncPass,
  type SyncRow,
  type SyncRowState,
  type SyncScope,
  type SyncSettlement,
  type SyncSighting,
} from './sync-ledger.js';
export { nearest, suggest } from './suggestion.js';
export { checkConnector } from './testing.js';
export { isWebhookSignedBy, parseSigningSecret, signWebhook } from './webhook-signature.js';
