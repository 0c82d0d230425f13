import multipart from '@fastify/multipart';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';

import { PatchbayError } from '#sdk';

export interface UploadLimits {
  /** Largest body of a route that takes files. */
  readonly maxUploadBytes: number;
  readonly maxHookBytes: number;
}

/** Files, fields and both together in one form. */
const most = { files: 1_000, fields: 200, parts: 1_100 };
const longestField = 262_144;

/** The route takes forms with files. It reads them itself, so nothing of the body is read before the key was checked. */
export const TakesUpload = () => RouteConfig({ takesUpload: true });

/**
 * Forms with files, for routes that say {@link TakesUpload}. Everywhere else they are refused, but under `/hooks`, where a
 * body stays the bytes it came as.
 */
export async function addUploads(
  server: FastifyInstance,
  isRaw: (request: FastifyRequest) => boolean,
  { maxUploadBytes, maxHookBytes }: UploadLimits,
): Promise<void> {
  await server.register(multipart, {
    limits: { ...most, fileSize: maxUploadBytes, fieldSize: longestField, fieldNameSize: 100, headerPairs: 50 },
  });
  server.addHook('preValidation', async (request) => {
    if (!request.isMultipart()) return;
    if (isRaw(request)) {
      request.body = await readAll(request, maxHookBytes);
      return;
    }
    if (!takesUpload(request)) {
      throw new PatchbayError('request.unsupportedType', {
        detail: 'The body is multipart/form-data',
        fix: 'Send JSON, with content-type: application/json.',
      });
    }
    if (Number(request.headers['content-length'] ?? 0) > maxUploadBytes) throw new PatchbayError('request.tooLarge');
  });
}

function takesUpload(request: FastifyRequest): boolean {
  return (request.routeOptions.config as { takesUpload?: boolean }).takesUpload === true;
}

async function readAll(request: FastifyRequest, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request.raw as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxBytes) throw new PatchbayError('request.tooLarge');
    parts.push(part);
  }
  return Buffer.concat(parts);
}
