import { PatchbayError, defineAction, z } from '#sdk';
import { salesforceOrg } from './connection.js';
import { recordId } from './field-schemas.js';
import { parseKey } from './sync-chain.js';
import type { Value } from './sync-values.js';
import { syncMapping } from './sync-mapping.js';
import { openSync } from './sync-open.js';
import { syncIdentity, syncName } from './sync-record.action.js';

const values = z.record(z.string(), z.unknown());

/** The dry run of one record: what both sides have, and what a sync would write. Writes nothing. */
export const trySync = defineAction({
  title: 'Try a sync',
  summary: 'Tells what a sync would write for one record and its entry in a contract; it writes nothing.',
  connection: salesforceOrg,
  input: z.strictObject({
    sync: syncName(),
    identity: syncIdentity(),
    mapping: syncMapping,
    key: z.string().min(1).max(500).optional().meta({ title: 'Key', description: 'Of the entry on the chain.' }),
    recordId: recordId().optional().meta({
      title: 'Record',
      description: 'Instead of the key. Without either: the first record that has a key.',
    }),
  }),
  output: z.object({
    key: z.string(),
    salesforce: z
      .object({ id: z.string(), fields: values })
      .nullable()
      .meta({ description: 'The record as the sync reads it; null: there is none.' }),
    chain: values.nullable().meta({ description: 'The entry as the contract gives it; null: there is none.' }),
    wouldWrite: z.object({
      salesforce: z.object({ kind: z.enum(['create', 'update', 'delete']), fields: values }).nullable(),
      chain: z.array(z.object({ function: z.string(), args: z.unknown() })),
    }),
    dependsOnTime: z
      .boolean()
      .meta({ description: 'Both have changed, and the newer change wins: it is not looked up here.' }),
  }),
  examples: [
    {
      sync: 'member-balances',
      identity: '4f1c',
      mapping: {
        salesforce: { object: 'Member__c', key: 'Wallet__c' },
        chain: { contract: 'member-registry', events: ['MemberSet'], key: 'member', read: 'memberOf' },
        fields: [{ salesforce: 'Name', chain: 'name', direction: 'toSalesforce' }],
      },
    },
  ],
  repeatable: 'It changes nothing; done again it reads both sides as they are then.',
  async run({ input: { sync, identity, mapping, key: given, recordId: id }, client, signal, use, flow }) {
    const opened = await openSync({ client, use, signal, flow }, { sync, identity }, mapping);
    const { chain, records, joints, translations } = opened.parts;
    const chosen = id === undefined ? undefined : await records.byId(id, signal);
    const [first] = given === undefined && chosen === undefined ? await records.page('', signal) : [];
    const text = given ?? chosen?.key ?? first?.key ?? '';
    const key = parseKey(text, chain.keyType);
    if (key === undefined) {
      throw new PatchbayError('salesforce.data', {
        detail:
          text === ''
            ? `No ${mapping.salesforce.object} has a value in ${mapping.salesforce.key} yet`
            : `${text} is no key of the contract, which takes ${chain.keyType}`,
        fix: `Name one with --key, or fill ${mapping.salesforce.key} of a record.`,
      });
    }
    const block = await chain.block(signal);
    const [entry, record] = await Promise.all([chain.read(key, block, signal), records.byKey(key, signal)]);
    const merged = opened.compare({ entry, record }, undefined);
    const { toChain, toSalesforce } = merged;
    const fields = (written: Readonly<Record<string, Value>>) =>
      Object.fromEntries(
        Object.entries(written).map(([name, value]) => [name, translations.get(name)?.toRow(value) ?? null]),
      );
    return {
      key,
      salesforce: record === undefined ? null : { id: record.id, fields: record.row },
      chain: entry.exists ? entry.values : null,
      wouldWrite: {
        salesforce:
          toSalesforce === undefined
            ? null
            : { kind: toSalesforce.kind, fields: toSalesforce.kind === 'delete' ? {} : fields(toSalesforce.fields) },
        chain: toChain === undefined ? [] : chain.callsFor(key, toChain, entry, joints).map((call) => ({ ...call })),
      },
      dependsOnTime: merged.needsNewest,
    };
  },
});
