import { getFragment, networkDirectory, type AbiFragment } from '#evm';
import { PatchbayError, defineAction, z, type Fault, type UseService } from '#sdk';
import { salesforceOrg } from './connection.js';
import { fieldName, objectName } from './field-schemas.js';
import { faultOfObject, faultsOfWrite, fieldOf, type ObjectDescription } from './object-descriptions.js';
import type { SalesforceClient } from './salesforce.client.js';
import { faultsOfTypes } from './sync-check.js';
import { decimals, jointsOf, syncMapping } from './sync-mapping.js';
import { fromChain, translationOf } from './sync-values.js';

const mappingSchema = z
  .strictObject({
    salesforce: z.strictObject({ object: objectName(), key: fieldName() }),
    chain: z.strictObject({
      network: z.string().optional(),
      contract: z.string().min(1),
      abi: z.string().optional(),
      event: z.string().min(1),
    }),
    fields: z
      .array(
        z.strictObject({
          salesforce: fieldName(),
          chain: z.string().min(1).meta({ title: 'Argument', description: 'Of the event.' }),
          decimals: decimals().optional(),
          exact: fieldName().optional(),
        }),
      )
      .min(1)
      .max(100),
    reverted: fieldName().optional(),
  })
  .meta({ title: 'Mapping', description: 'As a sync file says it; see docs/sync.md.' });

type Mapping = z.output<typeof mappingSchema>;

const heardEvent = z.looseObject({
  args: z.record(z.string(), z.unknown()),
  chainId: z.number(),
  transaction: z.looseObject({ hash: z.string() }),
  log: z.looseObject({ index: z.number() }),
});

/** The longest id of an event. */
const keyLength = 100;

