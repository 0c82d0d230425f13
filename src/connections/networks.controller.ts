import { Controller, Get } from '@nestjs/common';
import { Catalog } from '#catalog';
import { Answers, Scopes } from '#platform';
import { z } from '#sdk';
import { connectionAnswer } from './connections.schema.js';
import { ConnectionsService, type ConnectionView } from './connections.service.js';

/** The connections that are chains. */
@Controller('api/networks')
export class NetworksController {
  constructor(
    private readonly connections: ConnectionsService,
    private readonly catalog: Catalog,
  ) {}

  @Answers('Lists the connections that are chains', z.object({ networks: z.array(connectionAnswer) }))
  @Get()
  @Scopes('chain:read')
  list(): { networks: ConnectionView[] } {
    const connector = this.catalog.connectorOfSection('networks')?.name;
    return { networks: this.connections.list().filter((connection) => connection.connector === connector) };
  }
}
