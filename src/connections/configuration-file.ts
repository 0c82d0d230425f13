import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { PatchbayError, Secret, z, type Fault } from '#sdk';

/** What `patchbay.yaml` declares: who the hub talks to and what it signs with. */
export interface ConfigurationFile {
  readonly connections: readonly DeclaredConnection[];
  readonly signers: ReadonlyMap<string, DeclaredSigner>;
}

export interface DeclaredConnection {
  readonly name: string;
  /** Name of a connector, or of the section it was listed in. */
  readonly connector: string | undefined;
  readonly section: string | undefined;
  readonly isDefault: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface DeclaredSigner {
  readonly privateKey: Secret;
}

const name = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower case letters, digits and hyphens');
const settings = z.record(z.string(), z.unknown());
const fileSchema = z.strictObject({
  connections: z.record(name, z.looseObject({ connector: z.string(), default: z.boolean().optional() })).default({}),
  networks: z.record(name, settings).default({}),
  signers: z.record(name, z.strictObject({ privateKey: z.unknown() })).default({}),
  /** Connectors from npm, by package name; the application loads them before this file is read. */
  connectors: z.array(z.string().regex(/^(@[\w-]+\/)?patchbay-connector-[\w-]+$/)).default([]),
});

/**
 * Reads the file; values may be `{ env: NAME }` or `{ file: PATH }`, so that no secret stands in it.
 * A file that does not exist declares nothing.
 *
 * @throws config.invalid with every fault
 */
export async function readConfigurationFile(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ConfigurationFile> {
  const text = await readIfThere(path);
  if (text === undefined) return { connections: [], signers: new Map() };
  const document = parseDocument(text, { schema: 'core', merge: false });
  const faults: Fault[] = document.errors.map((error) => ({
    pointer: '',
    file: path,
    detail: error.message.split('\n')[0] ?? error.message,
    ...(error.linePos && { line: error.linePos[0].line, column: error.linePos[0].col }),
  }));
  const raw: unknown = faults.length > 0 ? {} : (document.toJS({ maxAliasCount: 0 }) ?? {});
  const resolved = await resolveReferences(raw, { env, folder: dirname(path), faults, pointer: '', file: path });
  const parsed = fileSchema.safeParse(resolved);
  if (!parsed.success) {
    faults.push(
      ...parsed.error.issues.map((issue) => ({
        pointer: `/${issue.path.join('/')}`,
        file: path,
        detail: issue.message,
      })),
    );
  }
  if (faults.length > 0 || !parsed.success) {
    const first = faults[0];
    throw new PatchbayError('config.invalid', {
      detail: `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in ${path}: ${first?.pointer ?? ''} ${first?.detail ?? ''}`,
      fix: 'See docs/operations.md for the form of this file.',
      faults,
    });
  }
  return declared(parsed.data, path);
}

function declared(file: z.output<typeof fileSchema>, path: string): ConfigurationFile {
  const connections: DeclaredConnection[] = [];
  for (const [key, { connector, default: isDefault, ...rest }] of Object.entries(file.connections)) {
    connections.push({ name: key, connector, section: undefined, isDefault: isDefault ?? false, settings: rest });
  }
  const networks = Object.entries(file.networks);
  for (const [key, { default: isDefault, ...rest }] of networks) {
    connections.push({
      name: key,
      connector: undefined,
      section: 'networks',
      isDefault: isDefault === true,
      settings: rest,
    });
  }
  const signers = new Map<string, DeclaredSigner>();
  for (const [key, signer] of Object.entries(file.signers)) {
    if (typeof signer.privateKey !== 'string') {
      throw new PatchbayError('config.invalid', {
        detail: `The signer ${key} in ${path} has no private key.`,
        fix: 'Write privateKey: { env: NAME } or { file: PATH }.',
      });
    }
    signers.set(key, { privateKey: new Secret(signer.privateKey) });
  }
  return { connections, signers };
}

interface Resolution {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly file: string;
  readonly pointer: string;
  readonly faults: Fault[];
}

async function resolveReferences(value: unknown, at: Resolution): Promise<unknown> {
  if (Array.isArray(value)) {
    return Promise.all(value.map((item, i) => resolveReferences(item, { ...at, pointer: `${at.pointer}/${i}` })));
  }
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined && typeof only[1] === 'string') {
    if (only[0] === 'env') return fromEnvironment(only[1], at);
    if (only[0] === 'file') return fromFile(only[1], at);
  }
  const resolved = await Promise.all(
    entries.map(async ([key, item]): Promise<[string, unknown]> => [
      key,
      await resolveReferences(item, { ...at, pointer: `${at.pointer}/${key}` }),
    ]),
  );
  return Object.fromEntries(resolved);
}

function fromEnvironment(variable: string, at: Resolution): string | undefined {
  const value = at.env[variable];
  if (value === undefined || value === '') {
    at.faults.push({ pointer: at.pointer, file: at.file, detail: `The environment variable ${variable} is not set.` });
  }
  return value;
}

async function fromFile(path: string, at: Resolution): Promise<string | undefined> {
  const text = await readIfThere(resolve(at.folder, path));
  if (text === undefined) {
    at.faults.push({ pointer: at.pointer, file: at.file, detail: `The file ${path} cannot be read.` });
  }
  return text?.trim();
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
