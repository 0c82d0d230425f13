import { z } from '#sdk';

/** The API name of an object, e.g. `Contact` or `Invoice__c`; it becomes part of an address, so nothing else is let in. */
export function objectName() {
  return apiName().meta({ title: 'Object', examples: ['Contact', 'Invoice__c'] });
}

export function fieldName() {
  return apiName().meta({ title: 'Field', examples: ['Wallet__c'] });
}

export function recordFields() {
  return z
    .record(z.string(), z.unknown())
    .meta({ title: 'Fields to set', description: 'By API name; null empties a field.' });
}

function apiName() {
  return z.string().regex(/^[A-Za-z]\w*$/, 'must be an API name: letters, digits and underscores');
}
