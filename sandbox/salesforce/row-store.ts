import { RestError } from './rest-error.js';
import { valueOf, type Row } from './soql-rows.js';

interface Index {
  readonly object: string;
  readonly field: string;
  readonly isUnique: boolean;
  readonly isCaseSensitive: boolean;
  /** Ids of the rows that hold a value. */
  readonly rows: Map<string, Set<string>>;
}

/** The tables and their keys. Every change can be taken back to a mark. */
export class RowStore {
  readonly #tables = new Map<string, Map<string, Row>>();
  /** By `object.field` in lower case. */
  readonly #indexes = new Map<string, Index>();
  #undo: (() => void)[] = [];

  /** Live rows and those in the recycle bin. */
  table(object: string): Map<string, Row> {
    const key = object.toLowerCase();
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    const table = new Map<string, Row>();
    this.#tables.set(key, table);
    return table;
  }

  live(object: string): Row[] {
    return [...this.table(object).values()].filter((row) => row['IsDeleted'] !== true);
  }

  get tableNames(): string[] {
    return [...this.#tables.keys()];
  }

  get uniqueKeys(): string[] {
    return [...this.#indexes].filter(([, { isUnique }]) => isUnique).map(([key]) => key);
  }

  /** Begins to keep a key over a field, named as `Contact.Wallet__c`; values are compared without regard to letter case. */
  index(name: string, { isUnique = true, isCaseSensitive = false } = {}): Index {
    const key = name.toLowerCase();
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const [object = '', field = ''] = key.split('.');
    const index: Index = { object, field, isUnique, isCaseSensitive, rows: new Map() };
    for (const row of this.live(object)) add(index, valueOf(row, field), String(row['Id']));
    this.#indexes.set(key, index);
    return index;
  }

  /** Live rows that hold a value in a field with a key. */
  find(name: string, value: string): Row[] {
    const index = this.index(name);
    const table = this.table(index.object);
    const ids = [...(index.rows.get(keyOf(index, value)) ?? [])];
    return ids.map((id) => table.get(id)).filter((row) => row !== undefined);
  }

  /** Stores a row in place of the one before. @throws DUPLICATE_VALUE */
  put(object: string, before: Row | undefined, row: Row): void {
    const id = String(row['Id']);
    for (const index of this.#indexes.values()) {
      if (index.object === object.toLowerCase()) this.#reindex(index, id, before, row);
    }
    const table = this.table(object);
    table.set(id, row);
    this.#undo.push(() => {
      if (before === undefined) table.delete(id);
      else table.set(id, before);
    });
  }

  /** Removes a row for good. */
  purge(object: string, id: string): void {
    const table = this.table(object);
    const row = table.get(id);
    table.delete(id);
    if (row !== undefined) this.#undo.push(() => table.set(id, row));
  }

  mark(): number {
    return this.#undo.length;
  }

  takeBackTo(mark: number): void {
    for (const undo of this.#undo.splice(mark).reverse()) undo();
  }

  commit(): void {
    this.#undo = [];
  }

  replace(tables: Readonly<Record<string, readonly Row[]>>): void {
    this.#indexes.clear();
    for (const [name, rows] of Object.entries(tables)) {
      this.#tables.set(name.toLowerCase(), new Map(rows.map((row) => [String(row['Id']), row])));
    }
  }

  #reindex(index: Index, id: string, before: Row | undefined, row: Row): void {
    const value = row['IsDeleted'] === true ? null : valueOf(row, index.field);
    const old = before === undefined || before['IsDeleted'] === true ? null : valueOf(before, index.field);
    const holder = value === null ? undefined : [...(index.rows.get(keyOf(index, value)) ?? [])].find((h) => h !== id);
    if (index.isUnique && holder !== undefined) {
      throw new RestError(
        400,
        'DUPLICATE_VALUE',
        `duplicate value found: ${index.field} duplicates value on record with id: ${holder}`,
        [],
      );
    }
    remove(index, old, id);
    add(index, value, id);
    this.#undo.push(() => {
      remove(index, value, id);
      add(index, old, id);
    });
  }
}

function keyOf({ isCaseSensitive }: Index, value: unknown): string {
  const text = String(value).trim();
  return isCaseSensitive ? text : text.toLowerCase();
}

function add(index: Index, value: unknown, id: string): void {
  if (value === null) return;
  const key = keyOf(index, value);
  const holders = index.rows.get(key);
  if (holders === undefined) index.rows.set(key, new Set([id]));
  else holders.add(id);
}

function remove(index: Index, value: unknown, id: string): void {
  if (value === null) return;
  const key = keyOf(index, value);
  const holders = index.rows.get(key);
  holders?.delete(id);
  if (holders?.size === 0) index.rows.delete(key);
}
