import { PatchbayError, defineAction, z } from '#sdk';
import { salesforceOrg } from './connection.js';
import { recordId } from './field-schemas.js';
import { parseKey } from './sync-chain.js';
import { keyOfEcho } from './sync-echo.js';
import { syncMapping, writesToChain } from './sync-mapping.js';
import { forgetMisfit, keyRefusal, noteMisfit } from './sync-misfits.js';
import { checkSync, openSync } from './sync-open.js';
import type { RecordSync } from './sync-run.js';

export const syncName = () =>
  z.string().min(1).max(100).meta({ title: 'Sync', description: 'Under this name it remembers what was agreed on.' });

export const syncIdentity = () =>
  z.string().min(1).max(64).meta({ title: 'Identity', description: 'Rows made under another one count as unknown.' });

const input = z.strictObject({
  sync: syncName(),
  identity: syncIdentity(),
  mapping: syncMapping,
  key: z.string().min(1).max(500).optional().meta({ title: 'Key', description: 'Of the entry on the chain.' }),
  recordId: recordId().optional().meta({ title: 'Record', description: 'Instead of the key.' }),
  seen: z.record(z.string(), z.unknown()).optional().meta({
    title: 'Seen',
    description: 'Fields that an event showed; when all of them were agreed on, nothing is read.',
  }),
  change: z
    .string()
    .optional()
    .meta({ title: 'Change', description: 'What the event says became of the record: created, updated, deleted …' }),
  reverted: z
    .boolean()
    .default(false)
    .meta({ title: 'Reverted', description: 'The event that tells of the key has vanished in a reorganisation.' }),
});

const done = z.object({
  key: z.string(),
  outcome: z.enum(['agreed', 'synced', 'sent']),
  record: z.enum(['create', 'update', 'delete']).optional(),
  fields: z.array(z.string()),
  functions: z.array(z.string()),
  transactions: z.array(z.string()),
});

export const syncRecord = defineAction({
  title: 'Sync a record',
  summary: 'Makes a record and its entry in a contract agree, whatever has changed on either side.',
  connection: salesforceOrg,
  input,
  output: z.object({ synced: z.array(done), isEcho: z.boolean() }),
  examples: [
    {
      sync: 'member-balances',
      identity: '4f1c',
      key: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
      mapping: {
        salesforce: { object: 'Member__c', key: 'Wallet__c' },
        chain: { contract: 'member-registry', events: ['MemberSet'], key: 'member', read: 'memberOf' },
        fields: [{ salesforce: 'Name', chain: 'name', direction: 'toSalesforce' }],
      },
    },
  ],
  repeatable:
    'It compares what is there now with what was agreed on last and writes only what differs. What it writes it notes first, and a transaction has one nonce for ever, so done again after a crash it finishes what was begun.',
  movesValue: ({ mapping }) => writesToChain(mapping),
  async check({ input: written, client, use, signal }) {
    const mapping = syncMapping.safeParse(written['mapping']);
    if (!mapping.success) return [];
    const { faults } = await checkSync({ client, use, signal }, mapping.data);
    return faults.map((fault) => ({ ...fault, pointer: `/mapping${fault.pointer}` }));
  },
  async run({ input: given, client, use, signal, idempotencyKey, flow }) {
    const { sync, identity, mapping, seen, reverted } = given;
    const scope = { sync, identity };
    const opened = await openSync({ client, use, signal, flow }, scope, mapping);
    const keys = given.key === undefined ? undefined : [keyOrRefusal(opened, given.key)];
    const isChange = given.change === 'created' || given.change === 'updated';
    const ownerOf = (key: string) => `${idempotencyKey}:${key}`;
    const echoed = keys === undefined && isChange ? await keyOfEcho(opened, given.recordId, seen) : undefined;
    if (echoed !== undefined) {
      // An attempt that a crash has ended may hold it still, and there is nobody else to give it back.
      await opened.parts.ledger.release(scope, echoed, ownerOf(echoed));
      return { synced: [], isEcho: true };
    }
    const synced = [];
    for (const key of keys ?? (await keysOfRecord(opened, given.recordId, idempotencyKey, signal))) {
      const wish = { owner: ownerOf(key), waits: true, isReverted: reverted };
      const { fields, functions, transactions, ...result } = await opened.sync(key, wish, signal);
      synced.push({ key, ...result, fields: [...fields], functions: [...functions], transactions: [...transactions] });
    }
    return { synced, isEcho: false };
  },
});

/** The key it was known by, and the one it has now: a person may have given it another. */
async function keysOfRecord(
  opened: RecordSync,
  id: string | undefined,
  owner: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (id === undefined) throw new PatchbayError('flow.input', { detail: 'Either key or recordId is needed' });
  const { ledger, scope, records, chain } = opened.parts;
  const before = await ledger.keyOf(scope, id);
  const record = await records.byId(id, signal);
  const now = record === undefined ? undefined : parseKey(record.key, chain.keyType);
  if (record !== undefined && !record.isDeleted && record.key !== '' && now === undefined) {
    throw await noteMisfit(opened, record, owner);
  }
  await forgetMisfit(opened, record?.id ?? id);
  return [...new Set([before, now].filter((key) => key !== undefined))];
}

function keyOrRefusal(opened: RecordSync, text: string): string {
  const key = parseKey(text, opened.parts.chain.keyType);
  if (key !== undefined) return key;
  throw keyRefusal(opened, text);
}
