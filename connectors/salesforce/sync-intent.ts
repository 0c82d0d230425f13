import type { ChainCall } from './sync-chain.js';
import type { SyncMapping } from './sync-mapping.js';
import type { Agreement, Pair, RecordWrite, Values, Written } from './sync-merge.js';
import { cell, type SyncRecord } from './sync-records.js';
import type { Value } from './sync-values.js';

export interface Kept extends Agreement {
  /** The chain was read as of this block. */
  readonly block: number;
}

/** What is about to be done, as it is noted before it is done. */
export interface Intent {
  readonly calls: readonly ChainCall[];
  readonly toSalesforce: RecordWrite | undefined;
  /** What the fields to be written held; undefined: there was no record. */
  readonly base: Readonly<Record<string, Value>> | undefined;
  readonly columns: readonly string[];
  readonly before: Kept | undefined;
  readonly after: Kept;
}

/**
 * Whether the record shows what was intended for it. A write changes all its fields at once: one that holds its value
 * tells of it, and so does it when none is as it was.
 */
export function isWritten(
  { toSalesforce, base = {}, after }: Intent,
  record: (Pick<SyncRecord, 'row'> & { readonly values: Values }) | undefined,
  { deletes }: SyncMapping,
): boolean {
  if (toSalesforce === undefined) return true;
  if (toSalesforce.kind === 'delete') return record === undefined;
  if (record === undefined) return false;
  const { row, values } = record;
  const changed = Object.entries(toSalesforce.fields).filter(([name, value]) => value !== (base[name] ?? null));
  if (changed.length === 0) {
    return toSalesforce.kind === 'create' || cell(row, deletes.mark ?? '') === (after.mark ?? false);
  }
  return (
    changed.some(([name, value]) => values[name] === value) ||
    changed.every(([name]) => values[name] !== (base[name] ?? null))
  );
}

export function writtenBy({ toSalesforce, columns }: Intent, mapping: SyncMapping): Written {
  return {
    chain: new Set(columns),
    salesforce: new Set(toSalesforce === undefined ? [] : namesOf(toSalesforce, mapping)),
  };
}

export function namesOf(write: RecordWrite, { deletes }: SyncMapping): string[] {
  if (write.kind === 'delete') return [];
  return [
    ...Object.keys(write.fields),
    ...(write.mark !== undefined && deletes.mark !== undefined ? [deletes.mark] : []),
  ];
}

/** What is agreed on when the entry was written and the record was not. */
export function unwritten({ before, after, base }: Intent, names: readonly string[]): Kept | undefined {
  const fields = withPairsOf(before, after, names);
  if (before !== undefined) return { ...before, inSalesforce: before.inSalesforce || base !== undefined, fields };
  return base === undefined ? undefined : { ...after, fields };
}

/** What is agreed on when the record was written and the entry was not. */
export function unsent({ before, after, columns }: Intent): Kept | undefined {
  return before && { ...before, fields: withPairsOf(before, after, columns) };
}

/** As if what was intended for these fields had not been said. */
function withPairsOf(before: Kept | undefined, { fields }: Kept, names: readonly string[]): Record<string, Pair> {
  const pairs = { ...fields };
  for (const name of names) {
    const pair = before?.fields[name];
    if (pair === undefined) delete pairs[name];
    else pairs[name] = pair;
  }
  return pairs;
}
