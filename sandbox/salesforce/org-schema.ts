import { fieldOf, type CustomField, type CustomFieldTypes, type FieldSchema, type FieldType } from './field-schema.js';
import { serialOf } from './record-id.js';
import { standardObjects, systemFields, type ObjectDefinition } from './standard-objects.js';

export interface ObjectSchema {
  readonly name: string;
  readonly prefix: string;
  /** By name in lower case. */
  readonly fields: Map<string, FieldSchema>;
  readonly compounds: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly isStreamable: boolean;
}

export interface OrgSchemaOptions {
  readonly customFields?: CustomFieldTypes;
  /** Whether nothing exists but what was declared. Default: a custom object or field comes to be when it is used. */
  readonly isStrict?: boolean;
}

const readOnlyFields = new Set(Object.keys(systemFields).filter((name) => name !== 'OwnerId'));

/**
 * What the org knows. A few standard objects are described, and what was declared. Unless it is strict, every object and
 * field whose name ends in `__c` is taken to exist, so that a flow can be tried without describing the org first.
 */
export class OrgSchema {
  readonly #objects = new Map<string, ObjectSchema>();
  readonly #isStrict: boolean;

  constructor({ customFields = {}, isStrict = false }: OrgSchemaOptions = {}) {
    this.#isStrict = isStrict;
    for (const [name, definition] of Object.entries(standardObjects)) this.#add(name, definition);
    for (const [name, fields] of Object.entries(customFields)) {
      const object = this.#objects.get(name.toLowerCase()) ?? this.#addCustom(name);
      for (const [field, spec] of Object.entries(fields)) object.fields.set(field.toLowerCase(), declared(field, spec));
    }
  }

  list(): ObjectSchema[] {
    return [...this.#objects.values()];
  }

  find(name: string): ObjectSchema | undefined {
    const known = this.#objects.get(name.toLowerCase());
    if (known !== undefined || this.#isStrict || !/^[a-z]\w*__[ce]$/i.test(name)) return known;
    return this.#addCustom(name);
  }

  /** The object that an id belongs to. */
  ofId(id: string): ObjectSchema | undefined {
    return this.list().find(({ prefix }) => id.startsWith(prefix));
  }

  /** The field under its proper spelling; undefined when the object has no such field. */
  field(object: ObjectSchema, name: string): FieldSchema | undefined {
    const known = object.fields.get(name.toLowerCase());
    if (known !== undefined || this.#isStrict || !/^[a-z]\w*__c$/i.test(name)) return known;
    return { ...fieldOf(name, 'string'), isKeyOnUse: true, isImplied: true };
  }

  /** Adds a field that is written for the first time, so that `describe` tells of it. */
  adopt(object: ObjectSchema, field: FieldSchema, value: unknown): void {
    const key = field.name.toLowerCase();
    if (!field.isImplied || object.fields.has(key) || value === null) return;
    const types: Readonly<Record<string, FieldType>> = { number: 'double', boolean: 'boolean' };
    object.fields.set(key, { ...field, type: types[typeof value] ?? 'string' });
  }

  #addCustom(name: string): ObjectSchema {
    const isEvent = name.toLowerCase().endsWith('__e');
    const prefix = `${isEvent ? 'e' : 'a'}${(serialOf(name) % 1_296).toString(36).padStart(2, '0')}`;
    return this.#add(name, { prefix, fields: isEvent ? {} : { Name: 'string:80' }, isStreamable: !isEvent });
  }

  #add(name: string, { prefix, fields, compounds = {}, readOnly = [], isStreamable = false }: ObjectDefinition) {
    const schemas = Object.entries({ ...systemFields, ...fields }).map(([field, spec]) =>
      fieldOf(field, spec, readOnlyFields.has(field) || readOnly.includes(field)),
    );
    const addresses = Object.keys(compounds)
      .filter((compound) => compound.endsWith('Address'))
      .map((compound) => fieldOf(compound, 'address', true));
    const object: ObjectSchema = {
      name,
      prefix,
      fields: new Map([...schemas, ...addresses].map((field) => [field.name.toLowerCase(), field])),
      compounds,
      isStreamable,
    };
    this.#objects.set(name.toLowerCase(), object);
    return object;
  }
}

/** A type alone says no more than what the field holds: it may be used as a key like any field nobody declared. */
function declared(name: string, spec: FieldType | CustomField): FieldSchema {
  return { ...fieldOf(name, spec), isKeyOnUse: typeof spec === 'string' };
}
