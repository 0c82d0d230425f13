import { readDocument, parseJson, type JsonReading } from './artefacts.js';
import { asText, contentKind } from './content-kind.js';
import { isDependency } from './entry-name.js';
import { isRecord } from './json-object.js';
import { readGzip, readTar } from './read-tar.js';
import { readZip } from './read-zip.js';
import { scanSolidity } from './solidity-scanner.js';
import { UploadBudget } from './upload-budget.js';
import { refusal, tooLarge, uploadLimits, type Upload, type UploadLimits, type UploadPart } from './upload.js';

const known =
  'Send Solidity (.sol), a zip, tar or tar.gz of it, a standard-JSON input, or artefacts of Hardhat, Foundry, Truffle or Remix.';

/**
 * Reads what somebody sent: files and archives of a multipart request, or one JSON document. What a part is follows
 * from its content. Everything stays in memory, within the limits, and nothing is written anywhere.
 *
 * Solidity wins: with sources in the upload, JSON beside them is taken for a by-product of the build.
 *
 * @throws upload.invalid naming the file or entry, request.tooLarge
 */
export async function readUpload(
  parts: AsyncIterable<UploadPart> | { readonly json: unknown },
  limits: UploadLimits = uploadLimits,
): Promise<Upload> {
  if ('json' in parts) return readJsonBody(parts.json, limits);
  const budget = new UploadBudget(limits);
  const contents = new Map<string, Buffer>();
  let packedBytes = 0;
  for await (const part of parts) {
    const content = await collect(part, limits.packedBytes - packedBytes, limits.packedBytes);
    packedBytes += content.byteLength;
    for (const [path, file] of await unpack(part.filename, content, budget)) contents.set(path, file);
  }
  return sort(contents, limits);
}

/** What can be compiled and registered, without compiling: own files only, not those of dependencies. */
export function listContents(upload: Upload): {
  readonly sources: readonly string[];
  readonly contracts: readonly { readonly name: string; readonly file: string | undefined }[];
} {
  if (upload.kind === 'artefacts') {
    return { sources: [], contracts: upload.contracts.map(({ name, file }) => ({ name, file })) };
  }
  const files = sourcesOf(upload);
  const sources = [...files.keys()].filter((file) => !isDependency(file)).sort();
  return {
    sources,
    contracts: sources.flatMap((file) => scanSolidity(files.get(file)!).contracts.map((name) => ({ name, file }))),
  };
}

/** Every file of Solidity by its path. */
export function sourcesOf(upload: Exclude<Upload, { kind: 'artefacts' }>): ReadonlyMap<string, string> {
  if (upload.kind === 'sources') return new Map([...upload.files].filter(([file]) => /[.]sol$/i.test(file)));
  return new Map(Object.entries(upload.input.sources).map(([name, { content }]) => [name, content]));
}

