import { createHash, randomUUID } from 'node:crypto';
import type { EventBus } from './event-bus.js';
import type { Faults } from './faults.js';
import type { ObjectSchema } from './org-schema.js';
import { streamed } from './push-topics.js';
import { compoundOf, type ChangeType, type RecordChange, type Records } from './records.js';
import { valueOf, type Row } from './soql-rows.js';

export interface ChangeEventsOptions {
  readonly records: Records;
  readonly bus: EventBus;
  readonly faults: Faults;
  readonly now: () => Date;
  /** Objects that were selected for change data capture; absent: all. */
  readonly objects: readonly string[] | undefined;
  /** Channels of the org's own: `Ledger__chn` hears the change events of the objects listed. */
  readonly channels: Readonly<Record<string, readonly string[]>>;
}

interface Message {
  readonly object: ObjectSchema;
  readonly type: string;
  readonly ids: string[];
  readonly changedFields: readonly string[];
  readonly body: Row;
  readonly change: RecordChange;
}

const changeTypes: Readonly<Record<ChangeType, string>> = {
  created: 'CREATE',
  updated: 'UPDATE',
  deleted: 'DELETE',
  undeleted: 'UNDELETE',
};
const longText = 1_000;
const overflowId = '000000000000000AAA';
// Not part of a change event, or said in its header.
const leftOut = new Set(['Id', 'IsDeleted', 'SystemModstamp']);

/** Change data capture: one message for each change, several rows in one message when the same happened to them. */
export class ChangeEvents {
  readonly #options: ChangeEventsOptions;
  #commitNumber = 10_586_193_475_000;

  constructor(options: ChangeEventsOptions) {
    this.#options = options;
  }

  exists(channel: string): boolean {
    const { records } = this.#options;
    const [, name = ''] = /^\/data\/(\w+)$/.exec(channel) ?? [];
    if (name === 'ChangeEvents' || this.#options.channels[name] !== undefined) return true;
    const [, standard = ''] = /^(\w+)ChangeEvent$/.exec(name) ?? [];
    const object = records.schema.find(objectNameOf(standard));
    return object !== undefined && channelOf(object) === channel && this.#isCaptured(object.name);
  }

  /** Tells of the changes of one transaction. */
  hear(changes: readonly RecordChange[]): void {
    const messages = this.#merged(changes.filter(({ object }) => this.#isCaptured(object)));
    if (messages.length === 0) return;
    const transactionKey = randomUUID();
    this.#commitNumber += 1 + Math.floor(Math.random() * 9);
    const isOverflow = this.#options.faults.take('overflow', 'bus', '') !== undefined;
    const told = isOverflow ? overflowOf(messages) : messages.map((message) => this.#withGap(message));
    told.forEach((message, index) => this.#publish(message, transactionKey, index + 1));
  }

  #publish({ object, type, ids, changedFields, body, change }: Message, key: string, sequenceNumber: number): void {
    const header = {
      entityName: object.name,
      recordIds: ids,
      changeType: type,
      changeOrigin: change.writer.changeOrigin,
      transactionKey: key,
      sequenceNumber,
      commitTimestamp: this.#options.now().getTime(),
      commitUser: change.writer.userId,
      commitNumber: this.#commitNumber,
      changedFields,
    };
    const own = Object.entries(this.#options.channels).filter(([, objects]) => objects.includes(object.name));
    const channels = [channelOf(object), '/data/ChangeEvents', ...own.map(([name]) => `/data/${name}`)];
    const schema = schemaId(object);
    this.#options.bus.publish(channels, (replayId) => ({
      schema,
      payload: { ChangeEventHeader: header, ...body },
      event: { replayId },
    }));
  }

