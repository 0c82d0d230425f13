import { readFileSync } from 'node:fs';
import { ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describeApi, type PlatformParts } from '#platform';
import { AppModule } from '../../src/app.module.js';
import type { Page } from './page.js';

/** The API of a hub with every role, as it describes itself, without one having to run. */
export async function openApiPage(): Promise<Page> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  // Only the routes are looked at; no service behind them is called.
  const nothing = {} as PlatformParts;
  const module = await Test.createTestingModule({ imports: [AppModule.for(['api'], nothing, [])] })
    .useMocker(() => ({}))
    .compile();
  const description = describeApi(module.get(ModulesContainer), { publicUrl: '/', version });
  return { path: 'docs/openapi.json', content: `${JSON.stringify(description, undefined, 2)}\n` };
}
