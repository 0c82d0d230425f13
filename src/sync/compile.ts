import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { SyncDocument } from './sync.schema.js';

/** What one sync is made of. */
export interface CompiledSync {
  readonly name: string;
  readonly description: string | undefined;
  readonly kind: 'state' | 'events';
  readonly isEnabled: boolean;
  readonly connection: string | undefined;
  /** Changes with what makes rows of the ledger comparable. */
  readonly identity: string;
  /** Changes with whatever makes a backfill necessary. */
  readonly selection: string;
  /** The action that its flows use, and what they give it. */
  readonly uses: string;
  readonly mapping: Readonly<Record<string, unknown>>;
  /** Ordinary flows, as YAML. */
  readonly flows: readonly CompiledFile[];
  /** The flow that looks at everything; undefined: the kind has none. */
  readonly checkedBy: string | undefined;
}

export interface CompiledFile {
  readonly name: string;
  /** Which side its trigger listens to. */
  readonly hears: 'chain' | 'salesforce' | 'clock';
  readonly document: string;
}

const nightly = '0 3 * * *';

/** A sync as the flows that keep it: what is heard on either side starts the one step that makes both agree. */
export function compileSync(document: SyncDocument): CompiledSync {
  return document.chain.event === undefined ? compileState(document) : compileEvents(document, document.chain.event);
}

function compileState(document: SyncDocument): CompiledSync {
  const { sync, salesforce, chain, fields, conflict, deletes, check } = document;
  const mapping = defined({
    salesforce: { object: salesforce.object, key: salesforce.key },
    chain: defined({ ...chain }),
    fields: fields.map((field) => defined({ ...field })),
    conflict,
    deletes: deletes && defined({ ...deletes, onChain: deletes.onChain ?? (deletes.mark && 'mark') }),
  });
  const identity = digest([salesforce.object, salesforce.key, chain.network, chain.contract, chain.key, chain.read]);
  const selection = digest([
    identity,
    chain.fromBlock,
    fields.map((field) => [field.salesforce, field.chain, field.direction, field.decimals, field.exact]),
  ]);
  const uses = 'salesforce.syncRecord';
  const given = { sync, identity, mapping };
  const step = (more: Record<string, unknown>) => [
    defined({ id: 'sync', uses, connection: salesforce.connection, with: { ...given, ...more } }),
  ];
  const onChain = namesOf(chain.events ?? []).map(({ event, name }) => {
    const key = `{{event.args.${chain.key ?? ''}}}`;
    return fileOf(document, 'chain', {
      name: `${sync}-${name}`,
      description: `Sync ${sync}: ${event} on the chain.`,
      trigger: triggerOfEvent(document, event),
      steps: step({ key }),
      onReverted: step({ key, reverted: true }).map((one) => ({ ...one, id: 'revert' })),
      orderingKey: key,
    });
  });
  const checkedBy = `${sync}-check`;
  const flows = [
    ...onChain,
    fileOf(document, 'salesforce', {
      name: `${sync}-salesforce`,
      description: `Sync ${sync}: ${salesforce.object} in Salesforce.`,
      ...heardInSalesforce(document, step),
    }),
    fileOf(document, 'clock', {
      name: checkedBy,
      description: `Sync ${sync}: both sides as a whole.`,
      trigger: {
        uses: 'schedule.cron',
        with: defined({ cron: check?.cron ?? nightly, timezone: check?.timezone }),
      },
      steps: [
        defined({
          id: 'sync',
          uses: 'salesforce.syncAll',
          connection: salesforce.connection,
          with: { ...given, selection, repair: check?.repair ?? true },
        }),
      ],
      orderingKey: sync,
    }),
  ];
  return { ...common(document), kind: 'state', identity, selection, uses, mapping, flows, checkedBy };
}

