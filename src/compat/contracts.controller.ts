import { Body, Controller, Get, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ContractsService, OpenApiService, checked } from '#gateway';
import { CurrentCaller, Scopes, TakesBasic, type Caller } from '#platform';
import { OldAbis, viewFlag } from './abis.js';
import { valuesBody } from './abis.controller.js';
import { root } from './compat-settings.js';
import { addressLike, flyParameters } from './fly-parameters.js';
import { OldCalls } from './old-calls.js';
import { OldErrorsFilter } from './old-errors.filter.js';
import { OldSubscriptions } from './subscriptions.js';

type Values = Readonly<Record<string, unknown>>;

/** Contracts that the hub knows, by name or address. */
@Controller(`${root}/contracts`)
@TakesBasic()
@UseFilters(OldErrorsFilter)
export class OldContractsController {
  constructor(
    private readonly abis: OldAbis,
    private readonly contracts: ContractsService,
    private readonly openApi: OpenApiService,
    private readonly calls: OldCalls,
    private readonly subscriptions: OldSubscriptions,
  ) {}

  @Get()
  @Scopes('chain:read')
  list(@Req() request: FastifyRequest): Promise<object[]> {
    return this.abis.contracts(flyParameters(request).network);
  }

  @Get(':contract')
  @Scopes('chain:read')
  async get(
    @Param('contract') given: string,
    @Query() query: Values,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const { network } = flyParameters(request);
    const reference = addressLike(given);
    const view = viewFlag(query);
    if (view === 'openapi') return await this.openApi.ofContract(reference, network);
    if (view === 'abi') return (await this.contracts.resolve(reference, where(network))).contract.abi;
    const contract = await this.contracts.get(reference, network);
    if (view === undefined) return await this.abis.contract(contract);
    const page = `/docs/contracts/${encodeURIComponent(contract.name ?? contract.address)}`;
    return reply.redirect(`${page}?network=${encodeURIComponent(contract.network)}`, 302);
  }

  @Get(':contract/:method')
  @Scopes('chain:read')
  read(
    @Param('contract') contract: string,
    @Param('method') method: string,
    @Query() query: Values,
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    return this.calls.read({ contract }, method, { fly: flyParameters(request), query, body: {}, caller });
  }

  @Post(':contract/:method')
  @Scopes('chain:read')
  async call(
    @Param('contract') contract: string,
    @Param('method') method: string,
    @Query() query: Values,
    @Body() given: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    const call = { fly: flyParameters(request), query, body: checked(valuesBody, given), caller };
    return await this.calls.post({ contract }, method, call, reply);
  }

  @Post(':contract/:event/subscribe')
  @Scopes('streams:write')
  async subscribe(
    @Param('contract') reference: string,
    @Param('event') eventRef: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    const { network } = flyParameters(request);
    const { contract } = await this.contracts.resolve(addressLike(reference), where(network));
    reply.status(200);
    const of = { abi: contract.abi, event: eventRef, address: contract.address, ...where(network) };
    return await this.subscriptions.subscribe(of, body, caller);
  }
}

function where(network: string | undefined): { network?: string } {
  return network === undefined ? {} : { network };
}
