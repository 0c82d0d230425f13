import { defineAction, syncLedger, z } from '#sdk';
import { salesforceOrg } from './connection.js';
import { syncMapping, writesToChain } from './sync-mapping.js';
import { openSync } from './sync-open.js';
import { SyncEverything } from './sync-pass.js';
import { syncIdentity, syncName } from './sync-record.action.js';

export const syncAll = defineAction({
  title: 'Sync everything',
  summary: 'Compares every record with its entry in a contract, and brings in order what differs.',
  connection: salesforceOrg,
  input: z.strictObject({
    sync: syncName(),
    identity: syncIdentity(),
    selection: z.string().min(1).max(64).meta({
      title: 'Selection',
      description: 'Of what is synced; the first pass under a new one is a backfill, which always writes.',
    }),
    mapping: syncMapping,
    repair: z.boolean().default(true).meta({
      title: 'Repair',
      description: 'Whether a check writes what differs. false: it counts.',
    }),
  }),
  output: z.object({
    kind: z.enum(['backfill', 'check']),
    done: z.number(),
    agreed: z.number(),
    differing: z.number(),
    repaired: z.number(),
    failed: z.number(),
  }),
  examples: [
    {
      sync: 'member-balances',
      identity: '4f1c',
      selection: '9a3e',
      mapping: {
        salesforce: { object: 'Member__c', key: 'Wallet__c' },
        chain: { contract: 'member-registry', events: ['MemberSet'], key: 'member', read: 'memberOf' },
        fields: [{ salesforce: 'Name', chain: 'name', direction: 'toSalesforce' }],
      },
    },
  ],
  repeatable:
    'It keeps its place: interrupted and done again it goes on there. Each record is synced as salesforce.syncRecord does it.',
  movesValue: ({ mapping }) => writesToChain(mapping),
  async run({ input: { sync, identity, selection, mapping, repair }, client, use, signal, flow, run, idempotencyKey }) {
    const scope = { sync, identity };
    const opened = await openSync({ client, use, signal, flow }, scope, mapping);
    const pass = await use(syncLedger).openPass(scope, selection, run);
    const everything = new SyncEverything(opened, pass, { repair, owner: idempotencyKey });
    const { total: _, ...counts } = await everything.run(signal);
    return { kind: pass.kind, ...counts };
  },
});
