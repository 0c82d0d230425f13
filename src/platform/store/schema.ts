import type {
  InstanceTable,
  LeaseTable,
  FlowVersionTable,
  FlowTable,
  TriggerSourceTable,
  EventTable,
  RunTable,
  RunStepTable,
  ConnectionTable,
  ConnectionTroubleTable,
  ApiKeyTable,
  AuditTable,
  BackfillTable,
  SettingTable,
  TriggerIncidentTable,
} from './tables/ledger-tables.js';
import type {
  ChainBlockTable,
  ChainNonceTable,
  ChainTransactionTable,
  ChainSignerTable,
  ChainTransactionAttemptTable,
  ChainTransactionStatusTable,
  InterfaceTable,
  ContractTable,
  GatewayCallTable,
} from './tables/chain-tables.js';
import type {
  EthconnectStreamTable,
  StreamTable,
  StreamPositionTable,
  StreamDeliveredTable,
  StreamDeadLetterTable,
} from './tables/stream-tables.js';
import type {
  IftttItemTable,
  IftttIdentityTable,
  IftttRequestTable,
  IftttWebhookTable,
  IftttTokenTable,
  ZapierSubscriptionTable,
  ZapierDeliveryTable,
  ZapierItemTable,
  ZapierPlaceTable,
} from './tables/connector-tables.js';
import type { SyncRowTable, SyncTable } from './tables/sync-tables.js';
import type {
  OracleKeptTable,
  OracleReplyTable,
  OracleRequestTable,
  OracleResumptionTable,
  OracleTurnTable,
} from './tables/oracle-tables.js';

export type { EventStatus, RunKind, RunState } from './tables/ledger-tables.js';

/** Every table by its name. */
export interface Database {
  instance: InstanceTable;
  lease: LeaseTable;
  flow_version: FlowVersionTable;
  flow: FlowTable;
  trigger_source: TriggerSourceTable;
  trigger_incident: TriggerIncidentTable;
  event: EventTable;
  run: RunTable;
  run_step: RunStepTable;
  connection: ConnectionTable;
  connection_trouble: ConnectionTroubleTable;
  api_key: ApiKeyTable;
  audit: AuditTable;
  backfill: BackfillTable;
  setting: SettingTable;
  chain_block: ChainBlockTable;
  chain_nonce: ChainNonceTable;
  chain_transaction: ChainTransactionTable;
  chain_transaction_attempt: ChainTransactionAttemptTable;
  chain_transaction_status: ChainTransactionStatusTable;
  chain_signer: ChainSignerTable;
  interface: InterfaceTable;
  contract: ContractTable;
  gateway_call: GatewayCallTable;
  stream: StreamTable;
  stream_position: StreamPositionTable;
  stream_delivered: StreamDeliveredTable;
  stream_dead_letter: StreamDeadLetterTable;
  ethconnect_stream: EthconnectStreamTable;
  ifttt_item: IftttItemTable;
  ifttt_identity: IftttIdentityTable;
  ifttt_request: IftttRequestTable;
  ifttt_webhook: IftttWebhookTable;
  ifttt_token: IftttTokenTable;
  zapier_subscription: ZapierSubscriptionTable;
  zapier_delivery: ZapierDeliveryTable;
  zapier_item: ZapierItemTable;
  zapier_place: ZapierPlaceTable;
  sync: SyncTable;
  sync_row: SyncRowTable;
  oracle_request: OracleRequestTable;
  oracle_reply: OracleReplyTable;
  oracle_resumption: OracleResumptionTable;
  oracle_turn: OracleTurnTable;
  oracle_kept: OracleKeptTable;
}
