import { METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RequestMethod } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { z } from 'zod';

import { accessOf } from '../auth/access.js';
import { listRoutes, type Route } from '../auth/route-guards.js';
import { operationOf } from '../http/operation.js';
import { ZodPipe } from '../http/zod.pipe.js';

type Json = Record<string, unknown>;

/**
 * OpenAPI 3.1, from what the routes themselves are made of: paths, schemas, scopes. Only routes that say what they answer
 * (`@Answers`) are part of it.
 */
export function describeApi(
  modules: ModulesContainer,
  { publicUrl, version }: { readonly publicUrl: string; readonly version: string },
): Json {
  const paths: Record<string, Json> = {};
  for (const route of listRoutes(modules)) {
    const operation = describeOperation(route);
    if (operation) paths[pathOf(route)] = { ...paths[pathOf(route)], [methodOf(route)]: operation };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Patchbay',
      version,
      description: 'Integration hub between EVM chains and the systems a business already runs.',
    },
    servers: [{ url: publicUrl }],
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key of the hub' } },
      schemas: { Problem: problemSchema },
    },
  };
}

function describeOperation(route: Route): Json | undefined {
  const operation = operationOf(route.handler);
  if (!operation) return undefined;
  const access = accessOf(route.controller, route.handler);
  const { body, parameters } = describeInputs(route);
  return {
    operationId: route.name,
    summary: operation.summary,
    tags: [pathOf(route).split('/')[2] ?? 'hub'],
    ...(Array.isArray(access) && { description: `Needs the scope ${access.join(', ')}.`, security: [{ key: [] }] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: inputSchema(body) } } } }),
    responses: {
      [operation.status]: {
        description: operation.summary,
        ...(operation.answer && { content: { 'application/json': { schema: outputSchema(operation.answer) } } }),
      },
      default: {
        description: 'What went wrong',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

/** The schemas of the decorators ZodBody, ZodQuery and ZodPath, as Nest keeps them. */
function describeInputs(route: Route): { body: z.ZodType | undefined; parameters: Json[] } {
  const kept = (Reflect.getMetadata(ROUTE_ARGS_METADATA, route.controller, route.method) ?? {}) as Record<
    string,
    { pipes?: unknown[] }
  >;
  const pipes = Object.values(kept)
    .flatMap(({ pipes: given }) => given ?? [])
    .filter((pipe) => pipe instanceof ZodPipe);
  const parameters = pipes
    .filter(({ part }) => part !== 'body')
    .flatMap(({ part, schema }) => describeParameters(part, schema));
  const described = new Set(parameters.map(({ name }) => name));
  for (const [, name] of pathOf(route).matchAll(/\{(\w+)\}/g)) {
    if (!described.has(name)) parameters.push({ name, in: 'path', required: true, schema: { type: 'string' } });
  }
  return { body: pipes.find(({ part }) => part === 'body')?.schema, parameters };
}

function describeParameters(part: string, schema: z.ZodType): Json[] {
  const { properties = {}, required = [] } = inputSchema(schema) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: part,
    required: part === 'path' || required.includes(name),
    schema: property,
  }));
}

function inputSchema(schema: z.ZodType): Json {
  return jsonSchema(schema, 'input');
}

function outputSchema(schema: z.ZodType): Json {
  return jsonSchema(schema, 'output');
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    // A format that everybody knows is not spelled out a second time, as a long pattern.
    override: ({ jsonSchema: made }) => {
      if (made.format !== undefined) delete made.pattern;
    },
  });
  return rest;
}

function pathOf({ controller, handler }: Route): string {
  const parts = [
    Reflect.getMetadata(PATH_METADATA, controller),
    Reflect.getMetadata(PATH_METADATA, handler),
  ] as unknown[];
  const path = parts.flatMap((part) => String(part).split('/')).filter((part) => part !== '');
  return `/${path.map((part) => (part.startsWith(':') ? `{${part.slice(1)}}` : part)).join('/')}`;
}

function methodOf({ handler }: Route): string {
  return (RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod] ?? 'GET').toLowerCase();
}

const problemSchema = outputSchema(
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    requestId: z.string(),
    fix: z.string().optional(),
    errors: z
      .array(
        z.object({
          pointer: z.string(),
          detail: z.string(),
          line: z.number().int().optional(),
          column: z.number().int().optional(),
        }),
      )
      .optional(),
    error: z
      .object({ name: z.string(), signature: z.string(), args: z.record(z.string(), z.unknown()) })
      .optional()
      .meta({ description: 'What a contract refused with, where its ABI knows it' }),
  }),
);
