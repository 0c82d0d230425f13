import { isNumeric, type FieldSchema } from './field-schema.js';
import type { ObjectSchema } from './org-schema.js';

/** What `describeGlobal` says of an object. */
export function describeBrief({ name, prefix, isStreamable }: ObjectSchema, version: string): Record<string, unknown> {
  const base = `/services/data/v${version}/sobjects/${name}`;
  const isEvent = name.endsWith('__e');
  return {
    name,
    label: labelOf(name),
    labelPlural: `${labelOf(name)}s`,
    keyPrefix: prefix,
    custom: /__[ce]$/.test(name),
    createable: true,
    queryable: !isEvent,
    updateable: !isEvent,
    deletable: !isEvent,
    undeletable: !isEvent,
    retrieveable: !isEvent,
    replicateable: !isEvent,
    triggerable: isStreamable,
    urls: { sobject: base, describe: `${base}/describe`, rowTemplate: `${base}/{ID}` },
  };
}

/** What `describe` says of an object and its fields. */
export function describeFull(object: ObjectSchema, version: string): Record<string, unknown> {
  return {
    ...describeBrief(object, version),
    fields: [...object.fields.values()].map((field) => describeField(object, field)),
  };
}

function describeField(object: ObjectSchema, field: FieldSchema): Record<string, unknown> {
  const compound = Object.entries(object.compounds).find(([, parts]) => Object.values(parts).includes(field.name));
  const isKey = field.isExternalId || (field.isKeyOnUse && field.name.endsWith('__c'));
  return {
    name: field.name,
    label: labelOf(field.name),
    type: field.type,
    soapType: soapType(field),
    length: field.length,
    byteLength: field.length * 3,
    precision: field.precision ?? 0,
    scale: field.scale ?? 0,
    digits: field.type === 'int' ? 9 : 0,
    custom: field.name.endsWith('__c'),
    nillable: !field.isRequired && !field.isReadOnly,
    createable: !field.isReadOnly,
    updateable: !field.isReadOnly,
    defaultedOnCreate: field.name === 'OwnerId' || field.type === 'boolean' || field.isReadOnly,
    calculated: field.isReadOnly && field.name.endsWith('__c'),
    externalId: isKey,
    idLookup: isKey || field.name === 'Id',
    unique: field.isUnique,
    caseSensitive: field.isCaseSensitive,
    filterable: field.type !== 'textarea' && field.type !== 'base64',
    sortable: field.type !== 'textarea' && field.type !== 'base64',
    restrictedPicklist: field.isRestricted,
    picklistValues: (field.picklist ?? []).map((value) => ({ value, label: value, active: true, defaultValue: false })),
    referenceTo: [field.referenceTo ?? []].flat(),
    relationshipName: field.type === 'reference' && field.name.endsWith('Id') ? field.name.slice(0, -2) : null,
    compoundFieldName: compound?.[0] ?? null,
  };
}

function labelOf(name: string): string {
  return name
    .replace(/__[cer]$/, '')
    .replace(/_/g, ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2');
}

function soapType({ type }: FieldSchema): string {
  if (type === 'id' || type === 'reference') return 'tns:ID';
  if (type === 'int' || type === 'boolean' || type === 'date') return `xsd:${type}`;
  if (type === 'datetime') return 'xsd:dateTime';
  if (type === 'address') return 'urn:address';
  if (type === 'base64') return 'xsd:base64Binary';
  return isNumeric(type) ? 'xsd:double' : 'xsd:string';
}
