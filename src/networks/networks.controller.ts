import { Controller, Get } from '@nestjs/common';
import { connectionAnswer, type ConnectionView } from '#connections';
import { Answers, Scopes } from '#platform';
import { z } from '#sdk';
import { NetworksService } from './networks.service.js';

@Controller('api/networks')
export class NetworksController {
  constructor(private readonly networks: NetworksService) {}

  @Answers('Lists the connections that are chains', z.object({ networks: z.array(connectionAnswer) }))
  @Get()
  @Scopes('chain:read')
  list(): { networks: ConnectionView[] } {
    return { networks: this.networks.list() };
  }
}
