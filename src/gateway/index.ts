/** Contracts as REST: interfaces from uploads, instances by name, their functions and events as routes. */
export {
  ContractCalls,
  type ContractFunction,
  type FunctionArguments,
  type ReadOptions,
  type ReadResult,
  type SendOptions,
  type SimulationResult,
} from './contract-calls.js';
export { blockParameter, checked, isRead, splitQuery } from './call-request.js';
export { ContractCallsController } from './contract-calls.controller.js';
export { ContractDocsController } from './contract-docs.controller.js';
export { ContractsController } from './contracts.controller.js';
export { ContractsService, type CallableContract, type KnownContract } from './contracts.service.js';
export { DeploymentsService, type Deployment, type DeployOptions } from './deployments.service.js';
export { GatewayCallRetention } from './gateway-call-retention.js';
export { KyselyGatewayCallFeed } from './gateway-call.feed.js';
export { gatewayServices, type GatewayServices } from './gateway-services.js';
export { InterfacesController } from './interfaces.controller.js';
export { InterfacesService } from './interfaces.service.js';
export type { InterfaceSummary, StoredInterface } from './interfaces.store.js';
export { OpenApiService } from './openapi.service.js';
export { goneSignal } from './send-headers.js';
export type { SentTransaction } from './sent-transaction.js';
export { readUpload } from './compile/read-upload.js';
export type { Upload } from './compile/upload.js';
export { readUploadForm, uploadOptions } from './upload-request.js';
export { UploadsService } from './uploads.service.js';
