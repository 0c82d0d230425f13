import { PatchbayError } from '#sdk';
import { parseKey } from './sync-chain.js';
import type { SyncRecord } from './sync-records.js';
import type { RecordSync } from './sync-run.js';

type Named = Pick<SyncRecord, 'id' | 'key'>;

/** Why a text cannot be a key of the contract. */
export function keyRefusal({ parts: { chain, mapping } }: RecordSync, text: string, id?: string): PatchbayError {
  const whose = id === undefined ? 'The event' : `${mapping.salesforce.object} ${id}`;
  return new PatchbayError('salesforce.data', {
    detail: `${whose} has ${JSON.stringify(text.slice(0, 80))} as its key, and a key of the contract is of type ${chain.keyType}`,
    fix: `Correct ${mapping.salesforce.key}; the change itself starts the next attempt.`,
  });
}

/**
 * Keeps in the ledger that a record has a key which the contract cannot have. The row goes by the id of the record, which
 * is no key either, so that it is found whatever the record is called next.
 *
 * @returns why it failed
 */
export async function noteMisfit(
  sync: RecordSync,
  record: Named,
  owner: string,
  pass?: string,
): Promise<PatchbayError> {
  const { ledger, scope } = sync.parts;
  const refusal = keyRefusal(sync, record.key, record.id);
  const { code, detail: message, fix } = refusal;
  // Whoever holds it notes the same.
  if ((await ledger.take(scope, record.id, owner)) !== undefined) {
    await ledger.settle(scope, record.id, {
      state: 'failed',
      error: { code, message, ...(fix !== undefined && { fix }) },
      owner,
      ...(pass !== undefined && { pass }),
    });
  }
  return refusal;
}

/** The record has a key, none, or is gone: what was noted of it is over. */
export async function forgetMisfit({ parts: { ledger, scope } }: RecordSync, id: string): Promise<void> {
  await ledger.forget(scope, id);
}

/** Whether a row of the ledger tells of a record rather than of a key. */
export function isMisfit({ parts: { chain } }: RecordSync, rowKey: string): boolean {
  return parseKey(rowKey, chain.keyType) === undefined;
}

/** What a pass finds of a record that did not fit before. @returns whether it still does not */
export async function isStillMisfit(
  sync: RecordSync,
  id: string,
  { owner, pass }: { readonly owner: string; readonly pass: string },
  signal: AbortSignal,
): Promise<boolean> {
  const { records, chain } = sync.parts;
  const record = await records.byId(id, signal);
  const isOver =
    record === undefined || record.isDeleted || record.key === '' || parseKey(record.key, chain.keyType) !== undefined;
  if (isOver) await forgetMisfit(sync, id);
  else await noteMisfit(sync, record, owner, pass);
  return !isOver;
}
