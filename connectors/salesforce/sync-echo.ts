import { parseKey } from './sync-chain.js';
import type { Agreement } from './sync-merge.js';
import type { RecordSync } from './sync-run.js';

/** The key of an event that shows nothing but what was agreed on: then it tells of the hub's own write. */
export async function keyOfEcho(
  { parts: { ledger, scope, translations, mapping, chain } }: RecordSync,
  id: string | undefined,
  seen: Readonly<Record<string, unknown>> = {},
): Promise<string | undefined> {
  const key = id === undefined ? undefined : await ledger.keyOf(scope, id);
  if (key === undefined) return undefined;
  const row = (await ledger.find(scope, [key])).get(key);
  // What lies in the ledger was put there by the sync itself.
  const agreed = row?.agreed as Agreement | undefined;
  if (agreed === undefined || !agreed.inSalesforce || row?.intent !== undefined) return undefined;
  const fields = new Map([...translations].map(([name, own]) => [name.toLowerCase(), { name, own }]));
  const watched = Object.entries(seen).filter(([name]) => name !== 'Id' && name !== 'LastModifiedDate');
  const isEcho =
    watched.length > 0 &&
    watched.every(([name, raw]) => {
      if (name.toLowerCase() === mapping.salesforce.key.toLowerCase()) {
        return parseKey(String(raw), chain.keyType) === key;
      }
      if (name.toLowerCase() === mapping.deletes.mark?.toLowerCase()) return (raw === true) === (agreed.mark === true);
      const field = fields.get(name.toLowerCase());
      return field !== undefined && field.own.fromRow(raw) === (agreed.fields[field.name]?.salesforce ?? null);
    });
  return isEcho ? key : undefined;
}
