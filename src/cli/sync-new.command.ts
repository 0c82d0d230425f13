import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { shapeOf, type ContractDescription, type ContractPart, type ContractShape } from './contract-shape.js';
import { exitCodes, type ExitCode } from './exit-code.js';
import { CommandError, UsageError } from './failure.js';
import type { ConnectionAnswer, FieldAnswer, ObjectAnswer } from './hub-answers.js';
import { HubAnswerError, type HubClient } from './hub-client.js';
import { createPrompts, type Prompts } from './prompts.js';
import type { Session } from './session.js';
import { joinFields } from './sync-fields.js';
import { syncText, type SyncDraft } from './sync-text.js';
import { trialText, type TrialAnswer } from './trial-text.js';

export interface NewSyncOptions {
  readonly name?: string;
  readonly connection?: string;
  readonly object?: string;
  readonly key?: string;
  readonly network?: string;
  readonly contract?: string;
  readonly read?: string;
  readonly event?: readonly string[];
  readonly write?: string;
  readonly remove?: string;
  readonly from?: string;
  readonly field?: readonly string[];
  readonly mark?: string;
  readonly try?: string;
  readonly out?: string;
}

/** Guides an admin from an object and a contract to a sync: writes its file once it has no faults, and tries it on one record. */
export async function newSync(options: NewSyncOptions, session: Session): Promise<ExitCode> {
  const hub = await session.hub();
  const prompts = createPrompts(session);
  const connection = await askConnection(hub, options.connection, prompts);
  const object = await askObject(hub, connection, options.object, prompts);
  const key = await askKey(object, options.key, prompts);
  const chain = await askChain(hub, options, prompts);
  const taken = new Set([key, options.mark].flatMap((name) => name ?? []));
  const fields = await joinFields(
    { fields: object.fields.filter(({ name }) => !taken.has(name)), outputs: chain.outputs, writable: chain.writable },
    options.field,
    prompts,
    session,
  );
  const name = await prompts.text(
    {
      title: 'Name of the sync',
      flag: '--name <name>',
      fallback: `${object.name.replace(/__c$/, '').replace(/_/g, '-').toLowerCase()}-sync`,
      check: (answer) =>
        /^[a-z0-9]+(-[a-z0-9]+)*$/.test(answer) ? undefined : 'use lower-case letters, digits and hyphens',
    },
    options.name,
  );
  const text = syncText({ name, connection, object: object.name, key, fields, mark: options.mark, ...chain.draft });
  await checkDraft(hub, text, session);
  const file = options.out ?? join(session.io.env['PATCHBAY_FLOWS_DIR'] ?? 'flows', `${name}.sync.yaml`);
  const trial = await tryOne(hub, text, options.try);
  session.note(
    trial === undefined ? 'There is no record with a key yet, so none was tried.' : trialText(trial, object.name),
  );
  if (!(await prompts.confirm(`Write ${file}? The hub starts the sync as soon as it is there.`, true))) {
    throw new CommandError(exitCodes.failed, 'Nothing was written.');
  }
  await writeNew(file, text, session);
  session.show({ file, sync: name, trial: trial ?? null }, () => file);
  session.note(`Next: npx patchbay sync show ${name}`);
  return exitCodes.done;
}

async function askConnection(hub: HubClient, given: string | undefined, prompts: Prompts): Promise<string> {
  const { connections } = await hub.get<{ connections: readonly ConnectionAnswer[] }>('/api/connections');
  const choices = connections.filter(({ connector }) => connector === 'salesforce').map(({ name }) => name);
  const [only] = choices;
  if (only === undefined) {
    throw new UsageError('The hub has no connection to Salesforce.', 'Add one: npx patchbay connection add salesforce');
  }
  if (choices.length === 1 && given === undefined) return only;
  return prompts.choose({ title: 'Connection', flag: '--connection <name>', choices, fallback: only }, given);
}

async function askObject(
  hub: HubClient,
  connection: string,
  given: string | undefined,
  prompts: Prompts,
): Promise<ObjectAnswer> {
  const path = `/api/connections/${encodeURIComponent(connection)}/objects`;
  const { objects } = await hub.get<{ objects: readonly { name: string }[] }>(path);
  const names = objects.map(({ name }) => name);
  // What an admin has made comes first.
  const choices = [...names.filter((name) => name.endsWith('__c')), ...names.filter((name) => !name.endsWith('__c'))];
  const object = await prompts.choose({ title: 'Object', flag: '--object <name>', choices }, given);
  return hub.get<ObjectAnswer>(`${path}/${encodeURIComponent(object)}`);
}

function askKey({ name, fields }: ObjectAnswer, given: string | undefined, prompts: Prompts): Promise<string> {
  const choices = fields.filter((field) => isKey(field)).map((field) => field.name);
  if (choices.length === 0) {
    throw new UsageError(
      `${name} has no external id to find records by.`,
      'Add a text field to it in the Object Manager, marked External ID and Unique; 42 characters hold an address.',
    );
  }
  const fallback = choices[0] ?? '';
  return prompts.choose({ title: 'Key field', flag: '--key <field>', choices, fallback }, given);
}

function isKey({ isKey: canFind, isWritable, type }: FieldAnswer): boolean {
  return canFind && isWritable && type === 'string';
}

interface ChainChoice {
  readonly draft: Pick<
    SyncDraft,
    'network' | 'contract' | 'events' | 'eventKey' | 'read' | 'exists' | 'write' | 'remove' | 'from'
  >;
  readonly outputs: ContractPart['outputs'];
  /** Inputs of the function that writes; undefined: none was chosen. */
  readonly writable: ReadonlySet<string> | undefined;
}

