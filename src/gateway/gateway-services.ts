import type { Kysely } from 'kysely';
import type { SignerSource } from '#evm';
import type { FlowsService } from '#flows';
import type { NetworksService } from '#networks';
import type { Database, Signals } from '#platform';
import type { Logger } from '#sdk';
import { SolidityCompiler } from './compile/solidity-compiler.js';
import { ContractCalls } from './contract-calls.js';
import { ContractsService } from './contracts.service.js';
import { ContractsStore } from './contracts.store.js';
import { DeploymentsService } from './deployments.service.js';
import { GatewayCallRecorder } from './gateway-call-recorder.js';
import { KyselyGatewayCallFeed } from './gateway-call.feed.js';
import { InterfacesService } from './interfaces.service.js';
import { InterfacesStore } from './interfaces.store.js';
import { OpenApiService } from './openapi.service.js';
import { RegisteredContracts } from './registered-contracts.js';
import { UploadsService } from './uploads.service.js';

export interface GatewayServices {
  /** What the routes need. */
  readonly provided: readonly object[];
  readonly interfaces: InterfacesService;
  readonly uploads: UploadsService;
  readonly contracts: ContractsService;
  readonly calls: ContractCalls;
  readonly deployments: DeploymentsService;
  readonly openApi: OpenApiService;
  /** What networks and flows ask of it. */
  readonly registered: RegisteredContracts;
  readonly feed: KyselyGatewayCallFeed;
  close(): Promise<void>;
}

/** Contracts as REST: the parts, put together. */
export function gatewayServices(parts: {
  readonly db: Kysely<Database>;
  readonly signals: Signals;
  readonly networks: NetworksService;
  readonly signers: SignerSource;
  readonly flows: FlowsService;
  readonly log: Logger;
  readonly publicUrl: string;
}): GatewayServices {
  const { db, signals, networks, signers, flows, log, publicUrl } = parts;
  const store = new ContractsStore(db);
  const interfaces = new InterfacesService(new InterfacesStore(db));
  const registered = new RegisteredContracts({ store, interfaces, signals });
  const contracts = new ContractsService({ store, interfaces, registered, networks });
  const feed = new KyselyGatewayCallFeed(db, signals);
  const compiler = new SolidityCompiler({ log });
  const uploads = new UploadsService({ compiler, interfaces });
  const calls = new ContractCalls({ contracts, signers, recorder: new GatewayCallRecorder({ flows, feed }) });
  const deployments = new DeploymentsService({ contracts, interfaces, networks, registered, store });
  const openApi = new OpenApiService({ contracts, interfaces, networks, publicUrl });
  return {
    provided: [interfaces, uploads, contracts, calls, deployments, openApi],
    interfaces,
    uploads,
    contracts,
    calls,
    deployments,
    openApi,
    registered,
    feed,
    close: async () => {
      registered.close();
      await compiler.close();
    },
  };
}
