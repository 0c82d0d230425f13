import { PatchbayError } from '#sdk';
import { overlapMs } from './changed-rows.js';
import { isGone } from './delete-record.action.js';
import type { SalesforceClient, SalesforceRecord } from './salesforce.client.js';
import { bindSoql } from './soql-parameters.js';
import type { SyncMapping } from './sync-mapping.js';

export interface SyncRecord {
  readonly id: string;
  /** As the org has it; empty: the record has no part in the sync. */
  readonly key: string;
  readonly row: SalesforceRecord;
  readonly isDeleted: boolean;
  /** RFC 3339, in whole seconds. */
  readonly modifiedAt: string;
}

const pageSize = 1_000;
/** A query travels in an address, which holds some kilobytes. */
const keysPerQuery = 50;

/** The records of one object, as far as a sync reads and writes them. */
export class SyncRecords {
  readonly #client: SalesforceClient;
  readonly #object: string;
  readonly #key: string;
  readonly #select: string;

  constructor(client: SalesforceClient, { salesforce, deletes }: SyncMapping, fields: readonly string[]) {
    this.#client = client;
    this.#object = salesforce.object;
    this.#key = salesforce.key;
    const names = ['Id', 'IsDeleted', 'LastModifiedDate', salesforce.key, ...fields, deletes.mark ?? 'Id'];
    const unique = new Map(names.map((name) => [name.toLowerCase(), name]));
    this.#select = `SELECT ${[...unique.values()].join(', ')} FROM ${salesforce.object}`;
  }

  /** @throws salesforce.policy when several records have the key */
  async byKey(key: string, signal: AbortSignal): Promise<SyncRecord | undefined> {
    const soql = bindSoql(`${this.#select} WHERE ${this.#key} = :key LIMIT 2`, { key });
    const { records } = await this.#client.query(soql, 2, signal);
    const [first, second] = records.map((row) => this.#recordOf(row));
    if (second === undefined) return first;
    throw new PatchbayError('salesforce.policy', {
      detail: `Several ${this.#object} records have ${key} in ${this.#key}: ${first?.id ?? ''}, ${second.id}`,
      fix: `Mark ${this.#key} Unique in the Object Manager, and merge the records.`,
    });
  }

  /** Records of many keys. */
  async byKeys(keys: readonly string[], signal: AbortSignal): Promise<readonly SyncRecord[]> {
    const found: SyncRecord[] = [];
    for (let at = 0; at < keys.length; at += keysPerQuery) {
      const some = keys.slice(at, at + keysPerQuery);
      const soql = bindSoql(`${this.#select} WHERE ${this.#key} IN :some LIMIT ${pageSize}`, { some });
      const { records } = await this.#client.query(soql, pageSize, signal, { purpose: 'background' });
      found.push(...records.map((row) => this.#recordOf(row)));
    }
    return found;
  }

  /** Also one that lies in the recycle bin. */
  async byId(id: string, signal: AbortSignal): Promise<SyncRecord | undefined> {
    const soql = bindSoql(`${this.#select} WHERE Id = :id LIMIT 1`, { id });
    const { records } = await this.#client.query(soql, 1, signal, { includesDeleted: true });
    return records.map((row) => this.#recordOf(row))[0];
  }

  /** Records with a key, in the order of their ids. */
  async page(after: string, signal: AbortSignal): Promise<readonly SyncRecord[]> {
    const beyond = after === '' ? '' : ' AND Id > :after';
    const soql = bindSoql(`${this.#select} WHERE ${this.#key} != null${beyond} ORDER BY Id LIMIT ${pageSize}`, {
      after,
    });
    const { records } = await this.#client.query(soql, pageSize, signal, { purpose: 'background' });
    return records.map((row) => this.#recordOf(row));
  }

  async count(signal: AbortSignal): Promise<number> {
    const soql = `SELECT COUNT() FROM ${this.#object} WHERE ${this.#key} != null`;
    return (await this.#client.query(soql, 1, signal, { purpose: 'background' })).totalSize;
  }

  /** Safe to repeat: a record of the key that was made meanwhile is updated. @returns its id */
  async create(key: string, fields: SalesforceRecord, signal: AbortSignal): Promise<string> {
    const row = { operation: 'upsert', object: this.#object, matchOn: this.#key, key, fields } as const;
    return (await this.#client.write(row, signal)).id;
  }

  async update(id: string, fields: SalesforceRecord, signal: AbortSignal): Promise<void> {
    await this.#client.update(this.#object, id, fields, signal);
  }

  async delete(id: string, signal: AbortSignal): Promise<void> {
    const row = { operation: 'delete', object: this.#object, key: id, fields: {} } as const;
    await this.#client.write(row, signal).catch((error: unknown) => {
      if (!isGone(error)) throw error;
    });
  }

  #recordOf(row: SalesforceRecord): SyncRecord {
    const byName = new Map(Object.entries(row).map(([name, value]) => [name.toLowerCase(), value]));
    const modified = Date.parse(String(byName.get('lastmodifieddate')));
    return {
      id: String(row['Id']),
      key: String(byName.get(this.#key.toLowerCase()) ?? '').trim(),
      row,
      isDeleted: row['IsDeleted'] === true,
      modifiedAt: new Date(Number.isNaN(modified) ? Date.now() - overlapMs : modified).toISOString(),
    };
  }
}

/** A field of a row whatever the letter case of its name. */
export function cell(row: SalesforceRecord, name: string): unknown {
  if (Object.hasOwn(row, name)) return row[name];
  const found = Object.keys(row).find((key) => key.toLowerCase() === name.toLowerCase());
  return found === undefined ? undefined : row[found];
}