export const syncEvent = defineAction({
  title: 'Sync an event',
  summary: 'Makes a record of an event of a contract; one whose event has vanished is marked.',
  connection: salesforceOrg,
  input: z.strictObject({
    mapping: mappingSchema,
    event: heardEvent.meta({ title: 'Event', description: 'As evm.contractEvent gives it.' }),
    isReverted: z.boolean().default(false).meta({ title: 'Reverted', description: 'It vanished in a reorganisation.' }),
  }),
  output: z.object({ id: z.string(), key: z.string(), created: z.boolean() }),
  examples: [
    {
      mapping: {
        salesforce: { object: 'Payment__c', key: 'Event__c' },
        chain: { contract: 'usdc', event: 'Transfer' },
        fields: [{ salesforce: 'Amount__c', chain: 'value', decimals: 6, exact: 'AmountExact__c' }],
        reverted: 'Reverted__c',
      },
      event: {
        chainId: 1,
        transaction: { hash: '0x7ee3cbf9a2e1b3b6e0f7f2b1f6a7f0cbf1a3a1e9e8d5b0d3a2c4f6e8a0b2c4d6' },
        log: { index: 3 },
        args: { from: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8', value: '1250000' },
      },
    },
  ],
  repeatable: 'The record is found by the id of the event, so there is one record however often it is done.',
  async check({ input, client, use, signal }) {
    const mapping = mappingSchema.safeParse(input['mapping']);
    if (!mapping.success) return [];
    const faults = await faultsOf(mapping.data, { client, use, signal });
    return faults.map((fault) => ({ ...fault, pointer: `/mapping${fault.pointer}` }));
  },
  async run({ input: { mapping, event, isReverted }, client, use, signal }) {
    const { object, key: matchOn } = mapping.salesforce;
    const value = `${event.chainId}:${event.transaction.hash}:${event.log.index}`;
    const fields = isReverted ? {} : await fieldsOf(mapping, event.args, { client, use, signal });
    const mark = mapping.reverted === undefined ? {} : { [mapping.reverted]: isReverted };
    const { id, created } = await client.upsert({ object, matchOn, value, fields: { ...fields, ...mark } }, signal);
    return { id, key: value, created };
  },
});

interface Means {
  readonly client: SalesforceClient;
  readonly use: UseService;
  readonly signal: AbortSignal;
}

async function fieldsOf(
  mapping: Mapping,
  args: Readonly<Record<string, unknown>>,
  means: Means,
): Promise<Record<string, unknown>> {
  const description = await means.client.objects.of(mapping.salesforce.object, means.signal);
  const types = typesOf(await eventOf(mapping, means.use));
  return Object.fromEntries(
    jointsOf(asSync(mapping)).map(({ salesforce, chain, decimals: places }) => {
      const field = fieldOf(description, salesforce);
      if (field === undefined) {
        const [fault] = faultsOfWrite(description, { operation: 'upsert', fields: { [salesforce]: null } });
        throw new PatchbayError('salesforce.configuration', { ...fault, ...(fault && { faults: [fault] }) });
      }
      const { toSalesforce, toRow } = translationOf({ field, type: types.get(chain) ?? 'string', decimals: places });
      return [salesforce, toRow(toSalesforce(fromChain(args[chain])))];
    }),
  );
}

async function faultsOf(mapping: Mapping, { client, use, signal }: Means): Promise<Fault[]> {
  const description = await describedOr(client, mapping.salesforce.object, signal);
  const event = await eventOf(mapping, use).catch((thrown: unknown) => {
    const { code, detail, fix } = PatchbayError.from(thrown);
    const pointer = { 'evm.unknownContract': '/chain/contract', 'evm.unknownFunction': '/chain/event' }[code as string];
    if (pointer === undefined) throw thrown;
    return { pointer, detail, ...(fix !== undefined && { fix }) };
  });
  const faults: Fault[] = [];
  if ('pointer' in description) return 'pointer' in event ? [description, event] : [description];
  faults.push(...faultsOfRecord(mapping, description));
  if ('pointer' in event) return [...faults, event];
  const types = typesOf(event);
  mapping.fields.forEach(({ chain }, index) => {
    if (types.has(chain)) return;
    faults.push({
      pointer: `/fields/${index}/chain`,
      detail: `The event ${event.name ?? ''} has no argument ${chain}`,
      fix: `It has: ${[...types.keys()].join(', ')}.`,
    });
  });
  return [...faults, ...faultsOfTypes(asSync(mapping), description, types)];
}

function faultsOfRecord(mapping: Mapping, description: ObjectDescription): Fault[] {
  const { key } = mapping.salesforce;
  const at = (pointer: string, found: readonly Fault[]) => found.map((fault) => ({ ...fault, pointer }));
  const field = fieldOf(description, key);
  const isShort = field !== undefined && field.length > 0 && field.length < keyLength;
  return [
    ...at('/salesforce/key', faultsOfWrite(description, { operation: 'upsert', matchOn: key, fields: {} })),
    ...(isShort
      ? [
          {
            pointer: '/salesforce/key',
            detail: `${key} holds ${field.length} characters; the id of an event has up to ${keyLength}`,
            fix: `Make the field at least Text(${keyLength}).`,
          },
        ]
      : []),
    ...jointsOf(asSync(mapping)).flatMap(({ place, part, salesforce }) =>
      at(
        `/fields/${place}/${part}`,
        faultsOfWrite(description, { operation: 'upsert', fields: { [salesforce]: null } }),
      ),
    ),
    ...(mapping.reverted === undefined
      ? []
      : at('/reverted', faultsOfWrite(description, { operation: 'upsert', fields: { [mapping.reverted]: null } }))),
  ];
}

async function describedOr(
  client: SalesforceClient,
  object: string,
  signal: AbortSignal,
): Promise<ObjectDescription | Fault> {
  try {
    return await client.objects.of(object, signal);
  } catch (error) {
    if (!(error instanceof PatchbayError) || error.code !== 'salesforce.notFound') throw error;
    return { ...faultOfObject(object, await client.objects.names(signal)), pointer: '/salesforce/object' };
  }
}

async function eventOf({ chain }: Mapping, use: UseService): Promise<AbiFragment> {
  const network = await use(networkDirectory).get(chain.network);
  const { abi } = await network.addressBook.get(chain.contract, chain.abi);
  return getFragment(abi, 'event', chain.event);
}

function typesOf({ inputs = [] }: AbiFragment): ReadonlyMap<string, string> {
  return new Map(inputs.map(({ name = '', type }, index) => [name === '' ? `arg${index}` : name, type]));
}

/** The fields of an event go one way, as those of a state can. */
function asSync({ salesforce, chain, fields }: Mapping) {
  return syncMapping.parse({
    salesforce,
    chain: { contract: chain.contract, events: [chain.event], key: 'event', read: chain.event },
    fields: fields.map((field) => ({ ...field, direction: 'toSalesforce' })),
  });
}
