import type { Value } from './sync-values.js';

/** One field of the record and one value of the entry, as far as comparing goes. */
export interface Column {
  /** Of the field; also the name under which both values are kept. */
  readonly name: string;
  readonly direction: 'both' | 'toChain' | 'toSalesforce';
  readonly conflict: Winner | 'newest';
  /** What the field shows of a value on the chain. */
  readonly toSalesforce: (value: Value) => Value;
  /** @throws salesforce.data when the chain cannot hold it */
  readonly toChain: (value: Value) => Value;
}

export type Winner = 'chain' | 'salesforce';
export type Values = Readonly<Record<string, Value>>;

/** What each side had of a column when the two were last in order. They need not be equal: a side may round. */
export interface Pair {
  readonly chain: Value;
  readonly salesforce: Value;
  /** The hub wrote it to the chain: should a reorganisation take it back, it is written again. */
  readonly isSent?: boolean;
}

export interface Agreement {
  readonly onChain: boolean;
  readonly inSalesforce: boolean;
  /** What the field that marks removed entries held. */
  readonly mark?: boolean;
  readonly fields: Readonly<Record<string, Pair>>;
}

export interface MergePlan {
  readonly columns: readonly Column[];
  /** For records and entries as a whole. */
  readonly conflict: Winner | 'newest';
  readonly onChain: 'mark' | 'delete' | 'ignore';
  readonly inSalesforce: 'remove' | 'ignore';
  /** Name of the field that marks removed entries. */
  readonly mark: string | undefined;
  /** Whether entries can be made, and taken away. */
  readonly canSet: boolean;
  readonly canRemove: boolean;
}

export interface MergeInput {
  /** Undefined: there is no entry. By name of the column. */
  readonly chain: Values | undefined;
  /** Undefined: there is no record. */
  readonly salesforce: (Values & { readonly [name: string]: Value }) | undefined;
  /** What the marking field holds at present. */
  readonly isMarked?: boolean;
  readonly agreed: Agreement | undefined;
  /** Fields that the hub has just written: what became of them was decided by that side, and is not contested. */
  readonly written?: Written;
  /** Whose change is the newer one; undefined: not looked up. */
  readonly newest?: Winner;
  /** The entry vanished in a reorganisation: its record may be marked, not deleted. */
  readonly isReverted?: boolean;
}

export interface Written {
  readonly chain: ReadonlySet<string>;
  readonly salesforce: ReadonlySet<string>;
}

export const nothingWritten: Written = { chain: new Set(), salesforce: new Set() };

export type ChainWrite =
  { readonly kind: 'set'; readonly isNew: boolean; readonly values: Values } | { readonly kind: 'remove' };

export type RecordWrite =
  | { readonly kind: 'create' | 'update'; readonly fields: Values; readonly mark?: boolean }
  | { readonly kind: 'delete' };

export interface Merge {
  readonly toChain: ChainWrite | undefined;
  readonly toSalesforce: RecordWrite | undefined;
  /** What will be true once both are done. */
  readonly agreed: Agreement;
  /** It depends on whose change is the newer one: look that up and merge again. Nothing else counts then. */
  readonly needsNewest: boolean;
}

const nothing: Agreement = { onChain: false, inSalesforce: false, fields: {} };

/**
 * What has to be done so that both sides agree: a three-way merge, field by field, of what is there now and what was
 * there when they last agreed. What the hub wrote itself is what was agreed on, so it comes back as nothing new.
 */
export function merge(plan: MergePlan, input: MergeInput): Merge {
  const { chain, salesforce } = input;
  const agreed = input.agreed ?? nothing;
  if (chain !== undefined && salesforce !== undefined)
    return mergeFields(plan, { ...input, chain, salesforce }, agreed);
  if (chain !== undefined) return withoutRecord(plan, chain, agreed);
  if (salesforce !== undefined) return withoutEntry(plan, { ...input, salesforce }, agreed);
  return done({ onChain: false, inSalesforce: false, fields: {} });
}

export function isNothing({ toChain, toSalesforce, needsNewest }: Merge): boolean {
  return toChain === undefined && toSalesforce === undefined && !needsNewest;
}

type BothSides = MergeInput & { readonly chain: Values; readonly salesforce: Values };

