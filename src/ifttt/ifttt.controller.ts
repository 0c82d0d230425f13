import { gzipSync } from 'node:zlib';
import { All, Controller, Get, Header, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Answers, Public, Scopes } from '#platform';
import { ConnectWebhooks } from './connect-webhooks.js';
import { IdentitiesStore } from './identities.store.js';
import { IftttService } from './ifttt.service.js';
import { iftttAnswer } from './ifttt.schema.js';
import { OauthService, type OauthReply, type OauthRequest } from './oauth/oauth.service.js';
import { ServiceAccount } from './service-account.js';
import { SetUpSheet } from './sheet.js';

const worthPacking = 1_024;

/** What IFTTT calls. One method for all of it, so that also what is not there is answered in its words. */
@Controller('ifttt/v1')
export class IftttController {
  constructor(private readonly service: IftttService) {}

  @All(['', '*'])
  @Public()
  async answer(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const path = (request.url.split('?', 1)[0] ?? '').slice('/ifttt/v1'.length);
    const { status, body } = await this.service.answer({
      method: request.method,
      path,
      headers: headersOf(request),
      body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      requestId: request.id,
    });
    reply.status(status);
    if (body === undefined) return void reply.send();
    const text = JSON.stringify(body);
    reply.header('content-type', 'application/json; charset=utf-8');
    if (text.length < worthPacking || !/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
      return void reply.send(text);
    }
    reply.header('content-encoding', 'gzip').send(gzipSync(text));
  }
}

/** Where users of IFTTT sign in, and where it fetches its tokens. */
@Controller('ifttt/oauth')
export class IftttOauthController {
  constructor(private readonly oauth: OauthService) {}

  @Get('authorize')
  @Public()
  async showPage(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.oauth.showPage(oauthRequest(request)));
  }

  @Post('authorize')
  @Public()
  async decide(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.oauth.decide(oauthRequest(request)));
  }

  @Post('token')
  @Public()
  async token(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.oauth.token(oauthRequest(request)));
  }

  @Post('revoke')
  @Public()
  async revoke(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.oauth.revoke(oauthRequest(request)));
  }
}

/** For those who run the hub. */
@Controller('api/ifttt')
export class IftttSheetController {
  constructor(
    private readonly sheet: SetUpSheet,
    private readonly account: ServiceAccount,
    private readonly identities: IdentitiesStore,
    private readonly webhooks: ConnectWebhooks,
  ) {}

  @Answers('Tells how the service of IFTTT is set up, who polls it, and what IFTTT reported', iftttAnswer)
  @Get()
  @Scopes('flows:read')
  async show(): Promise<object> {
    const service = await this.account.find();
    return {
      isConfigured: service !== undefined,
      mode: service?.oauth === undefined ? 'key' : 'oauth2',
      ...(await this.identities.counts()),
      webhooks: await this.webhooks.list(50),
    };
  }

  @Answers('Gives the set-up sheet as Markdown: what to type where at IFTTT')
  @Get('sheet')
  @Scopes('flows:read')
  @Header('content-type', 'text/markdown; charset=utf-8')
  write(): Promise<string> {
    return this.sheet.write();
  }
}

function headersOf(request: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

function oauthRequest(request: FastifyRequest): OauthRequest {
  const text = Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
  return {
    method: request.method,
    headers: headersOf(request),
    query: Object.fromEntries(new URL(request.url, 'http://hub').searchParams),
    body: Object.fromEntries(new URLSearchParams(text)),
    ip: request.ip,
  };
}

function send(reply: FastifyReply, { status, headers, body }: OauthReply): void {
  void reply.status(status).headers(headers).send(body);
}
