import type { Bundle, PlainInputField, ZObject } from 'zapier-platform-core';
import { askHub } from './hub.js';

/** Fields that several operations share. */
export const network: PlainInputField = {
  key: 'network',
  label: 'Network',
  type: 'string',
  dynamic: 'network_list.id.name',
  helpText: 'Left empty, it is the default network of the hub.',
  altersDynamicFields: true,
};

export const contract: PlainInputField = {
  key: 'contract',
  label: 'Contract',
  type: 'string',
  required: true,
  dynamic: 'contract_list.id.name',
  dependsOn: ['network'],
  helpText: 'One that the hub knows by name or by address.',
  altersDynamicFields: true,
};

export const burst: PlainInputField = {
  key: 'burst',
  label: 'Many at Once',
  type: 'string',
  choices: { spread: 'One request for each, spread over time', batch: 'Several in one request' },
  default: 'spread',
  helpText: 'How events arrive when many happen together; either way each starts a run of its own.',
};

/** As the hub describes a field; the prefix keeps it apart from the fields beside it. */
type HubField = PlainInputField & { readonly key: string };

export async function fieldsOf(
  z: ZObject,
  bundle: Bundle,
  from: { readonly path: string; readonly params: Readonly<Record<string, unknown>>; readonly prefix: string },
): Promise<PlainInputField[]> {
  const fields = await askHub<HubField[]>(z, bundle, from);
  return fields.map((field) => ({ ...field, key: `${from.prefix}${field.key}` }));
}

/** What was filled in into those fields, by the names that the hub knows. */
export function valuesOf(inputData: Readonly<Record<string, unknown>>, prefix: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(inputData)
      .filter(([key, value]) => key.startsWith(prefix) && value !== undefined && value !== '')
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}
