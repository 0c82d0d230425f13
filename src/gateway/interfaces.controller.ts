import { Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { feeWishOf, type Abi } from '#evm';
import { Answers, CurrentCaller, Scopes, TakesUpload, ZodBody, ZodQuery, type Caller } from '#platform';
import { z } from '#sdk';
import { DeploymentsService } from './deployments.service.js';
import { interfaceView, sentView, summaryView, type Json } from './gateway-views.js';
import {
  contentsAnswer,
  deployBody,
  interfaceDetailAnswer,
  interfacesAnswer,
  registeredAnswer,
  sentAnswer,
  versionQuery,
} from './gateway.schema.js';
import { InterfacesService } from './interfaces.service.js';
import { OpenApiService } from './openapi.service.js';
import { goneSignal, idempotencyKeyOf, waitMsOf } from './send-headers.js';
import { readUploadRequest } from './upload-request.js';
import { UploadsService } from './uploads.service.js';

@Controller('api/interfaces')
export class InterfacesController {
  constructor(
    private readonly interfaces: InterfacesService,
    private readonly uploads: UploadsService,
    private readonly deployments: DeploymentsService,
    private readonly openApi: OpenApiService,
  ) {}

  @Answers(
    'Registers what is uploaded: sources, archives or artefacts as a form, or JSON with abi and bytecode. With list=true it only says what is inside',
    z.union([registeredAnswer, contentsAnswer]),
    201,
  )
  @Post()
  @Scopes('contracts:write')
  @TakesUpload()
  async upload(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    const { upload, options } = await readUploadRequest(request);
    if (options.list === true) {
      reply.status(200);
      return this.uploads.list(upload);
    }
    const { known, warnings } = await this.uploads.register(upload, options, caller);
    return { ...interfaceView(known), warnings };
  }

  @Answers('Lists the interfaces with their versions', interfacesAnswer)
  @Get()
  @Scopes('chain:read')
  async list(): Promise<{ items: Json[] }> {
    return { items: (await this.interfaces.list()).map(summaryView) };
  }

  @Answers('Gives an interface, by default its newest version', interfaceDetailAnswer)
  @Get(':name')
  @Scopes('chain:read')
  async get(@Param('name') name: string, @ZodQuery(versionQuery) query: z.output<typeof versionQuery>): Promise<Json> {
    const known = await this.interfaces.get(name, query.version);
    return { ...interfaceView(known), versions: (await this.interfaces.versions(name)).map(summaryView) };
  }

  @Answers('Gives the ABI', z.array(z.record(z.string(), z.unknown())))
  @Get(':name/abi')
  @Scopes('chain:read')
  async abi(@Param('name') name: string, @ZodQuery(versionQuery) query: z.output<typeof versionQuery>): Promise<Abi> {
    return (await this.interfaces.get(name, query.version)).abi;
  }

  @Answers('Gives what it was compiled from, as the standard JSON input of the compiler', z.unknown())
  @Get(':name/sources')
  @Scopes('chain:read')
  sources(@Param('name') name: string, @ZodQuery(versionQuery) query: z.output<typeof versionQuery>): Promise<unknown> {
    return this.interfaces.sources(name, query.version);
  }

  @Answers('Describes how instances are deployed and any address is called, as OpenAPI 3.1', z.unknown())
  @Get(':name/openapi.json')
  @Scopes('chain:read')
  description(
    @Param('name') name: string,
    @ZodQuery(versionQuery) query: z.output<typeof versionQuery>,
  ): Promise<object> {
    return this.openApi.ofInterface(name, query.version);
  }

  @Answers('Removes an interface that no contract uses: one version, or all', undefined, 204)
  @Delete(':name')
  @HttpCode(204)
  @Scopes('contracts:write')
  async remove(
    @Param('name') name: string,
    @ZodQuery(versionQuery) query: z.output<typeof versionQuery>,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    await this.interfaces.remove(name, query.version, caller.name);
  }

  @Answers('Deploys an instance; it is known under its name and address at once', sentAnswer, 202)
  @Post(':name/deploy')
  @Scopes('chain:send', 'contracts:write')
  async deploy(
    @Param('name') name: string,
    @ZodBody(deployBody) body: z.output<typeof deployBody>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<Json> {
    const { value, gas, fee, version, name: friendlyName, network, libraries, wait } = body;
    const deployment = await this.deployments.deploy(
      name,
      {
        args: body.args,
        from: body.from,
        idempotencyKey: idempotencyKeyOf(request, caller),
        waitMs: waitMsOf(request),
        signal: goneSignal(reply),
        ...(value !== undefined && { value: BigInt(value) }),
        ...(gas !== undefined && { gas: BigInt(gas) }),
        ...(fee !== undefined && { fees: feeWishOf(fee) }),
        ...(version !== undefined && { version }),
        ...(friendlyName !== undefined && { name: friendlyName }),
        ...(network !== undefined && { network }),
        ...(libraries !== undefined && { libraries }),
        ...(wait !== undefined && { wait }),
      },
      caller,
    );
    reply.status(deployment.isReached ? 200 : 202);
    const { address } = deployment;
    const view = sentView(deployment);
    const reference = deployment.name ?? address;
    const links = { contract: `/api/contracts/${reference}`, docs: `/docs/contracts/${reference}` };
    return {
      ...view,
      contract: { address, name: deployment.name },
      links: { ...(view['links'] as object), ...links },
    };
  }
}
