import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { CatalogController } from '#catalog';
import { EventsSocket, compatControllers } from '#compat';
import { ConnectionsController } from '#connections';
import { FlowsController } from '#flows';
import { ContractCallsController, ContractDocsController, ContractsController, InterfacesController } from '#gateway';
import { IftttController, IftttOauthController, IftttSheetController } from '#ifttt';
import { NetworksController } from '#networks';
import { OracleController } from '#oracle';
import { PlatformModule, type PlatformParts, type Role } from '#platform';
import { DeadLettersController, EventsController, RunsController, RunsSocket } from '#runs';
import { StreamsController, StreamsSocket, StreamsWebSocket } from '#streams';
import { SyncsController } from '#sync';
import { SignersController, SuspensionsController, TransactionsController, TransactionsSocket } from '#transactions';
import { HooksController, TriggersController } from '#triggers';
import { ZapierController } from '#zapier';

const api: readonly Type[] = [
  CatalogController,
  ConnectionsController,
  ContractCallsController,
  ContractDocsController,
  ContractsController,
  DeadLettersController,
  EventsController,
  FlowsController,
  HooksController,
  IftttController,
  IftttOauthController,
  IftttSheetController,
  InterfacesController,
  NetworksController,
  OracleController,
  RunsController,
  SignersController,
  StreamsController,
  SuspensionsController,
  SyncsController,
  TransactionsController,
  TriggersController,
  ZapierController,
  ...compatControllers,
];

/** The edge: HTTP and sockets over services that the hub has put together already. Every role serves health and metrics. */
@Module({})
export class AppModule {
  static for(roles: readonly Role[], platform: PlatformParts, services: readonly Provider[]): DynamicModule {
    const isApi = roles.includes('api');
    return {
      module: AppModule,
      imports: [PlatformModule.with(platform)],
      controllers: isApi ? [...api] : [],
      providers: isApi
        ? [...services, EventsSocket, RunsSocket, StreamsSocket, StreamsWebSocket, TransactionsSocket]
        : [],
    };
  }
}
