import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { CatalogController } from '#catalog';
import { ConnectionsController } from '#connections';
import { FlowsController } from '#flows';
import {
  AuditController,
  ErrorsPageController,
  HealthController,
  KeysController,
  MetricsController,
  type Role,
} from '#platform';
import { DeadLettersController, EventsController, RunsController, RunsSocket } from '#runs';
import { NetworksController, SignersController, TransactionsController } from '#transactions';
import { HooksController, TriggersController } from '#triggers';

/** Every process answers these, whatever its role. */
const everywhere: readonly Type[] = [HealthController, MetricsController];

const api: readonly Type[] = [
  AuditController,
  CatalogController,
  ConnectionsController,
  DeadLettersController,
  ErrorsPageController,
  EventsController,
  FlowsController,
  HooksController,
  KeysController,
  NetworksController,
  RunsController,
  SignersController,
  TransactionsController,
  TriggersController,
];

/** The edge: HTTP and sockets over services that the hub has put together already. */
@Module({})
export class AppModule {
  static for(roles: readonly Role[], services: readonly Provider[]): DynamicModule {
    const isApi = roles.includes('api');
    return {
      module: AppModule,
      controllers: [...everywhere, ...(isApi ? api : [])],
      providers: [...services, ...(isApi ? [RunsSocket] : [])],
    };
  }
}