function mergeFields(plan: MergePlan, input: BothSides, agreed: Agreement): Merge {
  const toChain: Record<string, Value> = {};
  const toSalesforce: Record<string, Value> = {};
  const fields: Record<string, Pair> = {};
  let needsNewest = false;
  for (const column of plan.columns) {
    const { name } = column;
    const present: Pair = { chain: valueOf(input.chain, name), salesforce: valueOf(input.salesforce, name) };
    // What is blank in a record that is new says nothing, also when an earlier one of its key was deleted.
    const isUnsaid = !agreed.inSalesforce && present.salesforce === null;
    const before = isUnsaid ? undefined : agreed.fields[name];
    const winner = winnerOf(column, present, before, input);
    if (winner === 'undecided') needsNewest = true;
    fields[name] = before?.isSent && before.chain === present.chain ? { ...present, isSent: true } : present;
    if (winner === 'chain') {
      toSalesforce[name] = column.toSalesforce(present.chain);
      fields[name] = { chain: present.chain, salesforce: toSalesforce[name] };
    } else if (winner === 'salesforce') {
      toChain[name] = column.toChain(present.salesforce);
      fields[name] = { chain: toChain[name], salesforce: present.salesforce, isSent: true };
    }
  }
  const unmarks = plan.mark !== undefined && input.isMarked === true && !isInsistedOn(plan.mark, input, agreed);
  return {
    toChain: isEmpty(toChain) ? undefined : { kind: 'set', isNew: false, values: toChain },
    toSalesforce:
      isEmpty(toSalesforce) && !unmarks
        ? undefined
        : { kind: 'update', fields: toSalesforce, ...(unmarks && { mark: false }) },
    agreed: {
      onChain: true,
      inSalesforce: true,
      ...(plan.mark !== undefined && { mark: unmarks ? false : input.isMarked === true }),
      fields,
    },
    needsNewest,
  };
}

/** Whose value the column takes; undefined: both stay as they are. */
function winnerOf(
  column: Column,
  present: Pair,
  before: Pair | undefined,
  { written, newest, isReverted }: MergeInput,
): Winner | 'undecided' | undefined {
  const { name, direction, conflict } = column;
  if (isSame(column, present)) return undefined;
  const isChangedOnChain = before === undefined || before.chain !== present.chain;
  const isChangedInSalesforce = before === undefined || before.salesforce !== present.salesforce;
  if (!isChangedOnChain && !isChangedInSalesforce) return undefined;
  // What a side made of a value that it was just given is its word, as long as the other side still says that value.
  if (direction === 'toSalesforce' && !isChangedOnChain && written?.salesforce.has(name)) return undefined;
  if (direction === 'toChain' && !isChangedInSalesforce && written?.chain.has(name)) return undefined;
  if (direction === 'toSalesforce') return 'chain';
  if (direction === 'toChain') return before === undefined && present.salesforce === null ? undefined : 'salesforce';
  if (!isChangedInSalesforce) return isReverted && before?.isSent ? 'salesforce' : 'chain';
  if (!isChangedOnChain) return 'salesforce';
  if (before === undefined) {
    // Nothing was agreed on yet: what is blank on one side is what the other says.
    if (present.salesforce === null) return 'chain';
    if (column.toSalesforce(present.chain) === null) return 'salesforce';
  }
  return conflict === 'newest' ? (newest ?? 'undecided') : conflict;
}

function isSame(column: Column, { chain, salesforce }: Pair): boolean {
  return column.toSalesforce(chain) === salesforce;
}

function withoutRecord(plan: MergePlan, chain: Values, agreed: Agreement): Merge {
  const stays = done({ onChain: true, inSalesforce: false, fields: pairsOf(plan, chain) });
  if (!agreed.inSalesforce) {
    // Known without a record: it was deleted, and that was to be ignored.
    return agreed.onChain ? done({ ...agreed, inSalesforce: false }) : creation(plan, chain);
  }
  const isChanged =
    !agreed.onChain ||
    plan.columns.some(
      ({ name, direction }) => direction !== 'toChain' && agreed.fields[name]?.chain !== valueOf(chain, name),
    );
  if (isChanged && plan.conflict !== 'salesforce') return creation(plan, chain);
  if (plan.inSalesforce === 'ignore' || !plan.canRemove) return stays;
  return { ...done({ onChain: false, inSalesforce: false, fields: {} }), toChain: { kind: 'remove' } };
}

