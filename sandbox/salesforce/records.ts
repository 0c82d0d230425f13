import type { FieldSchema } from './field-schema.js';
import { acceptValue, stampOf } from './field-values.js';
import type { ObjectSchema, OrgSchema } from './org-schema.js';
import { parseRecordId, recordId } from './record-id.js';
import { MultipleMatches, noSuchResource, RestError } from './rest-error.js';
import { RowStore } from './row-store.js';
import type { SaveRules } from './save-rules.js';
import type { Soql } from './soql.js';
import { matches, sortRows, valueOf, type Row } from './soql-rows.js';

export type ChangeType = 'created' | 'updated' | 'deleted' | 'undeleted';

/** Who writes, and by which way in: change events tell of both. */
export interface Writer {
  readonly userId: string;
  readonly changeOrigin: string;
  readonly allowsDuplicates?: boolean;
}

export interface RecordChange {
  readonly type: ChangeType;
  readonly object: string;
  readonly before: Row | undefined;
  readonly row: Row;
  /** Names of the fields whose value differs from before; every field that is set when the row was created. */
  readonly changed: ReadonlySet<string>;
  readonly writer: Writer;
}

export interface RecordsState {
  readonly instance: string;
  readonly serial: number;
  readonly tables: Readonly<Record<string, readonly Row[]>>;
  readonly externalIds: readonly string[];
}

export interface RecordsOptions {
  readonly schema: OrgSchema;
  readonly rules: SaveRules;
  readonly now: () => Date;
  /** Told once for a transaction, in the order of the changes. */
  readonly onCommit: (changes: readonly RecordChange[]) => void;
  /** Fields, as `Contact.Wallet__c`, whose values must differ; a field used by an upsert becomes one. */
  readonly externalIds: readonly string[];
  readonly instance: string;
}

const recycleBinMs = 15 * 86_400_000;
const systemStamps = new Set(['LastModifiedDate', 'LastModifiedById', 'SystemModstamp']);

/** The rows of the org, with what Salesforce checks and adds: ids, stamps, required fields, keys, rules of the org. */
export class Records {
  readonly #options: RecordsOptions;
  readonly #store = new RowStore();
  #instance: string;
  #serial = 0;
  #depth = 0;
  #changes: RecordChange[] = [];

  constructor(options: RecordsOptions) {
    this.#options = options;
    this.#instance = options.instance;
    this.#index(options.externalIds);
  }

  get schema(): OrgSchema {
    return this.#options.schema;
  }

