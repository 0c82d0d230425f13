import { serialOf } from './record-id.js';
import { RestError } from './rest-error.js';

export type FieldType =
  'id' | 'string' | 'email' | 'textarea' | 'boolean' | 'double' | 'date' | 'datetime' | 'reference';

export interface FieldSchema {
  readonly name: string;
  readonly type: FieldType;
  readonly length: number;
  readonly isRequired: boolean;
  /** Set by Salesforce only. */
  readonly isReadOnly: boolean;
}

export interface ObjectSchema {
  readonly name: string;
  readonly prefix: string;
  readonly fields: ReadonlyMap<string, FieldSchema>;
}

type FieldSpec = FieldType | `${FieldType}!` | `${FieldType}:${number}` | `${FieldType}:${number}!`;

const systemFields: Record<string, FieldSpec> = {
  Id: 'id',
  IsDeleted: 'boolean',
  OwnerId: 'reference',
  CreatedDate: 'datetime',
  CreatedById: 'reference',
  LastModifiedDate: 'datetime',
  LastModifiedById: 'reference',
  SystemModstamp: 'datetime',
};
const readOnlyFields = new Set(Object.keys(systemFields).filter((name) => name !== 'OwnerId'));

const standardObjects: Record<string, { readonly prefix: string; readonly fields: Record<string, FieldSpec> }> = {
  Account: {
    prefix: '001',
    fields: {
      Name: 'string!',
      AccountNumber: 'string:40',
      Type: 'string',
      Industry: 'string',
      Phone: 'string:40',
      Website: 'string',
      BillingCity: 'string:40',
      BillingCountry: 'string:80',
      AnnualRevenue: 'double',
      NumberOfEmployees: 'double',
      Description: 'textarea:32000',
      ParentId: 'reference',
    },
  },
  Contact: {
    prefix: '003',
    fields: {
      FirstName: 'string:40',
      LastName: 'string:80!',
      Email: 'email:80',
      Phone: 'string:40',
      MobilePhone: 'string:40',
      Title: 'string:128',
      Department: 'string:80',
      Birthdate: 'date',
      MailingCity: 'string:40',
      MailingCountry: 'string:80',
      LeadSource: 'string',
      Description: 'textarea:32000',
      AccountId: 'reference',
    },
  },
  Opportunity: {
    prefix: '006',
    fields: {
      Name: 'string:120!',
      StageName: 'string!',
      CloseDate: 'date!',
      Amount: 'double',
      Probability: 'double',
      Type: 'string',
      LeadSource: 'string',
      NextStep: 'string',
      Description: 'textarea:32000',
      AccountId: 'reference',
      ContactId: 'reference',
    },
  },
  PushTopic: {
    prefix: '0IF',
    fields: {
      Name: 'string:25!',
      Query: 'string:1300!',
      ApiVersion: 'double!',
      IsActive: 'boolean',
      Description: 'string:400',
      NotifyForFields: 'string',
      NotifyForOperationCreate: 'boolean',
      NotifyForOperationUpdate: 'boolean',
      NotifyForOperationDelete: 'boolean',
      NotifyForOperationUndelete: 'boolean',
    },
  },
};

/** Types of custom fields, by object and field name, for fields that are not plain text. */
export type CustomFieldTypes = Readonly<Record<string, Readonly<Record<string, FieldType>>>>;

/**
 * What the org knows. A few standard objects are described; every object and field whose name ends in `__c` is taken to
 * exist, so that a flow can be tried without describing the org first. A custom field holds what it is given unless its
 * type was declared.
 */
export class OrgSchema {
  readonly #objects = new Map<string, ObjectSchema>();
  readonly #customTypes: CustomFieldTypes;

  constructor(customTypes: CustomFieldTypes = {}) {
    this.#customTypes = customTypes;
    for (const [name, { prefix, fields }] of Object.entries(standardObjects)) this.#add(name, prefix, fields);
  }

  list(): ObjectSchema[] {
    return [...this.#objects.values()];
  }

  find(name: string): ObjectSchema | undefined {
    const known = this.#objects.get(name.toLowerCase());
    if (known !== undefined || !/^[a-z]\w*__c$/i.test(name)) return known;
    const prefix = `a${(serialOf(name) % 1_296).toString(36).padStart(2, '0')}`;
    return this.#add(name, prefix, { Name: 'string:80' });
  }

  /** The field under its proper spelling; undefined when the object has no such field. */
  field(object: ObjectSchema, name: string): FieldSchema | undefined {
    const known = object.fields.get(name.toLowerCase());
    if (known !== undefined || !/^[a-z]\w*__c$/i.test(name)) return known;
    const declared = Object.entries(this.#customTypes[object.name] ?? {}).find(
      ([custom]) => custom.toLowerCase() === name.toLowerCase(),
    );
    return {
      name: declared?.[0] ?? name,
      type: declared?.[1] ?? 'string',
      length: 255,
      isRequired: false,
      isReadOnly: false,
    };
  }

  /** The value as the field stores it. */
  accept(field: FieldSchema, value: unknown): unknown {
    if (value === null || value === undefined) return null;
    if (field.type === 'boolean') return acceptBoolean(field, value);
    if (field.type === 'double' || typeof value === 'number') return acceptNumber(field, value);
    if (typeof value === 'boolean') return value;
    if (typeof value !== 'string') throw cannotDeserialize(field, value);
    const text = value.trim();
    if (text === '') return null;
    if (text.length > field.length) {
      throw new RestError(
        400,
        'STRING_TOO_LONG',
        `${field.name}: data value too large: ${text.slice(0, 40)} (max length=${field.length})`,
        [field.name],
      );
    }
    if (field.type === 'email' && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(text)) {
      throw new RestError(400, 'INVALID_EMAIL_ADDRESS', `${field.name}: invalid email address: ${text}`, [field.name]);
    }
    if ((field.type === 'date' || field.type === 'datetime') && Number.isNaN(Date.parse(text))) {
      throw cannotDeserialize(field, value);
    }
    return text;
  }

  #add(name: string, prefix: string, specs: Record<string, FieldSpec>): ObjectSchema {
    const fields = new Map<string, FieldSchema>();
    for (const [field, spec] of Object.entries({ ...systemFields, ...specs })) {
      const [, type = 'string', length = '255', required = ''] = /^([a-z]+):?(\d*)(!?)$/.exec(spec) ?? [];
      fields.set(field.toLowerCase(), {
        name: field,
        type: type as FieldType,
        length: Number(length || 255),
        isRequired: required === '!',
        isReadOnly: readOnlyFields.has(field),
      });
    }
    if (name === 'Contact') {
      fields.set('name', { name: 'Name', type: 'string', length: 121, isRequired: false, isReadOnly: true });
    }
    const object = { name, prefix, fields };
    this.#objects.set(name.toLowerCase(), object);
    return object;
  }
}

function acceptBoolean(field: FieldSchema, value: unknown): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw cannotDeserialize(field, value);
}

function acceptNumber(field: FieldSchema, value: unknown): number {
  const text = String(value).trim();
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) throw cannotDeserialize(field, value);
  const number = Number(text);
  if (Math.abs(number) >= 1e18) {
    throw new RestError(
      400,
      'NUMBER_OUTSIDE_VALID_RANGE',
      `${field.name}: value outside of valid range on numeric field: ${text}`,
      [field.name],
    );
  }
  return number;
}

function cannotDeserialize(field: FieldSchema, value: unknown): RestError {
  return new RestError(
    400,
    'JSON_PARSER_ERROR',
    `Cannot deserialize instance of ${field.type} from value ${JSON.stringify(value)} for field ${field.name}`,
  );
}
