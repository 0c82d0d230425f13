import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { Controller, Get, Param, Res } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { FastifyReply } from 'fastify';

import { PatchbayError } from '#sdk';

import { Public } from '../auth/access.js';
import { describeApi } from './api-description.js';

/** What the description says about the hub it belongs to. */
export class ApiIdentity {
  constructor(
    readonly publicUrl: string,
    readonly version: string,
  ) {}
}

const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};
const startScript = "SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#docs', deepLinking: true });";
const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Patchbay API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"><div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></html>`;

/** The API in words: as a document for programs, and as a page whose files come from this hub only. */
@Controller()
export class DocsController {
  #description: object | undefined;

  constructor(
    private readonly container: ModulesContainer,
    private readonly identity: ApiIdentity,
  ) {}

  @Public()
  @Get('api/openapi.json')
  description(): object {
    return (this.#description ??= describeApi(this.container, this.identity));
  }

  @Public()
  @Get('docs')
  page(@Res() reply: FastifyReply): void {
    // The page styles its elements one by one.
    const policy = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";
    void reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(page);
  }

  @Public()
  @Get('docs/:file')
  file(@Param('file') file: string, @Res() reply: FastifyReply): void {
    if (file === 'start.js') {
      void reply.type('text/javascript; charset=utf-8').send(startScript);
      return;
    }
    const type = Object.hasOwn(assets, file) ? assets[file] : undefined;
    if (!type) throw new PatchbayError('request.notFound');
    const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
    void reply
      .type(type)
      .header('cache-control', 'public, max-age=86400')
      .send(createReadStream(join(folder, file)));
  }
}
