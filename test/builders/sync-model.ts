import type { AbiFragment, Contract, Network, SendRequest, TransactionRecord } from '#evm';
import { PatchbayError, type SyncLedger, type SyncRow } from '#sdk';
import { SyncChain } from '../../connectors/salesforce/sync-chain.js';
import { keyOfEcho } from '../../connectors/salesforce/sync-echo.js';
import { jointsOf, syncMapping } from '../../connectors/salesforce/sync-mapping.js';
import type { SyncRecord, SyncRecords } from '../../connectors/salesforce/sync-records.js';
import { RecordSync, type SyncResult } from '../../connectors/salesforce/sync-run.js';
import { translationOf } from '../../connectors/salesforce/sync-values.js';
import { planOf } from '../../connectors/salesforce/sync-open.js';
import { overlaid } from './overlaid.js';

/** Value of the entry to field of the record. */
export const modelColumns = { name: 'Name', tier: 'Tier__c', note: 'Note__c' } as const;
export type ModelColumn = keyof typeof modelColumns;

/** What somebody else does. */
export type ModelChange =
  | { readonly side: 'chain' | 'salesforce'; readonly column: ModelColumn; readonly value: string }
  | { readonly side: 'removeEntry' | 'removeRecord' };

/** What happens at one place where a sync waits for an answer. */
export type ModelTurn =
  ModelChange | { readonly side: 'nothing' | 'diesBefore' | 'diesAfter' | 'sleeps' | 'wakes' | 'isNotMined' };

export interface ModelSettings {
  readonly directions: Readonly<Record<ModelColumn, 'both' | 'toChain' | 'toSalesforce'>>;
  readonly conflict: 'chain' | 'salesforce' | 'newest';
  /** Whether each value has a function that sets it alone. */
  readonly isSetAlone: boolean;
  readonly onChain: 'mark' | 'delete' | 'ignore';
  readonly inSalesforce: 'remove' | 'ignore';
}

type Entry = Readonly<Record<ModelColumn, string>>;
type Row = Readonly<Record<string, unknown>> & { readonly Id: string };
type Heard = { readonly seen?: Readonly<Record<string, unknown>>; readonly recordId?: string };

const key = `0x${'a'.repeat(40)}`;
const columns = Object.keys(modelColumns) as ModelColumn[];
const text = (name: string) => ({ name, type: 'string' });
const address = { name: 'member', type: 'address' };
const abi: readonly AbiFragment[] = [
  {
    type: 'function',
    name: 'memberOf',
    inputs: [address],
    outputs: [...columns.map(text), { name: 'active', type: 'bool' }],
  },
  { type: 'function', name: 'setMember', inputs: [address, ...columns.map(text)], outputs: [] },
  { type: 'function', name: 'removeMember', inputs: [address], outputs: [] },
  ...columns.map((name) => ({ type: 'function', name: `set_${name}`, inputs: [address, text(name)], outputs: [] })),
] as AbiFragment[];

/**
 * One record and one entry in memory, with the sync between them as it is. At each place where the sync waits, something
 * may happen: somebody changes a side, or the process dies. What is heard of changes is handled afterwards, as by runs.
 */
export class SyncModel {
  entry: Entry | undefined;
  record: Row | undefined;
  row: SyncRow = { key, recordId: undefined, revision: 0, agreed: undefined, intent: undefined };
  /** Writes of the hub to both sides. */
  writes = 0;
  readonly #heard: Heard[] = [];
  readonly #transactions = new Map<string, TransactionRecord & { readonly request: SendRequest; block?: number }>();
  readonly #mapping;
  readonly #turns: ModelTurn[];
  #clock = 1_700_000_000;
  #changedAt = 0;
  #owners = 0;
  #records = 0;
  readonly #sleepers: (() => void)[] = [];
  readonly #awake = new Set<Promise<void>>();

