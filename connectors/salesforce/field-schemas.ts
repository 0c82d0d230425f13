import { PatchbayError, z } from '#sdk';

/** The API name of an object, e.g. `Contact` or `Invoice__c`; it becomes part of an address, so nothing else is let in. */
export function objectName() {
  return apiName().meta({ title: 'Object', examples: ['Contact', 'Invoice__c'] });
}

export function fieldName() {
  return apiName().meta({ title: 'Field', examples: ['Wallet__c'] });
}

export function recordId() {
  return z
    .string()
    .regex(/^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$/, 'must be a record id of 15 or 18 characters')
    .meta({ title: 'Record id', examples: ['006000000000001AAA'] });
}

export function recordFields() {
  return z
    .record(z.string(), z.unknown())
    .meta({ title: 'Fields to set', description: 'By API name; null empties a field.' });
}

export function allowDuplicates() {
  return z.boolean().default(false).meta({
    title: 'Allow duplicates',
    description: 'Saves although a duplicate rule warns, where the rule leaves that to the caller.',
  });
}

/**
 * The value of the external id among the fields, which a record is found by.
 * @throws salesforce.data when it is empty: every record without a value would be the same one
 */
export function matchableValue(matchOn: string, fields: Readonly<Record<string, unknown>>): string {
  const value = fields[matchOn];
  const text =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value).trim() : '';
  if (text !== '' && !/^\.{1,2}$/.test(text)) return text;
  throw new PatchbayError('salesforce.data', {
    detail: `The external id ${matchOn} has no value to match on: ${JSON.stringify(value ?? null)}`,
    fix: `Give ${matchOn} in fields, with a text that differs for every record.`,
  });
}

function apiName() {
  return z.string().regex(/^[A-Za-z]\w*$/, 'must be an API name: letters, digits and underscores');
}
