import type { FieldSchema, ObjectSchema, OrgSchema } from './org-schema.js';
import { parseRecordId, recordId } from './record-id.js';
import { RestError } from './rest-error.js';
import type { Soql } from './soql.js';
import { matches, sortRows, valueOf, type Row } from './soql-rows.js';

export type ChangeType = 'created' | 'updated' | 'deleted';

export interface RecordChange {
  readonly type: ChangeType;
  readonly object: string;
  readonly row: Row;
  /** Names of the fields whose value differs from before; every field that is set when the row was created. */
  readonly changed: ReadonlySet<string>;
}

export interface RecordsState {
  readonly instance: string;
  readonly serial: number;
  readonly tables: Readonly<Record<string, readonly Row[]>>;
  readonly externalIds: readonly string[];
}

export interface RecordsOptions {
  readonly schema: OrgSchema;
  readonly now: () => Date;
  readonly onChange: (change: RecordChange) => void;
  /** Fields, as `Contact.Wallet__c`, whose values must differ; a field used by an upsert becomes one. */
  readonly externalIds: readonly string[];
  readonly instance: string;
}

/** The rows of the org, with what Salesforce checks and adds: ids, stamps, required fields, unique external ids. */
export class Records {
  readonly #options: RecordsOptions;
  readonly #tables = new Map<string, Map<string, Row>>();
  /** By `object.field` in lower case: the row that holds a value, which is compared without regard to letter case. */
  readonly #indexes = new Map<string, Map<string, string>>();
  #instance: string;
  #serial = 0;
  #undo: (() => void)[] | undefined;
  #changes: RecordChange[] = [];

  constructor(options: RecordsOptions) {
    this.#options = options;
    this.#instance = options.instance;
    for (const name of options.externalIds) this.#index(name);
  }

  get schema(): OrgSchema {
    return this.#options.schema;
  }

