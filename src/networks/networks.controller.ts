import { Controller, Get, Param } from '@nestjs/common';
import { connectionAnswer, type ConnectionView } from '#connections';
import { Answers, Scopes } from '#platform';
import { z } from '#sdk';
import { networkStatusAnswer, readNetworkStatus, type NetworkStatus } from './network-status.js';
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

  @Answers('Says what the node of a network can do, and what the hub makes of it', networkStatusAnswer)
  @Get(':name')
  @Scopes('chain:read')
  async status(@Param('name') name: string): Promise<NetworkStatus> {
    return readNetworkStatus(await this.networks.get(name));
  }
}
