import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import createClient from 'openapi-fetch';
import openapiTypescript, { astToString } from 'openapi-typescript';
import ts from 'typescript';
import { GatewayApp } from '../builders/gateway-app.js';
import { bazaar, order } from '../builders/gateway-contracts.js';

let app: GatewayApp;
let document: Record<string, unknown>;

beforeAll(async () => {
  app = await GatewayApp.start();
  await app.upload({ 'Bazaar.sol': bazaar }, { name: 'bazaar' });
  const wish = { args: { most_: 2 }, from: 'treasury', wait: 'mined' };
  await app.ask('POST', '/api/interfaces/bazaar/deploy', { ...wish, name: 'market' });
  await app.ask('POST', '/api/interfaces/bazaar/deploy', { ...wish, name: 'fair' });
  document = (await app.ask('GET', '/api/contracts/market/openapi.json')).body;
});

afterAll(() => app.close());

/** A caller that uses the contract in ways the types allow, and in ways they do not: those are marked. */
const caller = `
import createClient from 'openapi-fetch';
import type { paths } from './market.js';

const client = createClient<paths>({ baseUrl: 'http://hub.example' });
const line = { sku: '1', amount: 2, note: '0x00' };
const order = { buyer: '0x00', lines: [line], grid: ['-1', 2], memo: '' };

export async function use(): Promise<[string, string, string | undefined, string]> {
  const most = await client.GET('/api/contracts/market/most');
  const one = await client.GET('/api/contracts/market/find(uint256)', { params: { query: { id: 1 } } });
  const placed = await client.POST('/api/contracts/market/place', {
    params: { header: { 'Idempotency-Key': 'order-1' } },
    body: { args: { order }, from: 'treasury', wait: 'mined' },
  });
  const echoed = await client.POST('/api/contracts/market/echo', { body: { args: { order, grid: [[1, 2]] } } });
  const events = await client.GET('/api/contracts/market/events/Ordered(uint256)');
  // @ts-expect-error there is no such function
  await client.GET('/api/contracts/market/moost');
  // @ts-expect-error an amount is missing
  await client.POST('/api/contracts/market/place', { body: { args: { order: { ...order, lines: [{ sku: 1, note: '' }] } }, from: 'a' } });
  // @ts-expect-error nobody sends it
  await client.POST('/api/contracts/market/pay', { body: {} });
  const sent = placed.data;
  const note: string = echoed.data!.result.arg0.lines[0]!.note;
  const id: string = events.data!.events[0]!.args.id;
  return [most.data!.result, one.data!.result, sent && 'nonce' in sent ? sent.links['transaction'] : id, note];
}
`;

describe('the description of a contract', () => {
  it('given a contract, an interface or all of them, when they are described, then a public validator accepts it', async () => {
    const [ofInterface, ofAll] = await Promise.all([
      app.ask('GET', '/api/interfaces/bazaar/openapi.json'),
      app.ask('GET', '/api/contracts/openapi.json'),
    ]);
    for (const described of [document, ofInterface.body, ofAll.body]) {
      const result = await new Validator().validate(structuredClone(described));
      expect(result).toMatchObject({ valid: true });
      const ids = Object.values(described['paths'] as Record<string, Record<string, { operationId: string }>>)
        .flatMap((operations) => Object.values(operations))
        .map(({ operationId }) => operationId);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it('given NatSpec, when a contract is described, then it speaks in the words of its author', () => {
    const paths = document['paths'] as Record<string, Record<string, Record<string, unknown>>>;
    const place = paths['/api/contracts/market/place']?.['post'];

    expect(document['info']).toMatchObject({
      title: 'Bazaar',
      description: expect.stringContaining('many lines') as unknown,
    });
    expect(place).toMatchObject({ operationId: 'place', summary: 'Places an order.' });
    expect(JSON.stringify(place)).toContain('What is wanted');
    expect(JSON.stringify(place)).toContain('Of the order');
  });

  it('given a generated client, when it is compiled and used, then it type-checks and the calls work', async () => {
    // Beside the project's modules, so that the compiler finds them.
    await mkdir('scratch', { recursive: true });
    const folder = await mkdtemp(join(process.cwd(), 'scratch', 'client-'));
    try {
      const types = astToString(await openapiTypescript(structuredClone(document) as never));
      await writeFile(join(folder, 'market.d.ts'), types);
      await writeFile(join(folder, 'caller.ts'), caller);
      expect(faultsOf(join(folder, 'caller.ts'))).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }

    const client = createClient<AnyPaths>({ baseUrl: app.url, headers: { authorization: `Bearer ${app.key}` } });
    const read = await client.GET('/api/contracts/market/sum', { params: { query: { values: [1, 2] } } });
    const sent = await client.POST('/api/contracts/market/place', {
      body: { args: { order }, from: 'treasury', wait: 'mined' },
    });
    expect(read.data).toEqual({ result: '3' });
    expect(sent.data).toMatchObject({ events: [{ name: 'Ordered' }, { name: 'Ordered' }] });
  });

  it('given its page, when it is opened, then all its files come from this hub', async () => {
    const page = await app.ask('GET', '/docs/contracts/market');
    const files = [...String(page.body['text']).matchAll(/(?:href|src)="([^"]+)"/g)].map(([, url = '']) => url);

    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(files).toHaveLength(3);
    for (const url of files) expect((await app.ask('GET', url)).status).toBe(200);
  });
});

type AnyPaths = Record<string, { get: AnyOperation; post: AnyOperation }>;
interface AnyOperation {
  parameters: { query?: Record<string, unknown> };
  requestBody?: { content: { 'application/json': unknown } };
  responses: { 200: { content: { 'application/json': unknown } } };
}

function faultsOf(file: string): string[] {
  const program = ts.createProgram([file], {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    noUncheckedIndexedAccess: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 500));
}
