import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { PatchbayError, z } from '#sdk';
import { checked } from './call-request.js';
import { readUpload } from './compile/read-upload.js';
import type { Upload, UploadPart } from './compile/upload.js';

/** Letters, digits, points, hyphens and underscores: it stands in addresses. */
export const interfaceName = z
  .string()
  .regex(/^[A-Za-z0-9_$][A-Za-z0-9_.$-]{0,99}$/, 'a name has letters, digits, points, hyphens and underscores')
  .meta({ title: 'Name of the interface', examples: ['escrow'] });

const texts = z.union([z.string(), z.array(z.string())]).transform((given) => (Array.isArray(given) ? given : [given]));

export const uploadOptions = z
  .strictObject({
    name: interfaceName,
    contract: z
      .string()
      .min(1)
      .max(500)
      .meta({ description: 'Which one, where there are several: `Name` or `file.sol:Name`' }),
    source: texts.meta({ description: 'Paths of the sources to compile; may be repeated' }),
    compiler: z.string().min(1).max(50).meta({ description: 'Version of solc, e.g. 0.8 or 0.8.24' }),
    evm: z.string().min(1).max(50).meta({ description: 'EVM version, e.g. paris' }),
    runs: z.coerce.number().int().min(0).max(4_294_967_295).meta({ description: 'Of the optimizer; 200 by default' }),
    list: z.stringbool().meta({ description: 'Only say what is inside' }),
  })
  .partial();

export type UploadOptions = z.output<typeof uploadOptions>;

/**
 * Files of a form, or JSON. The options are fields of the form, or stand in the query.
 *
 * @throws request.invalid, upload.invalid, request.tooLarge
 */
export async function readUploadRequest(
  request: FastifyRequest,
): Promise<{ readonly upload: Upload; readonly options: UploadOptions }> {
  if (!request.isMultipart()) {
    return await readJson(request.body, request.query as Readonly<Record<string, unknown>>);
  }
  const { upload, fields } = await readUploadForm(request);
  return { upload, options: checked(uploadOptions, fields) };
}

/**
 * Files of a form, with its fields and the query as they are.
 *
 * @throws request.invalid, upload.invalid, request.tooLarge
 */
export async function readUploadForm(
  request: FastifyRequest,
): Promise<{ readonly upload: Upload; readonly fields: Readonly<Record<string, unknown>> }> {
  const given: Record<string, unknown> = { ...(request.query as Readonly<Record<string, unknown>>) };
  const parts = readParts(request, given);
  const first = await parts.next();
  const upload = first.done === true ? await readFields(given) : await readUpload(withFirst(first.value, parts));
  // Fields may come after files, so they are all known only now.
  const { abi: _, bytecode: __, ...fields } = given;
  return { upload, fields };
}

/** A form without files can still carry an ABI as text. */
async function readFields({ abi, bytecode }: Readonly<Record<string, unknown>>): Promise<Upload> {
  if (abi === undefined) throw nothing();
  return await readUpload({ json: { abi, ...(bytecode !== undefined && { bytecode }) } });
}

async function readJson(
  body: unknown,
  query: Readonly<Record<string, unknown>>,
): Promise<{ upload: Upload; options: UploadOptions }> {
  if (body === undefined || body === null) throw nothing();
  if (typeof body !== 'object' || Array.isArray(body)) {
    return { upload: await readUpload({ json: body }), options: checked(uploadOptions, query) };
  }
  const { name, ...rest } = body as Readonly<Record<string, unknown>>;
  const options = checked(uploadOptions, { ...(name !== undefined && { name }), ...query });
  return { upload: await readUpload({ json: rest }), options };
}

async function* readParts(request: FastifyRequest, fields: Record<string, unknown>): AsyncGenerator<UploadPart> {
  for await (const part of request.parts()) {
    if (part.type === 'file') yield fileOf(part);
    else addField(fields, part.fieldname, part.value);
  }
}

async function* withFirst(first: UploadPart, rest: AsyncIterable<UploadPart>): AsyncGenerator<UploadPart> {
  yield first;
  yield* rest;
}

function fileOf({ filename, file }: MultipartFile): UploadPart {
  return { filename: filename === '' ? 'upload' : filename, stream: file as AsyncIterable<Uint8Array> };
}

function addField(fields: Record<string, unknown>, name: string, value: unknown): void {
  const before = fields[name];
  if (before === undefined) fields[name] = value;
  else fields[name] = Array.isArray(before) ? [...(before as unknown[]), value] : [before, value];
}

function nothing(): PatchbayError {
  return new PatchbayError('request.invalid', {
    detail: 'There is nothing in the upload',
    fix: 'Send files as multipart/form-data, or JSON with abi and bytecode.',
  });
}
