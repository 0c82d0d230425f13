import { Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { Answers, CurrentCaller, Scopes, ZodBody, ZodQuery, type Caller } from '#platform';
import { z } from '#sdk';
import { ContractsService, type Verification } from './contracts.service.js';
import { contractView, type Json } from './gateway-views.js';
import {
  contractAnswer,
  contractChange,
  contractsAnswer,
  networkQuery,
  registration,
  verificationAnswer,
} from './gateway.schema.js';
import { OpenApiService } from './openapi.service.js';

type NetworkQuery = z.output<typeof networkQuery>;

@Controller('api/contracts')
export class ContractsController {
  constructor(
    private readonly contracts: ContractsService,
    private readonly openApi: OpenApiService,
  ) {}

  @Answers('Registers a contract that is on the chain already', contractAnswer, 201)
  @Post()
  @Scopes('contracts:write')
  async register(
    @ZodBody(registration) body: z.output<typeof registration>,
    @CurrentCaller() caller: Caller,
  ): Promise<Json> {
    const { name, address, version, network } = body;
    return contractView(
      await this.contracts.register({ name, address, interface: body.interface, version, network }, caller),
    );
  }

  @Answers('Lists the contracts that are registered or named in an address book', contractsAnswer)
  @Get()
  @Scopes('chain:read')
  async list(@ZodQuery(networkQuery) query: NetworkQuery): Promise<{ items: Json[] }> {
    return { items: (await this.contracts.list(query.network)).map(contractView) };
  }

  @Answers('Describes the routes of all contracts, as OpenAPI 3.1', z.unknown())
  @Get('openapi.json')
  @Scopes('chain:read')
  describeAll(@ZodQuery(networkQuery) query: NetworkQuery): Promise<object> {
    return this.openApi.ofAll(query.network);
  }

  @Answers('Gives a contract by name or address', contractAnswer)
  @Get(':contract')
  @Scopes('chain:read')
  async get(@Param('contract') reference: string, @ZodQuery(networkQuery) query: NetworkQuery): Promise<Json> {
    return contractView(await this.contracts.get(reference, query.network));
  }

  @Answers('Gives a contract another name, or another version of its interface', contractAnswer)
  @Patch(':contract')
  @Scopes('contracts:write')
  async change(
    @Param('contract') reference: string,
    @ZodBody(contractChange) body: z.output<typeof contractChange>,
    @ZodQuery(networkQuery) query: NetworkQuery,
    @CurrentCaller() caller: Caller,
  ): Promise<Json> {
    const { name, version } = body;
    const change = {
      ...(name !== undefined && { name }),
      ...(body.interface !== undefined && { interface: body.interface }),
      ...(version !== undefined && { version }),
    };
    return contractView(await this.contracts.change(reference, change, { network: query.network, caller }));
  }

  @Answers('Forgets a contract; on the chain nothing changes', undefined, 204)
  @Delete(':contract')
  @HttpCode(204)
  @Scopes('contracts:write')
  async remove(
    @Param('contract') reference: string,
    @ZodQuery(networkQuery) query: NetworkQuery,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    await this.contracts.remove(reference, query.network, caller);
  }

  @Answers('Compares the code on the chain with the compiled one', verificationAnswer)
  @Post(':contract/verify')
  @HttpCode(200)
  @Scopes('chain:read')
  verify(@Param('contract') reference: string, @ZodQuery(networkQuery) query: NetworkQuery): Promise<Verification> {
    return this.contracts.verify(reference, query.network);
  }

  @Answers('Describes the routes of a contract, as OpenAPI 3.1', z.unknown())
  @Get(':contract/openapi.json')
  @Scopes('chain:read')
  describe(@Param('contract') reference: string, @ZodQuery(networkQuery) query: NetworkQuery): Promise<object> {
    return this.openApi.ofContract(reference, query.network);
  }
}