  #withGap(message: Message): Message {
    const fault = this.#options.faults.take('gap', 'bus', '', message.object.name);
    if (fault === undefined) return message;
    const [ids, type] =
      fault.wildcard === true ? [[`${message.object.prefix}*`], 'GAP_UPDATE'] : [message.ids, `GAP_${message.type}`];
    return { ...message, ids, type, changedFields: [], body: {} };
  }

  #merged(changes: readonly RecordChange[]): Message[] {
    const messages: Message[] = [];
    const same = new Map<string, Message>();
    for (const change of changes) {
      const message = this.#message(change);
      const likeness = `${change.object} ${message.type} ${JSON.stringify(message.body)} ${change.writer.userId}`;
      const first = change.type === 'created' || change.type === 'undeleted' ? undefined : same.get(likeness);
      if (first === undefined) {
        messages.push(message);
        same.set(likeness, message);
      } else first.ids.push(...message.ids);
    }
    return messages;
  }

  #message(change: RecordChange): Message {
    const object = this.#options.records.object(change.object);
    const base = { object, type: changeTypes[change.type], ids: [String(change.row['Id'])], change };
    if (change.type === 'deleted') return { ...base, changedFields: [], body: {} };
    if (change.type !== 'updated') return { ...base, changedFields: [], body: fullBody(object, change.row) };
    return { ...base, ...changedBody(object, change) };
  }

  #isCaptured(name: string): boolean {
    const { objects } = this.#options;
    if (['PushTopic', 'ContentVersion', 'ContentDocument'].includes(name) || name.endsWith('__e')) return false;
    return objects === undefined || objects.includes(name);
  }
}

export function channelOf({ name }: { readonly name: string }): string {
  return name.endsWith('__c') ? `/data/${name.slice(0, -3)}__ChangeEvent` : `/data/${name}ChangeEvent`;
}

function objectNameOf(standard: string): string {
  return standard.endsWith('__') ? `${standard.slice(0, -2)}__c` : standard;
}

function overflowOf(messages: readonly Message[]): Message[] {
  const first = new Map(messages.map((message) => [message.object.name, message]));
  return [...first.values()].map((message) => ({
    ...message,
    ids: [overflowId],
    type: 'GAP_OVERFLOW',
    changedFields: [],
    body: {},
  }));
}

function fullBody(object: ObjectSchema, row: Row): Row {
  const parts = new Set(Object.values(object.compounds).flatMap((compound) => Object.values(compound)));
  const plain = Object.keys(row).filter(
    (name) => !leftOut.has(name) && !parts.has(name) && object.compounds[name] === undefined && row[name] !== null,
  );
  const compounds = Object.entries(object.compounds).map(
    ([name, compound]) => [name, compoundOf(compound, row)] as const,
  );
  return Object.fromEntries([
    ...plain.map((name) => [name, streamed(object, name, row)] as const),
    ...compounds.filter(([, value]) => value !== null),
  ]);
}

/** Only what changed, null included; of a compound field only the parts that changed. */
function changedBody(
  object: ObjectSchema,
  { before, row, changed }: RecordChange,
): Pick<Message, 'body' | 'changedFields'> {
  const body: Record<string, unknown> = {};
  const changedFields: string[] = [];
  const compoundsByPart = new Map(
    Object.entries(object.compounds).flatMap(([name, parts]) =>
      Object.entries(parts).map(([part, field]) => [field, { name, part }] as const),
    ),
  );
  for (const field of changed) {
    if (leftOut.has(field) || object.compounds[field] !== undefined) continue;
    const value = changedValue(object, field, before, row);
    const compound = compoundsByPart.get(field);
    if (compound === undefined) {
      body[field] = value;
      changedFields.push(field);
      continue;
    }
    body[compound.name] = { ...(body[compound.name] as Row | undefined), [compound.part]: value };
    changedFields.push(`${compound.name}.${compound.part}`);
  }
  body['LastModifiedDate'] = streamed(object, 'LastModifiedDate', row);
  changedFields.push('LastModifiedDate');
  if (before?.['LastModifiedById'] !== row['LastModifiedById']) {
    body['LastModifiedById'] = row['LastModifiedById'];
    changedFields.push('LastModifiedById');
  }
  return { body, changedFields };
}

function changedValue(object: ObjectSchema, field: string, before: Row | undefined, row: Row): unknown {
  const value = streamed(object, field, row);
  const old = before === undefined ? null : valueOf(before, field);
  if (typeof value !== 'string' || typeof old !== 'string' || value.length <= longText || old.length <= longText) {
    return value;
  }
  const sum = createHash('sha256').update(value).digest('hex');
  const lines = (sign: string, text: string) => text.split('\n').map((line) => `${sign}${line}`);
  const [removed, added] = [lines('-', old), lines('+', value)];
  const range = `@@ -1,${removed.length} +1,${added.length} @@`;
  return { diff: ['--- ', `+++ ${sum}`, range, ...removed, ...added].join('\n') };
}

function schemaId({ name, fields }: ObjectSchema): string {
  return createHash('sha256').update(`${name} ${fields.size}`).digest('base64url').slice(0, 22);
}
