import { suggest } from '#sdk';
import { readEvent } from './event-file.js';
import { exitCodes, type ExitCode } from './exit-code.js';
import { UsageError } from './failure.js';
import { HubAnswerError, type HubClient } from './hub-client.js';
import type { ConnectionAnswer } from './hub-answers.js';
import type { Session } from './session.js';

export interface NewConnectionOptions {
  readonly name?: string;
  readonly set?: readonly string[];
  readonly setEnv?: readonly string[];
  readonly file?: string;
}

interface SettingSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SettingSchema[];
  readonly title?: string;
  readonly description?: string;
  readonly secret?: boolean;
  readonly default?: unknown;
}

interface SettingsSchema {
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly required?: readonly string[];
}

interface CatalogAnswer {
  readonly connectors: readonly {
    readonly name: string;
    readonly connection?: { readonly settings: SettingsSchema };
  }[];
}

export async function listConnections(session: Session): Promise<void> {
  const hub = await session.hub();
  const answer = await hub.get<{ connections: readonly ConnectionAnswer[] }>('/api/connections');
  session.show(answer, () => {
    if (answer.connections.length === 0) return 'No connections. Add one: npx patchbay connection add <connector>';
    return session.table(
      [
        { title: 'connection', text: (one: ConnectionAnswer) => one.name },
        { title: 'connector', text: (one) => one.connector },
        {
          title: 'state',
          text: ({ needsAuthorisation }) =>
            needsAuthorisation === undefined ? '' : session.paint('red', 'needs authorisation'),
        },
        { title: 'default', text: (one) => (one.isDefault ? 'yes' : ''), drop: 2 },
        { title: 'from', text: (one) => (one.origin === 'file' ? 'patchbay.yaml' : 'hub'), drop: 3 },
        { title: 'settings', text: settingsText, canShrink: true, drop: 1 },
      ],
      answer.connections,
    );
  });
}

/** Settings come from flags, a file or, for what is still missing, from questions on the terminal; secrets never from flags alone. */
export async function addConnection(connector: string, options: NewConnectionOptions, session: Session): Promise<void> {
  const hub = await session.hub();
  const { known, settings } = await givenSettings(hub, connector, options, session);
  for (const name of known.required ?? []) {
    if (settings[name] !== undefined) continue;
    const schema = known.properties?.[name] ?? {};
    settings[name] = typed(await askFor(name, schema, session), schema);
  }
  const view = await hub.post<ConnectionAnswer>('/api/connections', {
    name: options.name ?? connector,
    connector,
    settings,
  });
  session.show(view, () => `The connection ${view.name} is kept. Try it: npx patchbay connection test ${view.name}`);
  await noteDefault(hub, view, session);
}

/** Whose turn it is where a flow names no connection, unless it is that of the new one. */
export async function noteDefault(
  hub: HubClient,
  { name, connector, isDefault }: ConnectionAnswer,
  session: Session,
): Promise<void> {
  if (isDefault) return;
  const { connections } = await hub.get<{ connections: readonly ConnectionAnswer[] }>('/api/connections');
  const others = connections.filter((one) => one.connector === connector && one.name !== name);
  const usual = others.find((one) => one.isDefault);
  if (usual !== undefined) {
    session.note(`Flows that name no connection use ${usual.name}; for this one they say connection: ${name}.`);
    return;
  }
  if (others.length === 0) return;
  const all = [...others.map((one) => one.name), name].sort().join(', ');
  session.note(
    `${session.paint('yellow', '!')} ${connector} has several connections (${all}) and none is the default: each flow must name one, ` +
      `such as connection: ${name}. A default is one in patchbay.yaml with default: true, or the only one there.`,
  );
}

