import { stringify } from 'yaml';
import type { Join } from './sync-fields.js';

export interface SyncDraft {
  readonly name: string;
  readonly connection: string;
  readonly object: string;
  readonly key: string;
  readonly network: string | undefined;
  readonly contract: string;
  readonly events: readonly string[];
  readonly eventKey: string;
  readonly read: string;
  readonly exists: string | undefined;
  readonly write: string | undefined;
  readonly remove: string | undefined;
  readonly from: string | undefined;
  readonly fields: readonly Join[];
  readonly mark: string | undefined;
}

/** The file of a sync, for people to read and to go on with. */
export function syncText(draft: SyncDraft): string {
  const { name, connection, object, key, network, contract, events, eventKey, read, exists } = draft;
  const { write, remove, from, fields, mark } = draft;
  const document = {
    sync: name,
    description: `Keeps ${object} and ${contract} the same.`,
    salesforce: { connection, object, key },
    chain: without({ network, contract, events, key: eventKey, read, exists, write, remove, from }),
    fields,
    conflict: 'chain',
    ...(mark !== undefined && { deletes: { onChain: 'mark', mark } }),
  };
  return stringify(document, { lineWidth: 0 });
}

function without(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));
}
