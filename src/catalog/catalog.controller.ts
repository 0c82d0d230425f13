import { Controller, Get } from '@nestjs/common';
import { Answers, Scopes } from '#platform';
import { Catalog } from './catalog.js';
import { catalogAnswer } from './catalog.schema.js';
import { describeConnector, type ConnectorDescription } from './describe.js';

@Controller('api/catalog')
export class CatalogController {
  constructor(private readonly catalog: Catalog) {}

  @Answers('Lists the connectors with their triggers, actions and schemas', catalogAnswer)
  @Get()
  @Scopes('flows:read')
  list(): { connectors: ConnectorDescription[] } {
    return { connectors: this.catalog.all().map(describeConnector) };
  }
}
