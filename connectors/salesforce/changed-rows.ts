import type { SalesforceClient, SalesforceRecord } from './salesforce.client.js';

export interface ChangedRowsQuery {
  readonly object: string;
  /** Undefined: all that the user may see. */
  readonly fields: readonly string[] | undefined;
  /** As it stands after WHERE. */
  readonly where?: string | undefined;
  readonly since: Date;
}

/** A row is stamped when it is saved and seen when its transaction ends; long ones take minutes. */
export const overlapMs = 15 * 60_000;

const always = ['Id', 'IsDeleted', 'CreatedDate', 'LastModifiedDate', 'SystemModstamp'];
/** Salesforce gives all fields of so many rows only. */
const pageOfAll = 200;
const pageOfSome = 2_000;

/**
 * Rows that changed since a time, those in the recycle bin too, page by page in the order of their changes. A row that
 * changes meanwhile comes again; none is left out, because a page begins after the last row and not at a number.
 */
export async function* changedRows(
  client: SalesforceClient,
  { object, fields, where, since }: ChangedRowsQuery,
  signal: AbortSignal,
): AsyncGenerator<readonly SalesforceRecord[]> {
  const size = fields === undefined ? pageOfAll : pageOfSome;
  const condition = where === undefined ? '' : ` AND (${where})`;
  let after = `SystemModstamp >= ${since.toISOString()}`;
  for (;;) {
    const soql = `SELECT ${selectOf(fields)} FROM ${object} WHERE (${after})${condition} ORDER BY SystemModstamp, Id LIMIT ${size}`;
    const { records } = await client.query(soql, size, signal, { purpose: 'background', includesDeleted: true });
    if (records.length > 0) yield records;
    const last = records.at(-1);
    if (last === undefined || records.length < size) return;
    const stamp = new Date(stampOf(last)).toISOString();
    after = `SystemModstamp > ${stamp} OR (SystemModstamp = ${stamp} AND Id > '${idOf(last)}')`;
  }
}

/** Rows by their ids, those in the recycle bin too; what is gone for good is left out. */
export async function rowsById(
  client: SalesforceClient,
  { object, fields, ids }: { object: string; fields: readonly string[] | undefined; ids: readonly string[] },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, SalesforceRecord>> {
  const rows = new Map<string, SalesforceRecord>();
  for (let at = 0; at < ids.length; at += pageOfAll) {
    const some = ids.slice(at, at + pageOfAll);
    const list = some.map((id) => `'${id}'`).join(', ');
    const soql = `SELECT ${selectOf(fields)} FROM ${object} WHERE Id IN (${list}) LIMIT ${pageOfAll}`;
    const { records } = await client.query(soql, pageOfAll, signal, { includesDeleted: true });
    for (const row of records) rows.set(idOf(row), row);
  }
  return rows;
}

export function idOf(row: SalesforceRecord): string {
  return String(row['Id']);
}

/** When Salesforce stored the row last, in whole seconds. */
export function stampOf(row: SalesforceRecord): number {
  return Date.parse(String(row['SystemModstamp']));
}

/** The fields of a row that its reader asked for. */
export function chosenFields(row: SalesforceRecord, fields: readonly string[] | undefined): SalesforceRecord {
  if (fields === undefined) return row;
  const wanted = new Set([...fields, 'Id', 'LastModifiedDate'].map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(row).filter(([name]) => wanted.has(name.toLowerCase())));
}

function selectOf(fields: readonly string[] | undefined): string {
  if (fields === undefined) return 'FIELDS(ALL)';
  const known = new Set(always.map((name) => name.toLowerCase()));
  return [...always, ...fields.filter((name) => !known.has(name.toLowerCase()))].join(', ');
}