  /** All or nothing, and what changed is told at the end only. Inside of another one it is a savepoint. */
  transaction<T>(work: () => T): T {
    const mark = this.#store.mark();
    const heard = this.#changes.length;
    this.#depth += 1;
    try {
      const result = work();
      this.#depth -= 1;
      if (this.#depth === 0) this.#commit();
      return result;
    } catch (error) {
      this.#depth = Math.max(0, this.#depth - 1);
      this.#store.takeBackTo(mark);
      this.#changes.splice(heard);
      throw error;
    }
  }

  create(objectName: string, values: Row, writer: Writer): Row {
    return this.transaction(() => {
      const object = this.object(objectName);
      const stamp = this.#stamp();
      const fields = this.#accepted(object, values);
      const row = this.#ruled(object, undefined, {
        Id: this.newId(object.prefix),
        ...fields,
        OwnerId: fields['OwnerId'] ?? writer.userId,
        IsDeleted: false,
        CreatedDate: stamp,
        CreatedById: writer.userId,
        LastModifiedDate: stamp,
        LastModifiedById: writer.userId,
        SystemModstamp: stamp,
      });
      this.#save(object, 'created', undefined, row, writer);
      return row;
    });
  }

  update(objectName: string, id: string, values: Row, writer: Writer): Row {
    return this.transaction(() => {
      const object = this.object(objectName);
      const before = this.get(objectName, id);
      const row = this.#ruled(object, before, {
        ...before,
        ...this.#accepted(object, values),
        ...this.#touched(writer),
      });
      this.#save(object, 'updated', before, row, writer);
      return row;
    });
  }

  /** Creates the row, or updates the one whose external id field holds the value. */
  upsert(
    objectName: string,
    fieldName: string,
    value: string,
    values: Row,
    writer: Writer,
  ): { readonly row: Row; readonly isCreated: boolean } {
    const object = this.object(objectName);
    if (fieldName.toLowerCase() === 'id') {
      return { row: this.update(objectName, value, values, writer), isCreated: false };
    }
    const field = this.#key(object, fieldName);
    if (Object.keys(values).some((name) => name.toLowerCase() === field.name.toLowerCase())) {
      throw new RestError(
        400,
        'INVALID_FIELD',
        `The ${field.name} field should not be specified in the sobject data.`,
        [field.name],
      );
    }
    const found = this.findByExternalId(objectName, fieldName, value);
    if (found !== undefined) {
      return { row: this.update(objectName, String(found['Id']), values, writer), isCreated: false };
    }
    return { row: this.create(objectName, { ...values, [field.name]: value }, writer), isCreated: true };
  }

  /** Moves the row into the recycle bin. */
  delete(objectName: string, id: string, writer: Writer): void {
    this.transaction(() => {
      const object = this.object(objectName);
      const before = this.get(objectName, id);
      this.#save(object, 'deleted', before, { ...before, IsDeleted: true, ...this.#touched(writer) }, writer);
    });
  }

  /** Takes the row back out of the recycle bin, under the same id. */
  undelete(objectName: string, idText: string, writer: Writer): Row {
    return this.transaction(() => {
      const object = this.object(objectName);
      const before = this.#inBin(object, idText);
      if (before === undefined) throw new RestError(400, 'UNDELETE_FAILED', 'Entity is not in the recycle bin', []);
      const row = { ...before, IsDeleted: false, ...this.#touched(writer) };
      this.#save(object, 'undeleted', before, row, writer);
      return row;
    });
  }

  /** Removes what was deleted for good. */
  emptyBin(objectName: string, idText: string): void {
    const object = this.object(objectName);
    const row = this.#inBin(object, idText);
    if (row === undefined) throw new RestError(400, 'INVALID_ID_FIELD', 'Entity is not in the recycle bin', []);
    this.#store.purge(object.name, String(row['Id']));
  }

  get(objectName: string, idText: string): Row {
    const object = this.object(objectName);
    const id = parseRecordId(idText);
    if (id === undefined) throw new RestError(400, 'MALFORMED_ID', `bad id ${idText}`, ['Id']);
    const row = this.#store.table(object.name).get(id);
    if (row === undefined)
      throw new RestError(404, 'NOT_FOUND', 'Provided external ID field does not exist or is not accessible: Id');
    if (row['IsDeleted'] === true) throw new RestError(404, 'ENTITY_IS_DELETED', 'entity is deleted', []);
    return row;
  }

  /** @throws MultipleMatches – several rows hold the value */
  findByExternalId(objectName: string, fieldName: string, value: string): Row | undefined {
    const object = this.object(objectName);
    const field = this.#key(object, fieldName);
    const found = this.#store.find(`${object.name}.${field.name}`, value);
    if (found.length > 1)
      throw new MultipleMatches(
        object.name,
        field.name,
        found.map((row) => String(row['Id'])),
      );
    return found[0];
  }

  list(objectName: string): Row[] {
    return this.#store.live(objectName);
  }

  /** Rows in the recycle bin. */
  deleted(objectName: string): Row[] {
    const oldest = this.#options.now().getTime() - recycleBinMs;
    return [...this.#store.table(this.object(objectName).name).values()].filter(
      (row) => row['IsDeleted'] === true && Date.parse(String(row['SystemModstamp'])) >= oldest,
    );
  }

  select(soql: Soql, includesDeleted: boolean): Row[] {
    const { name } = this.object(soql.object);
    const rows = includesDeleted ? [...this.list(name), ...this.deleted(name)] : this.list(name);
    const found = sortRows(
      rows.filter((row) => matches(soql.where, row)),
      soql.orderBy,
    );
    return found.slice(soql.offset, soql.limit === undefined ? undefined : soql.offset + soql.limit);
  }

  object(name: string): ObjectSchema {
    const object = this.schema.find(name);
    if (object === undefined) throw noSuchResource();
    return object;
  }

  newId(prefix: string): string {
    return recordId(prefix, this.#instance, ++this.#serial);
  }

  export(): RecordsState {
    return {
      instance: this.#instance,
      serial: this.#serial,
      tables: Object.fromEntries(
        this.#store.tableNames.map((name) => [this.object(name).name, [...this.#store.table(name).values()]]),
      ),
      externalIds: this.#store.uniqueKeys,
    };
  }

  import(state: RecordsState): void {
    this.#instance = state.instance;
    this.#serial = state.serial;
    this.#store.replace(state.tables);
    for (const [name, rows] of Object.entries(state.tables)) this.#learn(this.object(name), rows);
    this.#index(state.externalIds);
  }

  /** Fields that came to be by being used are not kept, but can be told from the rows. */
  #learn(object: ObjectSchema, rows: readonly Row[]): void {
    for (const row of rows) {
      for (const [name, value] of Object.entries(row)) {
        const field = this.schema.field(object, name);
        if (field !== undefined) this.schema.adopt(object, field, value);
      }
    }
  }

  #index(externalIds: readonly string[]): void {
    for (const object of this.schema.list()) {
      for (const { name, isUnique, isExternalId, isCaseSensitive } of object.fields.values()) {
        if (isUnique || isExternalId) this.#store.index(`${object.name}.${name}`, { isUnique, isCaseSensitive });
      }
    }
    for (const name of externalIds) this.#store.index(name);
  }

  #key(object: ObjectSchema, name: string): FieldSchema {
    const field = this.schema.field(object, name);
    if (field !== undefined && (field.isExternalId || (field.isKeyOnUse && /__c$/i.test(name)))) return field;
    throw new RestError(404, 'NOT_FOUND', `Provided external ID field does not exist or is not accessible: ${name}`);
  }

  #inBin(object: ObjectSchema, idText: string): Row | undefined {
    const id = parseRecordId(idText);
    if (id === undefined) throw new RestError(400, 'MALFORMED_ID', `bad id ${idText}`, ['Id']);
    return this.deleted(object.name).find((row) => row['Id'] === id);
  }

  #accepted(object: ObjectSchema, values: Row): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values)) {
      if (name === 'attributes') continue;
      const parent = isParent(value) ? this.#parent(object, name, value) : undefined;
      if (parent !== undefined) {
        fields[parent.field] = parent.id;
        continue;
      }
      const field = this.schema.field(object, name);
      if (field === undefined) {
        throw new RestError(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
      }
      if (field.isReadOnly) throw readOnly(field);
      fields[field.name] = acceptValue(field, value);
      this.schema.adopt(object, field, fields[field.name]);
    }
    return fields;
  }

  /** The parent that `Account: { Number__c: '7' }` or `Owner_Account__r: {…}` names by an external id. */
  #parent(
    object: ObjectSchema,
    relationship: string,
    key: Row,
  ): { readonly field: string; readonly id: unknown } | undefined {
    const name = /__r$/i.test(relationship) ? relationship.replace(/__r$/i, '__c') : `${relationship}Id`;
    const field = this.schema.field(object, name);
    const [entry] = Object.entries(key).filter(([given]) => given !== 'attributes');
    if (field === undefined || entry === undefined) return undefined;
    const target = field.referenceTo ?? relationship.replace(/__r$/i, '__c');
    const found = this.findByExternalId(target, entry[0], String(entry[1]));
    if (found === undefined) {
      const detail = `Foreign key external ID: ${String(entry[1])} not found for field ${entry[0]} in entity ${target}`;
      throw new RestError(400, 'INVALID_FIELD', detail, []);
    }
    return { field: field.name, id: found['Id'] };
  }

  /** The row as the rules of the org leave it, and complete. */
  #ruled(object: ObjectSchema, before: Row | undefined, row: Row): Row {
    const { rules } = this.#options;
    const changed: Record<string, unknown> = { ...rules.beforeSave(object.name, row, before) };
    if ('LastName' in changed) changed['Name'] = [changed['FirstName'], changed['LastName']].filter(Boolean).join(' ');
    const missing = [...object.fields.values()].filter(
      ({ isRequired, name }) => isRequired && (changed[name] ?? null) === null,
    );
    if (missing.length > 0) {
      const names = missing.map(({ name }) => name);
      throw new RestError(400, 'REQUIRED_FIELD_MISSING', `Required fields are missing: [${names.join(', ')}]`, names);
    }
    return changed;
  }

  #save(object: ObjectSchema, type: ChangeType, before: Row | undefined, row: Row, writer: Writer): void {
    if (type === 'created' || type === 'updated') {
      this.#options.rules.check(object.name, row, () => this.list(object.name), writer.allowsDuplicates === true);
    }
    this.#store.put(object.name, before, row);
    const differs = (name: string) => (before === undefined ? null : (before[name] ?? null)) !== (row[name] ?? null);
    const changed = new Set(Object.keys(row).filter((name) => differs(name) && !(before && systemStamps.has(name))));
    this.#changes.push({ type, object: object.name, before, row, changed, writer });
  }

  #touched({ userId }: Writer): Row {
    const stamp = this.#stamp();
    return { LastModifiedDate: stamp, LastModifiedById: userId, SystemModstamp: stamp };
  }

  #commit(): void {
    const changes = this.#changes;
    this.#changes = [];
    this.#store.commit();
    if (changes.length > 0) this.#options.onCommit(changes);
  }

  #stamp(): string {
    return stampOf(this.#options.now());
  }
}

/** The parts of a compound field that are set; null when none is. */
export function compoundOf(parts: Readonly<Record<string, string>>, row: Row): Row | null {
  const set = Object.entries(parts)
    .map(([part, field]) => [part, valueOf(row, field)] as const)
    .filter(([, value]) => value !== null);
  return set.length === 0 ? null : Object.fromEntries(set);
}

function isParent(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readOnly(field: FieldSchema): RestError {
  return new RestError(
    400,
    'INVALID_FIELD_FOR_INSERT_UPDATE',
    `Unable to create/update fields: ${field.name}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`,
    [field.name],
  );
}