/** @returns 1 when the other side does not accept the settings */
export async function testConnection(name: string, session: Session): Promise<ExitCode> {
  const hub = await session.hub();
  let status: Readonly<Record<string, unknown>> | undefined;
  try {
    ({ status } = await hub.post<{ status?: typeof status }>(`/api/connections/${encodeURIComponent(name)}/test`));
  } catch (error) {
    // Whatever the other side said, it is the test that failed, not the command.
    if (error instanceof HubAnswerError && isAboutTarget(error))
      throw new HubAnswerError(exitCodes.failed, error.problem);
    throw error;
  }
  session.show({ works: true, ...(status && { status }) }, () =>
    [
      `${session.paint('green', '✓')} ${name} works.`,
      ...Object.entries(status ?? {}).map(([key, value]) => `  ${key}: ${statusText(value)}`),
    ].join('\n'),
  );
  return exitCodes.done;
}

export async function removeConnection(name: string, session: Session): Promise<void> {
  await session.confirm(`The connection ${name} and its secrets will be removed; flows that use it will fail.`);
  const hub = await session.hub();
  await hub.delete(`/api/connections/${encodeURIComponent(name)}`);
  session.show({ removed: name }, () => `The connection ${name} is removed.`);
}

function isAboutTarget({ problem }: HubAnswerError): boolean {
  const code = problem.code ?? '';
  return !code.startsWith('auth.') && !['connection.notFound', 'request.notFound'].includes(code);
}

/** What flags and file give of the settings of a connector, and what it takes. @throws UsageError for a setting it does not know */
export async function givenSettings(
  hub: HubClient,
  connector: string,
  options: NewConnectionOptions,
  session: Session,
): Promise<{ readonly known: SettingsSchema; readonly settings: Record<string, unknown> }> {
  const { connectors } = await hub.get<CatalogAnswer>('/api/catalog');
  const known = connectors.find((one) => one.name === connector)?.connection?.settings;
  if (known === undefined) {
    const names = connectors.filter((one) => one.connection !== undefined).map((one) => one.name);
    throw new UsageError(`There is no connector ${connector} that takes connections.`, `Known: ${names.join(', ')}.`);
  }
  const settings = await settingsFrom(options, known, session);
  const names = Object.keys(known.properties ?? {});
  const unknown = Object.keys(settings).find((name) => !names.includes(name));
  // Before anything is asked for: what seems to be missing may be what was mistyped.
  if (unknown !== undefined) throw new UsageError(`${connector} has no setting ${unknown}.`, suggest(unknown, names));
  return { known, settings };
}

async function settingsFrom(
  { set = [], setEnv = [], file }: NewConnectionOptions,
  { properties = {} }: SettingsSchema,
  { io }: Session,
): Promise<Record<string, unknown>> {
  const settings: Record<string, unknown> = {};
  if (file !== undefined) Object.assign(settings, await readEvent(file, io));
  for (const pair of set) {
    const [name, value] = split(pair, '--set');
    settings[name] = typed(value, properties[name]);
  }
  for (const pair of setEnv) {
    const [name, variable] = split(pair, '--set-env');
    const value = io.env[variable];
    if (value === undefined) throw new UsageError(`The environment variable ${variable} is not set.`);
    settings[name] = typed(value, properties[name]);
  }
  return settings;
}

/** What somebody typed, as the setting takes it: where it takes no text of any kind, numbers, lists and objects are JSON. */
function typed(text: string, schema: SettingSchema = {}): unknown {
  if (takesText(schema)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // A word such as `finalized`, or a mistake, which the hub names.
    return text;
  }
}

function takesText({ type, enum: words, anyOf = [] }: SettingSchema): boolean {
  return (type === 'string' && words === undefined) || anyOf.some(takesText);
}

function split(pair: string, flag: string): [string, string] {
  const at = pair.indexOf('=');
  if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
  throw new UsageError(`${flag} needs name=value; ${pair} is none.`);
}

async function askFor(
  name: string,
  { title, description, secret = false }: SettingSchema,
  { io }: Session,
): Promise<string> {
  const flag = secret ? `--set-env ${name}=VARIABLE` : `--set ${name}=…`;
  if (!io.isInteractive) throw new UsageError(`The setting ${name} is missing.`, `Give it with ${flag}.`);
  return io.ask(`${title ?? name}${description === undefined ? '' : ` (${description})`}: `, { isSecret: secret });
}

function statusText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, inner]) => `${key} ${String(inner)}`)
    .join(', ');
}

function settingsText({ settings }: ConnectionAnswer): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}