async function askChain(hub: HubClient, options: NewSyncOptions, prompts: Prompts): Promise<ChainChoice> {
  const query = options.network === undefined ? '' : `?network=${encodeURIComponent(options.network)}`;
  const { items } = await hub.get<{ items: readonly { name?: string; address: string }[] }>(`/api/contracts${query}`);
  const choices = items.map(({ name, address }) => name ?? address);
  const contract = await prompts.choose({ title: 'Contract', flag: '--contract <name>', choices }, options.contract);
  const described = await hub.get<ContractDescription>(
    `/api/contracts/${encodeURIComponent(contract)}/openapi.json${query}`,
  );
  const shape = shapeOf(described);
  const read = await askRead(shape, options.read, prompts);
  const keyName = read.inputs[0]?.name ?? '';
  const events = await askEvents(shape, keyName, options.event, prompts);
  const write = await askOptional(
    'Function that writes an entry',
    '--write <function>',
    writersOf(shape, 2),
    options.write,
    prompts,
  );
  const remove = await askOptional(
    'Function that removes an entry',
    '--remove <function>',
    writersOf(shape, 1),
    options.remove,
    prompts,
  );
  const from =
    write === undefined && remove === undefined
      ? undefined
      : await prompts.text({ title: 'Signer of what is written', flag: '--from <signer>' }, options.from);
  const exists = read.outputs.find(({ name, type }) => type === 'bool' && /^(is)?(active|exists)$/i.test(name))?.name;
  const setter = shape.writes.find(({ name }) => name === write);
  return {
    draft: {
      network: options.network,
      contract,
      events,
      eventKey: keyName,
      read: read.name,
      exists,
      write,
      remove,
      from,
    },
    outputs: read.outputs.filter(({ name }) => name !== exists),
    writable: setter && new Set(setter.inputs.slice(1).map(({ name }) => name)),
  };
}

async function askRead(shape: ContractShape, given: string | undefined, prompts: Prompts): Promise<ContractPart> {
  const fitting = shape.reads.filter(({ inputs, outputs }) => inputs.length === 1 && outputs.length > 0);
  const [first] = fitting;
  if (first === undefined) throw new UsageError('The contract has no function that gives an entry by its key.');
  const choices = fitting.map(({ name }) => name);
  const name = await prompts.choose(
    { title: 'Function that reads an entry', flag: '--read <function>', choices, fallback: first.name },
    given,
  );
  return fitting.find((one) => one.name === name) ?? first;
}

async function askEvents(
  { events }: ContractShape,
  key: string,
  given: readonly string[] | undefined,
  prompts: Prompts,
): Promise<readonly string[]> {
  const fitting = events.filter(({ inputs }) => inputs.some(({ name }) => name === key)).map(({ name }) => name);
  if (fitting.length === 0) throw new UsageError(`No event of the contract has an argument ${key}.`);
  const check = (answer: string): string | undefined => {
    const unknown = answer.split(/[\s,]+/).find((name) => !fitting.includes(name));
    return unknown === undefined ? undefined : `there is no event ${unknown} with ${key}; known: ${fitting.join(', ')}`;
  };
  const question = {
    title: 'Events that tell of a change',
    flag: '--event <name>',
    fallback: fitting.join(', '),
    check,
  };
  const answer = await prompts.text(question, given?.join(', '));
  return answer.split(/[\s,]+/);
}

function writersOf({ writes }: ContractShape, inputs: number): string[] {
  return writes
    .filter((one) => (inputs === 1 ? one.inputs.length === 1 : one.inputs.length >= inputs))
    .map(({ name }) => name);
}

const none = 'none';

async function askOptional(
  title: string,
  flag: string,
  names: readonly string[],
  given: string | undefined,
  prompts: Prompts,
): Promise<string | undefined> {
  if (names.length === 0 && given === undefined) return undefined;
  const choices = [none, ...names];
  const chosen = await prompts.choose({ title, flag, choices, fallback: none }, given);
  return chosen === none ? undefined : chosen;
}

async function checkDraft(hub: HubClient, document: string, session: Session): Promise<void> {
  const { faults, warnings = [] } = await hub.post<{
    readonly faults: readonly { readonly pointer: string; readonly detail: string; readonly fix?: string }[];
    readonly warnings?: readonly { readonly detail: string }[];
  }>('/api/flows/lint', { document });
  for (const { detail } of warnings) session.note(`${session.paint('yellow', '!')} ${detail}`);
  if (faults.length === 0) return;
  const told = faults.map(({ pointer, detail, fix }) => `${pointer}  ${detail} ${fix ?? ''}`.trimEnd());
  throw new CommandError(exitCodes.faults, `The sync has faults, and was not written.\n  ${told.join('\n  ')}`);
}

/** Undefined: there is nothing to try it on. */
async function tryOne(hub: HubClient, document: string, key: string | undefined): Promise<TrialAnswer | undefined> {
  try {
    return await hub.post<TrialAnswer>('/api/syncs/try', { document, ...(key !== undefined && { key }) });
  } catch (error) {
    if (key === undefined && error instanceof HubAnswerError && error.problem.code === 'salesforce.data')
      return undefined;
    throw error;
  }
}

async function writeNew(file: string, text: string, { io }: Session): Promise<void> {
  await writeFile(resolve(io.cwd, file), text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw new CommandError(exitCodes.conflict, `${file} exists already.`);
    throw error;
  });
}
