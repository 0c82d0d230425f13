import { parseDocument } from 'yaml';
import { PatchbayError, z, type Fault } from '#sdk';
import { declareSigners, type DeclaredSigners } from './declared-signers.js';
import { readIfThere, resolveReferences, surroundings, type Surroundings } from './references.js';

/** What `patchbay.yaml` declares: who the hub talks to, what it signs with, and who may send what. */
export interface ConfigurationFile extends DeclaredSigners {
  readonly connections: readonly DeclaredConnection[];
  /** As written; the transaction layer reads them. */
  readonly limits: readonly unknown[];
}

export interface DeclaredConnection {
  readonly name: string;
  /** Name of a connector, or of the section it was listed in. */
  readonly connector: string | undefined;
  readonly section: string | undefined;
  readonly isDefault: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
}

const name = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower case letters, digits and hyphens');
const settings = z.record(z.string(), z.unknown());
const fileSchema = z.strictObject({
  connections: z.record(name, z.looseObject({ connector: z.string(), default: z.boolean().optional() })).default({}),
  networks: z.record(name, settings).default({}),
  signers: z.record(name, z.unknown()).default({}),
  wallets: z.record(name, z.unknown()).default({}),
  keystores: z.unknown().optional(),
  limits: z.array(z.unknown()).default([]),
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
  if (text === undefined) {
    return { connections: [], signers: new Map(), wallets: new Map(), keystores: undefined, limits: [] };
  }
  const document = parseDocument(text, { schema: 'core', merge: false });
  const faults: Fault[] = document.errors.map((error) => ({
    pointer: '',
    file: path,
    detail: error.message.split('\n')[0] ?? error.message,
    ...(error.linePos && { line: error.linePos[0].line, column: error.linePos[0].col }),
  }));
  const raw: unknown = faults.length > 0 ? {} : (document.toJS({ maxAliasCount: 0 }) ?? {});
  const at = surroundings(path, env, faults);
  const parsed = fileSchema.safeParse(raw);
  if (!parsed.success) {
    faults.push(
      ...parsed.error.issues.map((issue) => ({
        pointer: `/${issue.path.join('/')}`,
        file: path,
        detail: issue.message,
      })),
    );
  }
  const file = parsed.success ? await declared(parsed.data, at) : undefined;
  if (faults.length > 0 || file === undefined) {
    const first = faults[0];
    throw new PatchbayError('config.invalid', {
      detail: `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in ${path}: ${first?.pointer ?? ''} ${first?.detail ?? ''}`,
      fix: 'See docs/operations.md for the form of this file.',
      faults,
    });
  }
  return file;
}

async function declared(file: z.output<typeof fileSchema>, at: Surroundings): Promise<ConfigurationFile> {
  const connections: DeclaredConnection[] = [];
  for (const [key, { connector, default: isDefault, ...rest }] of Object.entries(file.connections)) {
    connections.push({
      name: key,
      connector,
      section: undefined,
      isDefault: isDefault ?? false,
      settings: await settingsOf(rest, at, `/connections/${key}`),
    });
  }
  for (const [key, { default: isDefault, ...rest }] of Object.entries(file.networks)) {
    connections.push({
      name: key,
      connector: undefined,
      section: 'networks',
      isDefault: isDefault === true,
      settings: await settingsOf(rest, at, `/networks/${key}`),
    });
  }
  // What opens a key is read by those who sign, when they do.
  return { connections, ...(await declareSigners(file, at)), limits: file.limits };
}

async function settingsOf(
  written: Readonly<Record<string, unknown>>,
  at: Surroundings,
  pointer: string,
): Promise<Record<string, unknown>> {
  const resolved = await Promise.all(
    Object.entries(written).map(async ([key, value]): Promise<[string, unknown]> => [
      key,
      await resolveReferences(value, { ...at, pointer: `${pointer}/${key}` }),
    ]),
  );
  return Object.fromEntries(resolved);
}