function creation(plan: MergePlan, chain: Values): Merge {
  const given = plan.columns.filter(({ direction }) => direction !== 'toChain');
  const values = given.map((column) => [column.name, column.toSalesforce(valueOf(chain, column.name))] as const);
  const fields = Object.fromEntries(values.filter(([, value]) => value !== null));
  return {
    ...done({
      onChain: true,
      inSalesforce: true,
      ...(plan.mark !== undefined && { mark: false }),
      fields: Object.fromEntries(
        plan.columns.map(({ name }) => [name, { chain: valueOf(chain, name), salesforce: fields[name] ?? null }]),
      ),
    }),
    toSalesforce: { kind: 'create', fields },
  };
}

function withoutEntry(plan: MergePlan, input: MergeInput & { salesforce: Values }, agreed: Agreement): Merge {
  const { salesforce } = input;
  const writable = plan.columns.filter(({ direction }) => direction !== 'toSalesforce');
  const canSet = plan.canSet && writable.length > 0;
  if (!agreed.onChain) {
    if (agreed.inSalesforce) return keptMark(plan, input, agreed);
    return canSet ? entry(writable, salesforce) : done({ onChain: false, inSalesforce: true, fields: {} });
  }
  const isChanged = writable.some(
    ({ name }) => agreed.fields[name] !== undefined && agreed.fields[name].salesforce !== valueOf(salesforce, name),
  );
  if (canSet && isChanged && plan.conflict !== 'chain') return entry(writable, salesforce);
  const isTakenBack = input.isReverted && writable.some(({ name }) => agreed.fields[name]?.isSent);
  if (canSet && isTakenBack) return entry(writable, salesforce);
  const onChain = plan.onChain === 'delete' && input.isReverted ? (plan.mark ? 'mark' : 'ignore') : plan.onChain;
  if (onChain === 'delete') {
    return { ...done({ onChain: false, inSalesforce: false, fields: {} }), toSalesforce: { kind: 'delete' } };
  }
  // Nobody has marked it yet: what was just written took the mark away.
  if (onChain === 'mark') return keptMark(plan, { ...input, written: nothingWritten }, { ...agreed, mark: true });
  return done({ onChain: false, inSalesforce: true, fields: {} });
}

/** A record whose entry is gone says so, whoever takes the mark away. */
function keptMark(plan: MergePlan, input: MergeInput, agreed: Agreement): Merge {
  if (plan.mark === undefined || agreed.mark !== true) return done({ onChain: false, inSalesforce: true, fields: {} });
  const after = { onChain: false, inSalesforce: true, mark: true, fields: {} };
  if (input.isMarked === true || input.written?.salesforce.has(plan.mark)) return done(after);
  return { ...done(after), toSalesforce: { kind: 'update', fields: {}, mark: true } };
}

function entry(writable: readonly Column[], salesforce: Values): Merge {
  const pairs = writable.map(({ name, toChain }) => {
    const value = valueOf(salesforce, name);
    return [name, { chain: toChain(value), salesforce: value, isSent: true }] as const;
  });
  return {
    ...done({ onChain: true, inSalesforce: true, fields: Object.fromEntries(pairs) }),
    toChain: {
      kind: 'set',
      isNew: true,
      values: Object.fromEntries(pairs.map(([name, { chain }]) => [name, chain])),
    },
  };
}

/** Somebody in the org has marked again what the hub had unmarked, or what had an entry all along. */
function isInsistedOn(mark: string, { written }: MergeInput, { onChain, mark: wasMarked }: Agreement): boolean {
  return onChain && (wasMarked === true || written?.salesforce.has(mark) === true);
}

function pairsOf({ columns }: MergePlan, chain: Values): Record<string, Pair> {
  return Object.fromEntries(columns.map(({ name }) => [name, { chain: valueOf(chain, name), salesforce: null }]));
}

function done(agreed: Agreement): Merge {
  return { toChain: undefined, toSalesforce: undefined, agreed, needsNewest: false };
}

function valueOf(values: Values, name: string): Value {
  return values[name] ?? null;
}

function isEmpty(values: Values): boolean {
  return Object.keys(values).length === 0;
}