function compileEvents(document: SyncDocument, event: string): CompiledSync {
  const { sync, salesforce, chain, fields, reverted } = document;
  const mapping = defined({
    salesforce: { object: salesforce.object, key: salesforce.key },
    chain: defined({ network: chain.network, contract: chain.contract, abi: chain.abi, event }),
    fields: fields.map(({ direction: _, ...field }) => defined(field)),
    reverted,
  });
  const uses = 'salesforce.syncEvent';
  const step = (id: string, more: Record<string, unknown>) => [
    defined({ id, uses, connection: salesforce.connection, with: { mapping, event: '{{event}}', ...more } }),
  ];
  const { fromBlock } = chain;
  const trigger = triggerOfEvent(document, event);
  const file = fileOf(document, 'chain', {
    name: `${sync}-${namesOf([event])[0]?.name ?? 'event'}`,
    description: `Sync ${sync}: each ${event} becomes a ${salesforce.object}.`,
    trigger: { ...trigger, with: defined({ ...trigger.with, fromBlock }) },
    steps: step('sync', {}),
    ...(reverted !== undefined && { onReverted: step('revert', { isReverted: true }) }),
  });
  const identity = digest([salesforce.object, salesforce.key, chain.network, chain.contract, event]);
  return {
    ...common(document),
    kind: 'events',
    identity,
    selection: identity,
    uses,
    mapping,
    flows: [file],
    checkedBy: undefined,
  };
}

function common({ sync, description, enabled, salesforce }: SyncDocument) {
  return { name: sync, description, isEnabled: enabled ?? true, connection: salesforce.connection };
}

function triggerOfEvent({ chain }: SyncDocument, event: string) {
  return defined({
    uses: 'evm.contractEvent',
    connection: chain.network,
    with: defined({ contract: chain.contract, event, abi: chain.abi, confirmations: chain.confirmations }),
  });
}

function heardInSalesforce(
  { salesforce, fields, deletes }: SyncDocument,
  step: (more: Record<string, unknown>) => readonly object[],
): Record<string, unknown> {
  const { object, connection, key, hear = 'changeDataCapture' } = salesforce;
  const joined = fields.flatMap((field) => [field.salesforce, field.exact ?? []].flat());
  const names = [...new Set([key, ...joined, deletes?.mark ?? []].flat())];
  const seen = { recordId: '{{event.recordId}}', change: '{{event.type}}', seen: '{{event.fields}}' };
  const trigger = { uses: `salesforce.${hear}`, connection };
  if (hear === 'pushTopic') {
    const query = `SELECT Id, ${names.join(', ')} FROM ${object}`;
    const recordId = '{{event.sobject.Id}}';
    return {
      trigger: defined({ ...trigger, with: { query } }),
      steps: step({ recordId, change: '{{event.type}}', seen: '{{event.sobject}}' }),
      orderingKey: recordId,
    };
  }
  return {
    trigger: defined({ ...trigger, with: { object, fields: names } }),
    steps: step(seen),
    orderingKey: seen.recordId,
  };
}

/** `MemberSet(address)` gives `member-set`; of two that would be called the same the second gets a number. */
function namesOf(events: readonly string[]): { readonly event: string; readonly name: string }[] {
  const used = new Set(['salesforce', 'check']);
  return events.map((event) => {
    const [bare = ''] = event.split('(');
    const words = bare.replace(/([a-z0-9])([A-Z])/g, '$1-$2').replace(/[^A-Za-z0-9]+/g, '-');
    const base = words.toLowerCase().replace(/^-+|-+$/g, '') || 'event';
    let name = base;
    for (let count = 2; used.has(name); count += 1) name = `${base}-${count}`;
    used.add(name);
    return { event, name };
  });
}

function fileOf(
  { enabled }: SyncDocument,
  hears: CompiledFile['hears'],
  flow: Readonly<Record<string, unknown>> & { readonly name: string },
): CompiledFile {
  const whole = enabled === false ? { ...flow, enabled } : flow;
  const document = stringify(whole, {
    lineWidth: 0,
    aliasDuplicateObjects: false,
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
  });
  return { name: flow.name, hears, document };
}

/** Without what was not written. */
function defined<T extends object>(value: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  // What is left has a value.
  return Object.fromEntries(entries) as { [Name in keyof T]: Exclude<T[Name], undefined> };
}

function digest(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}
