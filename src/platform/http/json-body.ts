import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

import { PatchbayError } from '#sdk';

export const deepestJson = 32;

/** @throws request.invalid – nested deeper than anything a person writes, which only serves to exhaust who walks it */
export function assertShallow(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= deepestJson)
    throw new PatchbayError('request.invalid', { detail: `The body is nested deeper than ${deepestJson} levels` });
  for (const inner of Object.values(value)) assertShallow(inner, depth + 1);
}

export function isJsonType(contentType: string): boolean {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type);
}

/** The route gets its body as the text that came, whatever its type says, and reads it itself. */
export const TakesText = () => RouteConfig({ takesText: true });

export function takesText(request: FastifyRequest): boolean {
  return (request.routeOptions.config as { takesText?: boolean }).takesText === true;
}
