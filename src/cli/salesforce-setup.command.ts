import { authorizeConnection } from './connection-authorization.command.js';
import { givenSettings, noteDefault, testConnection, type NewConnectionOptions } from './connection.command.js';
import { exitCodes, type ExitCode } from './exit-code.js';
import type { ConnectionAnswer, ObjectAnswer } from './hub-answers.js';
import { createPrompts, type Prompts } from './prompts.js';
import type { Session } from './session.js';

export interface SalesforceSetupOptions extends NewConnectionOptions {
  /** The object of the dry run. */
  readonly object?: string;
}

const logins = {
  clientCredentials: 'a consumer secret; the hub acts as the run-as user of the app',
  jwt: 'a private key, whose certificate the app knows; best for servers',
  web: 'you allow it in your browser',
  password: 'name and password; Salesforce is about to end it',
};
type Login = keyof typeof logins;

/** Guides an admin through a connection to an org: which login, where, with what; then tries it, and shows one record. */
export async function addSalesforce(options: SalesforceSetupOptions, session: Session): Promise<ExitCode> {
  const hub = await session.hub();
  const prompts = createPrompts(session);
  const name = options.name ?? 'salesforce';
  const given = await givenSettings(hub, 'salesforce', options, session);
  const settings = await askSettings(given.settings, prompts, session);
  const view = await hub.post<ConnectionAnswer>('/api/connections', { name, connector: 'salesforce', settings });
  session.note(`The connection ${view.name} is kept; its secrets are encrypted.`);
  await noteDefault(hub, view, session);
  if (settings['auth'] === 'web' && settings['refreshToken'] === undefined) {
    if (!session.io.isInteractive) {
      session.show(view, () => `Let it in with a browser: npx patchbay connection authorize ${name}`);
      return exitCodes.done;
    }
    await authorizeConnection(name, { port: '8976' }, { ...session, show: (_, text) => session.note(text()) });
  }
  await testConnection(name, { ...session, show: (_, text) => session.note(text()) });
  const object = await prompts.text(
    {
      title: 'Object to look at',
      flag: '--object <name>',
      help: 'One record is read, to see what the user of the hub may see. Nothing is written.',
      fallback: 'Contact',
    },
    options.object,
  );
  const path = `/api/connections/${encodeURIComponent(name)}/objects/${encodeURIComponent(object)}`;
  const detail = await hub.get<ObjectAnswer>(path);
  session.show({ connection: view, object: detail, wouldWrite: wouldWrite(detail) }, () => dryRunText(detail, name));
  return exitCodes.done;
}

async function askSettings(
  given: Readonly<Record<string, unknown>>,
  prompts: Prompts,
  { io }: Session,
): Promise<Record<string, unknown>> {
  const settings = { ...given };
  const text = (name: string): string | undefined => (typeof given[name] === 'string' ? given[name] : undefined);
  const choices = Object.keys(logins);
  if (given['auth'] === undefined && io.isInteractive)
    for (const [login, what] of Object.entries(logins)) io.err(`  ${login.padEnd(18)} ${what}`);
  const auth = (await prompts.choose(
    { title: 'Login', flag: '--set auth=<login>', choices, fallback: 'clientCredentials' },
    text('auth'),
  )) as Login;
  settings['auth'] = auth;
  settings['loginUrl'] = await prompts.text(
    {
      title: 'My Domain address',
      flag: '--set loginUrl=https://…',
      help: 'Setup, My Domain: https://acme.my.salesforce.com; of a sandbox https://acme--uat.sandbox.my.salesforce.com',
      check: (answer) => addressFault(answer, auth),
    },
    text('loginUrl'),
  );
  settings['clientId'] = await prompts.text(
    {
      title: 'Consumer key',
      flag: '--set clientId=…',
      help: 'Setup, External Client App Manager, the app, Settings, OAuth: Consumer Key and Secret.',
    },
    text('clientId'),
  );
  const secret = async (name: string, title: string, help: string) => {
    settings[name] = await prompts.secret(
      { title, flag: `--set-env ${name}=VARIABLE`, help: `${help} Not shown while typed; env:NAME or file:PATH too.` },
      text(name),
    );
  };
  if (auth === 'clientCredentials' || auth === 'password')
    await secret('clientSecret', 'Consumer secret', 'Of the app.');
  if (auth === 'jwt') await secret('privateKey', 'Private key', 'In PEM form, most easily file:server.key.');
  if (auth === 'jwt' || auth === 'password') {
    settings['username'] = await prompts.text({ title: 'User name', flag: '--set username=…' }, text('username'));
  }
  if (auth === 'password') {
    await secret('password', 'Password', 'Of that user.');
    settings['allowPassword'] = true;
  }
  return settings;
}

function addressFault(answer: string, auth: Login): string | undefined {
  const url = URL.parse(answer);
  if (url === null || !/^https?:$/.test(url.protocol)) return `${answer} is no web address`;
  if (url.hostname.endsWith('.lightning.force.com'))
    return 'that is the address of pages; the one for logins ends in .my.salesforce.com';
  if (auth === 'clientCredentials' && /^(login|test)\.salesforce\.com$/.test(url.hostname))
    return "this login needs the org's own My Domain address";
  return undefined;
}

interface WouldWrite {
  readonly operation: 'upsertRecord' | 'updateRecord';
  readonly object: string;
  readonly matchOn?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a flow that writes the record back as it is would send. */
function wouldWrite({ name, fields, sample }: ObjectAnswer): WouldWrite | null {
  if (sample === null) return null;
  const key = fields.find((field) => field.isKey && field.isWritable && sample[field.name] != null);
  const written = fields.filter((field) => field.isWritable && sample[field.name] != null).slice(0, 5);
  const values = Object.fromEntries(
    [...(key ? [key] : []), ...written].map((field) => [field.name, sample[field.name]]),
  );
  if (key === undefined) return { operation: 'updateRecord', object: name, fields: values };
  return { operation: 'upsertRecord', object: name, matchOn: key.name, fields: values };
}

function dryRunText(detail: ObjectAnswer, connection: string): string {
  const { name, fields, sample } = detail;
  const keys = fields.filter(({ isKey }) => isKey).map((field) => field.name);
  const required = fields.filter(({ isRequired }) => isRequired).map((field) => field.name);
  const write = wouldWrite(detail);
  return [
    `${name}: ${fields.length} fields, ${fields.filter(({ isWritable }) => isWritable).length} of them writable`,
    `  external ids  ${keys.length === 0 ? 'none: add one before records are upserted' : keys.join(', ')}`,
    `  required      ${required.length === 0 ? 'none' : required.join(', ')}`,
    ...(sample === null || write === null
      ? ['  It has no record yet.']
      : [
          `  newest record ${String(sample['Id'])}`,
          `  a flow would write it back with ${write.operation}:`,
          ...Object.entries(write.fields).map(([field, value]) => `    ${field}: ${JSON.stringify(value)}`),
          '  Nothing was written.',
        ]),
    '',
    `Next: npx patchbay sync new --connection ${connection}`,
  ].join('\n');
}
