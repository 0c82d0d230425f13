import { Body, Controller, Get, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { constructorOf } from '#evm';
import {
  ContractsService,
  DeploymentsService,
  OpenApiService,
  UploadsService,
  checked,
  readUploadForm,
  uploadOptions,
} from '#gateway';
import { CurrentCaller, Scopes, TakesBasic, TakesUpload, type Caller } from '#platform';
import { PatchbayError, z } from '#sdk';
import { OldAbis, viewFlag } from './abis.js';
import { root } from './compat-settings.js';
import { addressLike, flag, flyParameters } from './fly-parameters.js';
import { OldCalls, sending } from './old-calls.js';
import { OldErrorsFilter } from './old-errors.filter.js';
import { readInputs } from './old-values.js';
import { OldSubscriptions } from './subscriptions.js';

type Values = Readonly<Record<string, unknown>>;

export const valuesBody = z.record(z.string(), z.unknown()).default({});

/** Uploads, and calls to any address by an ABI. */
@Controller(`${root}/abis`)
@TakesBasic()
@UseFilters(OldErrorsFilter)
export class OldAbisController {
  constructor(
    private readonly abis: OldAbis,
    private readonly uploads: UploadsService,
    private readonly deployments: DeploymentsService,
    private readonly contracts: ContractsService,
    private readonly openApi: OpenApiService,
    private readonly calls: OldCalls,
    private readonly subscriptions: OldSubscriptions,
  ) {}

  @Post()
  @Scopes('contracts:write')
  @TakesUpload()
  async upload(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    if (!request.isMultipart()) {
      throw new PatchbayError('request.invalid', { detail: 'The body is no form', fix: 'Send multipart/form-data.' });
    }
    flyParameters(request);
    reply.status(200);
    const { upload, fields } = await readUploadForm(request);
    const { findsolidity, findcontracts, contract, source, compiler, evm, name } = fields;
    if (flag(findsolidity)) return this.uploads.list(upload).sources;
    if (flag(findcontracts)) {
      return this.uploads
        .list(upload)
        .contracts.map((one) => (one.file === undefined ? one.name : `${one.file}:${one.name}`));
    }
    const options = checked(uploadOptions, {
      ...(contract !== undefined && { contract }),
      ...(source !== undefined && { source }),
      ...(compiler !== undefined && { compiler }),
      ...(evm !== undefined && { evm }),
      ...(name !== undefined && { name }),
    });
    const { known } = await this.uploads.register(upload, options, caller);
    return this.abis.view(known);
  }

  @Get()
  @Scopes('chain:read')
  list(): Promise<object[]> {
    return this.abis.list();
  }

  @Get(':abi')
  @Scopes('chain:read')
  async get(
    @Param('abi') reference: string,
    @Query() query: Values,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const known = await this.abis.get(reference);
    const view = viewFlag(query);
    if (view === 'abi') return known.abi;
    if (view === 'openapi') return await this.openApi.ofInterface(known.name, known.version);
    if (view === 'ui') return reply.redirect(`/docs/interfaces/${known.name}?version=${known.version}`, 302);
    return this.abis.view(known);
  }

  @Post(':abi')
  @Scopes('chain:send', 'contracts:write')
  async deploy(
    @Param('abi') reference: string,
    @Query() query: Values,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    const fly = flyParameters(request);
    const known = await this.abis.get(reference);
    const inputs = { body: checked(valuesBody, body), query };
    const deployment = await this.deployments.deploy(
      known.name,
      {
        ...sending(fly, caller),
        version: known.version,
        args: readInputs(constructorOf(known.abi).inputs ?? [], inputs),
        root: '#',
        ...(fly.register !== undefined && { name: fly.register }),
        ...(fly.network !== undefined && { network: fly.network }),
      },
      caller,
    );
    const answer = await this.calls.answer(deployment, fly, reply);
    return fly.register === undefined ? answer : { ...answer, registerAs: fly.register };
  }

  @Post(':abi/:address')
  @Scopes('contracts:write')
  async register(
    @Param('abi') reference: string,
    @Param('address') address: string,
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    const fly = flyParameters(request);
    const { name, version } = await this.abis.get(reference);
    const wanted = {
      name: fly.register,
      address: addressLike(address),
      interface: name,
      version,
      network: fly.network,
    };
    return await this.abis.contract(await this.contracts.register(wanted, caller));
  }

  @Post(':abi/:event/subscribe')
  @Scopes('streams:write')
  async subscribeAll(
    @Param('abi') reference: string,
    @Param('event') eventRef: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    flyParameters(request);
    const { abi } = await this.abis.get(reference);
    reply.status(200);
    return await this.subscriptions.subscribe({ abi, event: eventRef, address: undefined }, body, caller);
  }

  @Post(':abi/:address/:event/subscribe')
  @Scopes('streams:write')
  async subscribe(
    @Param('abi') reference: string,
    @Param('address') address: string,
    @Param('event') eventRef: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    flyParameters(request);
    const { abi } = await this.abis.get(reference);
    reply.status(200);
    return await this.subscriptions.subscribe({ abi, event: eventRef, address: addressLike(address) }, body, caller);
  }

  @Get(':abi/:address/:method')
  @Scopes('chain:read')
  async read(
    @Param('abi') reference: string,
    @Param('address') contract: string,
    @Param('method') method: string,
    @Query() query: Values,
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    const fly = flyParameters(request);
    const { name, version } = await this.abis.get(reference);
    const target = { contract, interface: `${name}@${version}` };
    return await this.calls.read(target, method, { fly, query, body: {}, caller });
  }

  @Post(':abi/:address/:method')
  @Scopes('chain:read')
  async call(
    @Param('abi') reference: string,
    @Param('address') contract: string,
    @Param('method') method: string,
    @Query() query: Values,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    const fly = flyParameters(request);
    const { name, version } = await this.abis.get(reference);
    const target = { contract, interface: `${name}@${version}` };
    return await this.calls.post(target, method, { fly, query, body: checked(valuesBody, body), caller }, reply);
  }
}
