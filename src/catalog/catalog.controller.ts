import { Controller, Get } from '@nestjs/common';
import { Scopes } from '#platform';
import { Catalog } from './catalog.js';
import { describeConnector, type ConnectorDescription } from './describe.js';

@Controller('api/catalog')
export class CatalogController {
  constructor(private readonly catalog: Catalog) {}

  @Get()
  @Scopes('flows:read')
  list(): { connectors: ConnectorDescription[] } {
    return { connectors: this.catalog.all().map(describeConnector) };
  }
}