async function collect(part: UploadPart, left: number, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of part.stream) {
    bytes += chunk.byteLength;
    if (bytes > left) {
      throw tooLarge(
        `With ${part.filename} the upload has more than ${String(limit / 1_000_000)} MB`,
        'Leave out what is not needed: tests, artefacts, node_modules.',
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function unpack(name: string, content: Buffer, budget: UploadBudget): Promise<Map<string, Buffer>> {
  if (content.byteLength === 0) throw refusal(`${name} is empty`, known);
  const kind = contentKind(content);
  if (kind === 'zip') return projectOf(await readZip(name, content, budget));
  if (kind === 'tar') return projectOf(await readTar(name, content, budget));
  if (kind === 'gzip') {
    const unpacked = await readGzip(name, content, budget);
    if (contentKind(unpacked) !== 'tar') throw refusal(`${name} is packed with gzip, but holds no tar`, known);
    return projectOf(await readTar(name, unpacked, budget));
  }
  if (typeof kind === 'object') throw refusal(`${name} is ${kind.unknown}`, known);
  if (name.includes('/') || name.includes('\\')) {
    throw refusal(`The file name ${JSON.stringify(name)} has a folder in it`, 'Send folders as a zip or a tar.gz.');
  }
  if (kind === 'text' && !/[.]sol$/i.test(name) && !/remappings[.]txt$|foundry[.]toml$/.test(name)) {
    throw refusal(`${name} is text, but no Solidity by its name and no JSON by its content`, known);
  }
  const path = budget.addEntry('the upload', name, false);
  const file = await budget.read(path, oneChunk(content));
  // The name of a JSON document may be anything, and later tells it from Solidity.
  return new Map([[kind === 'json' && !/[.]json$/i.test(path) ? `${path}.json` : path, file]]);
}

/**
 * A project that was packed with its own folder, as GitHub does it: the folder is no part of the paths by which its
 * files import each other.
 */
function projectOf(files: Map<string, Buffer>): Map<string, Buffer> {
  const tops = new Set(
    [...files.keys()].map((path) => (path.includes('/') ? path.slice(0, path.indexOf('/') + 1) : '')),
  );
  const [top] = tops;
  if (tops.size !== 1 || top === undefined || top === '') return files;
  const looksLikeRoot = [...files.keys()].some((path) =>
    /^(contracts[/]|src[/]|lib[/]|node_modules[/]|remappings[.]txt$|foundry[.]toml$|package[.]json$)/.test(
      path.slice(top.length),
    ),
  );
  if (!looksLikeRoot || /^(contracts|src|lib|node_modules)[/]$/.test(top)) return files;
  return new Map([...files].map(([path, content]) => [path.slice(top.length), content]));
}

function sort(contents: ReadonlyMap<string, Buffer>, limits: UploadLimits): Upload {
  const isJson = (path: string): boolean => /[.]json$/i.test(path);
  const texts = new Map(
    [...contents].filter(([path]) => !isJson(path)).map(([path, file]) => [path, textOf(path, file)]),
  );
  if ([...texts.keys()].some((path) => /[.]sol$/i.test(path))) return { kind: 'sources', files: texts };
  const documents = [...contents].filter(([path]) => isJson(path));
  const readings = documents
    .map(([path, file]) => readDocument(path, parseJson(path, textOf(path, file))))
    .filter((reading) => reading !== undefined);
  return combine(readings, documents.length, limits);
}

function combine(readings: readonly JsonReading[], documents: number, limits: UploadLimits): Upload {
  const [first] = readings;
  if (first?.kind === 'standard-json' && readings.length === 1) return checkInput(first, limits);
  const contracts = readings.flatMap((reading) => (reading.kind === 'artefacts' ? reading.contracts : []));
  if (contracts.length > 0) return { kind: 'artefacts', contracts };
  if (readings.length > 1) throw refusal('There are several standard-JSON inputs in the upload', 'Send one at a time.');
  throw documents === 0
    ? refusal('There is no Solidity and no artefact in the upload', known)
    : refusal('None of the JSON in the upload is an ABI, an artefact or an input for solc', known);
}

function checkInput(upload: JsonReading & { kind: 'standard-json' }, limits: UploadLimits): Upload {
  const budget = new UploadBudget(limits);
  for (const name of Object.keys(upload.input.sources)) {
    const path = budget.addEntry('the standard-JSON input', name, false);
    budget.checkAnnounced(path, Buffer.byteLength(upload.input.sources[name]!.content));
  }
  return upload;
}

function readJsonBody(json: unknown, limits: UploadLimits): Upload {
  if (isRecord(json) && json['abi'] === undefined && json['bytecode'] !== undefined) {
    throw refusal('There is a bytecode, but no ABI', 'Send `abi` as well.', [
      { pointer: '#/abi', detail: 'It is missing' },
    ]);
  }
  const reading = readDocument('the request', json);
  return combine(reading ? [reading] : [], 1, limits);
}

function textOf(path: string, content: Buffer): string {
  const text = asText(content);
  if (text !== undefined) return text;
  throw refusal(`${path} is no text in UTF-8`, 'Send the source itself, saved as UTF-8.');
}

async function* oneChunk(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}
