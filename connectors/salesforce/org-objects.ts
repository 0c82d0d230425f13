import { PatchbayError, type BrowsableObjects, type RemoteField } from '#sdk';
import { explainedRefusal, faultOfObject, type FieldDescription } from './object-descriptions.js';
import type { SalesforceClient } from './salesforce.client.js';

const mostFields = 100;

/** The objects of the org and their fields, for whoever sets a connection or a sync up. */
export const orgObjects: BrowsableObjects<SalesforceClient> = {
  async list(client, signal) {
    const names = await client.objects.names(signal);
    return names.map((name) => ({ name, label: name }));
  },

  async describe(client, name, signal) {
    const { name: proper, fields } = await described(client, name, signal);
    const chosen = fields.filter(({ type }) => type !== 'address' && type !== 'location').slice(0, mostFields);
    const soql = `SELECT ${chosen.map((field) => field.name).join(', ')} FROM ${proper} ORDER BY SystemModstamp DESC LIMIT 1`;
    const { records } = await client.query(soql, 1, signal);
    return { name: proper, label: proper, fields: fields.map(fieldOf), sample: records[0] };
  },
};

async function described(client: SalesforceClient, name: string, signal: AbortSignal) {
  try {
    return await client.objects.now(name, signal);
  } catch (thrown) {
    const error = PatchbayError.from(thrown);
    if (error.code !== 'salesforce.notFound') throw error;
    throw explainedRefusal(error, [faultOfObject(name, await client.objects.names(signal))]);
  }
}

function fieldOf(field: FieldDescription): RemoteField {
  const { name, label, type, length, createable, updateable, externalId, idLookup, nillable, defaultedOnCreate } =
    field;
  const isWritable = createable || updateable;
  return {
    name,
    label: label ?? name,
    type,
    ...(length > 0 && { length }),
    isWritable,
    isRequired: createable && nillable === false && defaultedOnCreate !== true && type !== 'boolean',
    isKey: externalId || idLookup,
  };
}
