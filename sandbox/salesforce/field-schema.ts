export type FieldType =
  | 'id'
  | 'string'
  | 'email'
  | 'phone'
  | 'url'
  | 'textarea'
  | 'picklist'
  | 'boolean'
  | 'int'
  | 'double'
  | 'currency'
  | 'percent'
  | 'date'
  | 'datetime'
  | 'reference'
  | 'address'
  | 'base64';

/** A custom field as an administrator would set it up. What is left out has the default of Salesforce. */
export interface CustomField {
  readonly type: FieldType;
  /** Of text; default 255, of a text area 32,768. */
  readonly length?: number;
  /** Digits of a number in all, at most 18. */
  readonly precision?: number;
  /** Digits after the point; what is written is rounded to them. */
  readonly scale?: number;
  readonly required?: boolean;
  readonly unique?: boolean;
  /** May be used by an upsert; several rows can share a value unless the field is also unique. */
  readonly externalId?: boolean;
  readonly caseSensitive?: boolean;
  readonly picklist?: readonly string[];
  /** Refuses what is not in the pick list. */
  readonly restricted?: boolean;
  /** Cannot be written: a formula, or a field that the profile of the user may only read. */
  readonly readOnly?: boolean;
  readonly referenceTo?: string;
}

/** Custom fields by object and name; where nothing but the type matters, the type alone. */
export type CustomFieldTypes = Readonly<Record<string, Readonly<Record<string, FieldType | CustomField>>>>;

export interface FieldSchema {
  readonly name: string;
  readonly type: FieldType;
  readonly length: number;
  readonly precision: number | undefined;
  readonly scale: number | undefined;
  readonly isRequired: boolean;
  /** Set by Salesforce only. */
  readonly isReadOnly: boolean;
  readonly isUnique: boolean;
  readonly isExternalId: boolean;
  readonly isCaseSensitive: boolean;
  readonly picklist: readonly string[] | undefined;
  readonly isRestricted: boolean;
  readonly referenceTo: string | undefined;
  /** Becomes a unique key when an upsert first uses it: nobody said whether it is one. */
  readonly isKeyOnUse: boolean;
  /** Nobody declared it: it came to be when it was first used, and holds what it is given. */
  readonly isImplied: boolean;
}

export type FieldSpec = FieldType | `${FieldType}!` | `${FieldType}:${number}` | `${FieldType}:${number}!`;

/** Reads `string:40!`: the type, the length, and whether a value is required. */
export function fieldOf(name: string, spec: FieldSpec | CustomField, isReadOnly = false): FieldSchema {
  const { type, length, ...rest } = typeof spec === 'string' ? parseSpec(spec) : spec;
  return {
    name,
    type,
    length: length ?? defaultLength(type),
    precision: rest.precision ?? (isNumeric(type) ? 18 : undefined),
    scale: rest.scale ?? (type === 'int' ? 0 : undefined),
    isRequired: rest.required ?? false,
    isReadOnly: isReadOnly || (rest.readOnly ?? false),
    isUnique: rest.unique ?? false,
    isExternalId: rest.externalId ?? false,
    isCaseSensitive: rest.caseSensitive ?? false,
    picklist: rest.picklist,
    isRestricted: rest.restricted ?? false,
    referenceTo: rest.referenceTo,
    isKeyOnUse: false,
    isImplied: false,
  };
}

export function isNumeric(type: FieldType): boolean {
  return type === 'double' || type === 'int' || type === 'currency' || type === 'percent';
}

function parseSpec(spec: FieldSpec): CustomField {
  const [, type = 'string', length = '', required = ''] = /^([a-z0-9]+):?(\d*)(!?)$/.exec(spec) ?? [];
  return {
    // The template type of a spec admits these only.
    type: type as FieldType,
    ...(length !== '' && { length: Number(length) }),
    required: required === '!',
  };
}

function defaultLength(type: FieldType): number {
  if (type === 'textarea') return 32_768;
  if (type === 'id' || type === 'reference') return 18;
  return isNumeric(type) || ['boolean', 'date', 'datetime', 'address', 'base64'].includes(type) ? 0 : 255;
}