  /** All or nothing, and what changed is told at the end only. */
  transaction<T>(work: () => T): T {
    if (this.#undo !== undefined) return work();
    this.#undo = [];
    try {
      const result = work();
      const changes = this.#changes;
      this.#settle();
      for (const change of changes) this.#options.onChange(change);
      return result;
    } catch (error) {
      for (const undo of this.#undo.reverse()) undo();
      this.#settle();
      throw error;
    }
  }

  create(objectName: string, values: Row, userId: string): Row {
    return this.transaction(() => {
      const object = this.object(objectName);
      const fields = this.#accepted(object, values);
      for (const field of object.fields.values()) {
        if (field.isRequired && (fields[field.name] ?? null) === null) {
          throw new RestError(400, 'REQUIRED_FIELD_MISSING', `Required fields are missing: [${field.name}]`, [
            field.name,
          ]);
        }
      }
      const stamp = this.#stamp();
      const row = this.#named(object, {
        Id: recordId(object.prefix, this.#instance, ++this.#serial),
        ...fields,
        OwnerId: fields['OwnerId'] ?? userId,
        IsDeleted: false,
        CreatedDate: stamp,
        CreatedById: userId,
        LastModifiedDate: stamp,
        LastModifiedById: userId,
        SystemModstamp: stamp,
      });
      this.#put(object, undefined, row);
      const changed = new Set(Object.keys(row).filter((name) => row[name] !== null));
      this.#changes.push({ type: 'created', object: object.name, row, changed });
      return row;
    });
  }

  update(objectName: string, id: string, values: Row, userId: string): Row {
    return this.transaction(() => {
      const object = this.object(objectName);
      const before = this.get(objectName, id);
      const fields = this.#accepted(object, values);
      for (const field of object.fields.values()) {
        if (field.isRequired && fields[field.name] === null) {
          throw new RestError(400, 'REQUIRED_FIELD_MISSING', `Required fields are missing: [${field.name}]`, [
            field.name,
          ]);
        }
      }
      const changed = new Set(Object.keys(fields).filter((name) => (before[name] ?? null) !== fields[name]));
      const stamp = this.#stamp();
      const row = this.#named(object, {
        ...before,
        ...fields,
        LastModifiedDate: stamp,
        LastModifiedById: userId,
        SystemModstamp: stamp,
      });
      this.#put(object, before, row);
      this.#changes.push({ type: 'updated', object: object.name, row, changed });
      return row;
    });
  }

  /** Creates the row, or updates the one whose external id field holds the value. */
  upsert(
    objectName: string,
    fieldName: string,
    value: string,
    values: Row,
    userId: string,
  ): { readonly row: Row; readonly isCreated: boolean } {
    const object = this.object(objectName);
    if (fieldName.toLowerCase() === 'id') {
      return { row: this.update(objectName, value, values, userId), isCreated: false };
    }
    const field = this.schema.field(object, fieldName);
    if (field === undefined || !fieldName.toLowerCase().endsWith('__c')) {
      throw new RestError(
        404,
        'NOT_FOUND',
        `Provided external ID field does not exist or is not accessible: ${fieldName}`,
      );
    }
    if (Object.keys(values).some((name) => name.toLowerCase() === field.name.toLowerCase())) {
      throw new RestError(
        400,
        'INVALID_FIELD',
        `The ${field.name} field should not be specified in the sobject data.`,
        [field.name],
      );
    }
    const index = this.#index(`${object.name}.${field.name}`);
    const found = index.get(value.trim().toLowerCase());
    if (found !== undefined) return { row: this.update(objectName, found, values, userId), isCreated: false };
    return { row: this.create(objectName, { ...values, [field.name]: value }, userId), isCreated: true };
  }

  delete(objectName: string, id: string): void {
    this.transaction(() => {
      const object = this.object(objectName);
      const before = this.get(objectName, id);
      this.#put(object, before, { ...before, IsDeleted: true, SystemModstamp: this.#stamp() });
      this.#changes.push({ type: 'deleted', object: object.name, row: before, changed: new Set() });
    });
  }

  get(objectName: string, idText: string): Row {
    const object = this.object(objectName);
    const id = parseRecordId(idText);
    if (id === undefined) throw new RestError(400, 'MALFORMED_ID', `bad id ${idText}`, ['Id']);
    const row = this.#table(object.name).get(id);
    if (row === undefined)
      throw new RestError(404, 'NOT_FOUND', 'Provided external ID field does not exist or is not accessible: Id');
    if (row['IsDeleted'] === true) throw new RestError(404, 'ENTITY_IS_DELETED', 'entity is deleted', []);
    return row;
  }

  findByExternalId(objectName: string, fieldName: string, value: string): Row | undefined {
    const object = this.object(objectName);
    if (!fieldName.toLowerCase().endsWith('__c')) return undefined;
    const id = this.#index(`${object.name}.${fieldName}`).get(value.trim().toLowerCase());
    return id === undefined ? undefined : this.#table(object.name).get(id);
  }

  list(objectName: string): Row[] {
    return [...this.#table(objectName).values()].filter((row) => row['IsDeleted'] !== true);
  }

  select(soql: Soql, includesDeleted: boolean): Row[] {
    const rows = includesDeleted ? [...this.#table(this.object(soql.object).name).values()] : this.list(soql.object);
    const found = sortRows(
      rows.filter((row) => matches(soql.where, row)),
      soql.orderBy,
    );
    return found.slice(soql.offset, soql.limit === undefined ? undefined : soql.offset + soql.limit);
  }

  object(name: string): ObjectSchema {
    const object = this.schema.find(name);
    if (object === undefined) throw new RestError(404, 'NOT_FOUND', 'The requested resource does not exist');
    return object;
  }

  export(): RecordsState {
    return {
      instance: this.#instance,
      serial: this.#serial,
      tables: Object.fromEntries([...this.#tables].map(([name, rows]) => [this.object(name).name, [...rows.values()]])),
      externalIds: [...this.#indexes.keys()],
    };
  }

  import(state: RecordsState): void {
    this.#instance = state.instance;
    this.#serial = state.serial;
    for (const [name, rows] of Object.entries(state.tables)) {
      this.#tables.set(this.object(name).name.toLowerCase(), new Map(rows.map((row) => [String(row['Id']), row])));
    }
    this.#indexes.clear();
    for (const name of state.externalIds) this.#index(name);
  }

  #table(name: string): Map<string, Row> {
    const key = name.toLowerCase();
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    const table = new Map<string, Row>();
    this.#tables.set(key, table);
    return table;
  }

  #index(name: string): Map<string, string> {
    const key = name.toLowerCase();
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const [object = '', field = ''] = key.split('.');
    const index = new Map<string, string>();
    for (const row of this.list(object)) {
      const value = valueOf(row, field);
      if (value !== null) index.set(String(value).toLowerCase(), String(row['Id']));
    }
    this.#indexes.set(key, index);
    return index;
  }

  #accepted(object: ObjectSchema, values: Row): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values)) {
      if (name === 'attributes') continue;
      const field = this.schema.field(object, name);
      if (field === undefined) {
        throw new RestError(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
      }
      if (field.isReadOnly) throw readOnly(field);
      fields[field.name] = this.schema.accept(field, value);
    }
    return fields;
  }

  #put(object: ObjectSchema, before: Row | undefined, row: Row): void {
    const id = String(row['Id']);
    const table = this.#table(object.name);
    for (const [key, index] of this.#indexes) {
      const [indexed, field = ''] = key.split('.');
      if (indexed !== object.name.toLowerCase()) continue;
      const value = row['IsDeleted'] === true ? null : valueOf(row, field);
      const old = before === undefined ? null : valueOf(before, field);
      const holder = value === null ? undefined : index.get(String(value).toLowerCase());
      if (holder !== undefined && holder !== id) {
        throw new RestError(
          400,
          'DUPLICATE_VALUE',
          `duplicate value found: ${field} duplicates value on record with id: ${holder}`,
          [],
        );
      }
      if (old !== null) index.delete(String(old).toLowerCase());
      if (value !== null) index.set(String(value).toLowerCase(), id);
      this.#undo?.push(() => {
        if (value !== null) index.delete(String(value).toLowerCase());
        if (old !== null) index.set(String(old).toLowerCase(), id);
      });
    }
    table.set(id, row);
    this.#undo?.push(() => {
      if (before === undefined) table.delete(id);
      else table.set(id, before);
    });
  }

  #named(object: ObjectSchema, row: Record<string, unknown>): Row {
    if (object.name !== 'Contact') return row;
    return { ...row, Name: [row['FirstName'], row['LastName']].filter(Boolean).join(' ') };
  }

  #settle(): void {
    this.#undo = undefined;
    this.#changes = [];
  }

  // Salesforce keeps whole seconds.
  #stamp(): string {
    return `${this.#options.now().toISOString().slice(0, 19)}.000+0000`;
  }
}

function readOnly(field: FieldSchema): RestError {
  return new RestError(
    400,
    'INVALID_FIELD_FOR_INSERT_UPDATE',
    `Unable to create/update fields: ${field.name}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`,
    [field.name],
  );
}