  constructor(settings: ModelSettings, turns: readonly ModelTurn[]) {
    const { directions, conflict, isSetAlone, onChain, inSalesforce } = settings;
    this.#turns = [...turns];
    this.#mapping = syncMapping.parse({
      salesforce: { object: 'Member__c', key: 'Wallet__c' },
      chain: {
        ...{ contract: 'registry', events: ['MemberSet'], key: 'member', read: 'memberOf', exists: 'active' },
        ...{ write: 'setMember', remove: 'removeMember', from: 'clerk' },
      },
      fields: columns.map((chain) => ({
        ...{ salesforce: modelColumns[chain], chain, direction: directions[chain] },
        ...(isSetAlone && directions[chain] !== 'toSalesforce' && { write: `set_${chain}` }),
      })),
      conflict,
      deletes: { onChain, inSalesforce, ...(onChain === 'mark' && { mark: 'Removed__c' }) },
    });
  }

  /** Somebody else changes a side; a run will hear of it. */
  change(change: ModelChange): void {
    switch (change.side) {
      case 'chain':
        return this.#setEntry({ ...blank, ...this.entry, [change.column]: change.value });
      case 'removeEntry':
        return this.#setEntry(undefined);
      case 'salesforce':
        return this.#save({ [modelColumns[change.column]]: change.value === '' ? null : change.value });
      case 'removeRecord':
        this.record = undefined;
        this.#heard.push({});
    }
  }

  /** Handles all that was heard, and what happens meanwhile. */
  async settle(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      if (attempt > 1_000) throw new Error('It does not come to an end');
      const heard = this.#heard.shift();
      if (heard !== undefined) await this.#run(heard);
      else if (this.#turns.length > 0) this.#next();
      else if (this.#sleepers.length > 0) this.#sleepers.shift()?.();
      else if (this.#awake.size > 0) await Promise.all(this.#awake);
      else break;
    }
  }

  /** As an event of an entry makes it. */
  sync(): Promise<SyncResult> {
    return this.#open().sync(key, { owner: this.#owner(), waits: true }, new AbortController().signal);
  }

  /** A run that died or waits comes back behind those that have come meanwhile; one that sleeps is taken over. */
  async #run(heard: Heard): Promise<void> {
    let fellAsleep = (): void => undefined;
    const asleep = new Promise<void>((resolve) => (fellAsleep = resolve));
    const again = () => this.#heard.push(heard);
    const work = this.#handle(heard, fellAsleep)
      .catch((thrown: unknown) => {
        if (PatchbayError.from(thrown).retry !== 'after') throw thrown;
        again();
      })
      .finally(() => this.#awake.delete(work));
    this.#awake.add(work);
    await Promise.race([work, asleep.then(again)]);
  }

  async #handle({ recordId, seen }: Heard, fellAsleep: () => void): Promise<void> {
    const sync = this.#open(fellAsleep);
    if (seen !== undefined && (await keyOfEcho(sync, recordId, seen)) !== undefined) return;
    await sync.sync(key, { owner: this.#owner(), waits: true }, new AbortController().signal);
  }

  #open(fellAsleep: () => void = () => undefined): RecordSync {
    const joints = jointsOf(this.#mapping);
    const translations = new Map(
      joints.map(({ salesforce, decimals }) => {
        const field = { name: salesforce, type: 'string', scale: 0 };
        return [salesforce, translationOf({ field, type: 'string', decimals })] as const;
      }),
    );
    let isDead = false;
    const died = () => new PatchbayError('hub.busy', { detail: 'The process died', retryAfterMs: 1 });
    const waits = async <T>(work: (isMined: boolean) => T): Promise<T> => {
      if (isDead) throw died();
      const turn = this.#next();
      if (turn === 'sleeps') {
        fellAsleep();
        await new Promise<void>((resolve) => this.#sleepers.push(resolve));
      }
      if ((isDead = turn === 'diesBefore')) throw died();
      const answer = work(turn !== 'isNotMined');
      if ((isDead = turn === 'diesAfter')) throw died();
      return Promise.resolve(answer);
    };
    return new RecordSync({
      scope: { sync: 'members', identity: 'one' },
      mapping: this.#mapping,
      joints,
      plan: planOf(this.#mapping, translations),
      translations,
      records: this.#recordsOf(waits),
      chain: this.#chainOf(waits),
      ledger: this.#ledgerOf(waits),
      origin: 'flow:members',
    });
  }

  #owner(): string {
    return `run ${(this.#owners += 1)}`;
  }

  #ledgerOf(waits: Waits): SyncLedger {
    const copy = <T>(value: T): T => structuredClone(value);
    const ledger: Partial<SyncLedger> = {
      take: () => waits(() => copy(this.row)),
      intend: (_, { revision }, intent) =>
        waits(() => {
          if (revision !== this.row.revision) throw new PatchbayError('hub.busy', { retryAfterMs: 1 });
          this.row = { ...this.row, intent: copy(intent), revision: revision + 1 };
          return copy(this.row);
        }),
      settle: (_, __, { agreed, recordId, revision }) =>
        waits(() => {
          if (revision !== this.row.revision) return;
          this.row = {
            ...this.row,
            intent: undefined,
            ...(agreed !== undefined && { agreed: copy(agreed) }),
            ...(recordId !== undefined && { recordId: recordId ?? undefined }),
          };
        }),
      // Nobody else is kept away: who holds a key that long may be overtaken.
      release: () => Promise.resolve(),
      find: () => waits(() => new Map([[key, { ...copy(this.row), pass: undefined }]])),
      keyOf: (_, id) => waits(() => (this.row.recordId === id ? key : undefined)),
    };
    return ledger as SyncLedger;
  }

  #recordsOf(waits: Waits): SyncRecords {
    const found = (): SyncRecord | undefined =>
      this.record && {
        ...{ id: this.record.Id, key, row: this.record, isDeleted: false },
        modifiedAt: String(this.record['LastModifiedDate']),
      };
    const save = (fields: Readonly<Record<string, unknown>>) => {
      this.writes += 1;
      this.#save(fields);
    };
    const records: Pick<SyncRecords, 'byKey' | 'create' | 'update' | 'delete'> = {
      byKey: () => waits(found),
      create: (_, fields) =>
        waits(() => {
          save(fields);
          return this.record?.Id ?? '';
        }),
      update: (id, fields) =>
        waits(() => {
          if (this.record?.Id !== id) throw new PatchbayError('hub.busy', { detail: 'It is gone', retryAfterMs: 1 });
          save(fields);
        }),
      delete: (id) =>
        waits(() => {
          if (this.record?.Id !== id) return;
          this.writes += 1;
          this.record = undefined;
          this.#heard.push({});
        }),
    };
    return records as SyncRecords;
  }

  #chainOf(waits: Waits): SyncChain {
    const transactions = {
      submit: (request: SendRequest) =>
        waits(() => {
          const id = request.idempotencyKey;
          if (!this.#transactions.has(id)) {
            this.#transactions.set(id, { id, request, status: 'queued', attempts: [] } as never);
          }
          return this.#transactions.get(id);
        }),
      waitFor: (id: string) => waits((isMined) => this.#mined(id, isMined)),
    };
    const network = { name: 'local', isDevelopment: true, finalityOf: () => 0, transactions } as unknown as Network;
    const contract = { name: 'registry', address: `0x${'c'.repeat(40)}`, abi } as unknown as Contract;
    const exists = () => this.entry !== undefined;
    return overlaid(new SyncChain(network, contract, this.#mapping.chain), {
      block: () => waits(() => ({ number: this.#clock, timestamp: this.#clock })),
      read: () =>
        waits(() => ({
          exists: exists(),
          values: { ...(this.entry ?? blank), active: exists() },
        })),
      changedAt: () => waits(() => new Date(this.#changedAt * 1_000).toISOString()),
    });
  }

  #mined(id: string, isMined: boolean): unknown {
    for (const [own, known] of this.#transactions) {
      if (known.block === undefined && isMined) {
        this.#execute(known.request);
        known.block = this.#clock;
      }
      if (own === id) break;
    }
    const known = this.#transactions.get(id);
    if (known?.block === undefined) return { ...known, status: 'broadcast' };
    return { ...known, status: 'confirmed', place: { blockNumber: known.block, hash: '0x' } };
  }

  #execute({ about }: SendRequest): void {
    const { function: name, args } = about as { readonly function: string; readonly args: readonly string[] };
    this.writes += 1;
    if (name === 'removeMember') this.#setEntry(undefined);
    else if (name === 'setMember') {
      this.#setEntry(Object.fromEntries(columns.map((column, place) => [column, args[place + 1]])) as Entry);
    } else this.#setEntry({ ...blank, ...this.entry, [name.slice('set_'.length)]: args[1] });
  }

  #setEntry(entry: Entry | undefined): void {
    this.entry = entry;
    this.#changedAt = this.#clock += 1;
    this.#heard.push({});
  }

  #save(fields: Readonly<Record<string, unknown>>): void {
    this.#clock += 1;
    const now = { LastModifiedDate: new Date(this.#clock * 1_000).toISOString() };
    const before = this.record ?? { Id: `record ${(this.#records += 1)}`, Wallet__c: key, Removed__c: false };
    this.record = { ...before, ...fields, ...now };
    this.#heard.push({ recordId: this.record.Id, seen: { ...fields, ...now } });
  }

  /** What happens now. */
  #next(): ModelTurn['side'] {
    const turn = this.#turns.shift() ?? { side: 'nothing' };
    if (turn.side === 'wakes') this.#sleepers.shift()?.();
    if (isChange(turn)) this.change(turn);
    return turn.side;
  }
}

type Waits = <T>(work: (isMined: boolean) => T) => Promise<T>;
const blank: Entry = { name: '', tier: '', note: '' };

function isChange(turn: ModelTurn): turn is ModelChange {
  return 'column' in turn || turn.side.startsWith('remove');
}
