import { z } from '#sdk';
import type { SalesforceRecord } from './salesforce.client.js';

const headerSchema = z.looseObject({
  entityName: z.string(),
  recordIds: z.array(z.string()),
  changeType: z.string(),
  changeOrigin: z.string().optional(),
  transactionKey: z.string().optional(),
  sequenceNumber: z.number().int().optional(),
  commitTimestamp: z.number(),
  commitUser: z.string().optional(),
  commitNumber: z.number().optional(),
  changedFields: z.array(z.string()).default([]),
});
const dataSchema = z.object({ payload: z.looseObject({ ChangeEventHeader: headerSchema }) });

export type ChangeType = 'created' | 'updated' | 'deleted' | 'undeleted';

const types: Readonly<Record<string, ChangeType>> = {
  CREATE: 'created',
  UPDATE: 'updated',
  DELETE: 'deleted',
  UNDELETE: 'undeleted',
};

/** A message of change data capture, with its fields named as rows name them. */
export interface ChangeMessage {
  readonly header: z.output<typeof headerSchema>;
  /**
   * `gap`: something happened to these records, and the message does not say what. `overflow`: to so many that it does
   * not say to which.
   */
  readonly kind: ChangeType | 'gap' | 'overflow';
  readonly fields: SalesforceRecord;
  readonly changedFields: readonly string[];
  /** Fields of which only a difference came: their text has to be read. */
  readonly unread: readonly string[];
}

/** Undefined when it cannot be read. */
export function parseChange(data: unknown): ChangeMessage | undefined {
  const parsed = dataSchema.safeParse(data);
  if (!parsed.success) return undefined;
  const { ChangeEventHeader: header, ...body } = parsed.data.payload;
  const fields = Object.fromEntries(Object.entries(body).flatMap(([name, value]) => flat(name, value)));
  return {
    header,
    kind: kindOf(header),
    fields,
    changedFields: header.changedFields.map(flatName),
    unread: Object.keys(fields).filter((name) => isDifference(fields[name])),
  };
}

/** `Invoice__c` is heard on `/data/Invoice__ChangeEvent`. */
export function channelOf(object: string): string {
  return /__c$/i.test(object) ? `/data/${object.slice(0, -3)}__ChangeEvent` : `/data/${object}ChangeEvent`;
}

function kindOf({ changeType, recordIds }: z.output<typeof headerSchema>): ChangeMessage['kind'] {
  // After the type of a field was changed, the ids are one pattern such as `001*`.
  if (changeType === 'GAP_OVERFLOW' || recordIds.some((id) => id.endsWith('*'))) return 'overflow';
  return types[changeType] ?? 'gap';
}

function flat(name: string, value: unknown): (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isDifference(value))
    return [[name, value]];
  return Object.entries(value).map(([part, one]) => [partName(name, part), one] as const);
}

function flatName(name: string): string {
  const [compound = '', part] = name.split('.');
  return part === undefined ? compound : partName(compound, part);
}

/** Rows call the parts of `Name` by their own names, and those of an address or a place by both. */
function partName(compound: string, part: string): string {
  if (compound === 'Name') return part;
  if (compound.endsWith('Address')) return `${compound.slice(0, -'Address'.length)}${part}`;
  return /__c$/i.test(compound) ? `${compound.slice(0, -3)}__${part}__s` : `${compound}${part}`;
}

function isDifference(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'diff' in value && typeof value.diff === 'string';
}
