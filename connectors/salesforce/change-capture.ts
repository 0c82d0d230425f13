import { z, type Heard, type ListenContext } from '#sdk';
import { changedRows, chosenFields, idOf, rowsById, stampOf } from './changed-rows.js';
import { parseChange, type ChangeMessage, type ChangeType } from './change-event.js';
import type { Gap, HeardEvents, OnExpired, StreamEvent } from './channel-listener.js';
import { holds, reconcile, ToldRows } from './reconcile.js';
import type { SalesforceClient, SalesforceRecord } from './salesforce.client.js';
import { safeTimeOf, StreamPlaces } from './stream-place.js';

export const changeSchema = z.object({
  type: z.enum(['created', 'updated', 'deleted', 'undeleted']),
  object: z.string(),
  recordId: z.string(),
  fields: z.record(z.string(), z.unknown()).meta({
    description:
      'What changed, null included; the whole record when isWhole. Parts of names and addresses as in rows: BillingCity.',
  }),
  changedFields: z.array(z.string()).meta({ description: 'Of an update; empty when that is not known.' }),
  isWhole: z.boolean(),
  isReconciled: z.boolean().meta({ description: 'The event itself was lost: this is what a query found.' }),
  at: z.iso.datetime(),
  replayId: z.number().int().optional(),
  commitNumber: z.number().optional(),
  commitUser: z.string().optional(),
  changeOrigin: z
    .string()
    .optional()
    .meta({ description: 'Ends in the client name of who made the change over the API.' }),
  transactionKey: z.string().optional(),
  sequenceNumber: z.number().int().optional(),
});

export type ChangeEvent = z.output<typeof changeSchema>;

export interface CaptureInput {
  readonly fields?: readonly string[] | undefined;
  readonly start: 'new' | 'earliest';
  readonly onExpired: OnExpired;
}

interface CaptureChannel {
  readonly channel: string;
  readonly objects: readonly string[];
}

/** Hears the change events of some channels for one trigger, and looks up what they leave open. */
export class ChangeCapture {
  readonly #context: ListenContext<CaptureInput, SalesforceClient, ChangeEvent>;
  readonly #places: StreamPlaces;
  readonly #told = new ToldRows();
  /** Records that were read because an event did not tell, and the commit that it was about. */
  readonly #reread = new Map<string, number>();
  /** One cursor stands for all channels, so they are emitted one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(context: ListenContext<CaptureInput, SalesforceClient, ChangeEvent>) {
    this.#context = context;
    this.#places = new StreamPlaces(context.cursor);
  }

  /** Until the signal is aborted, or one channel fails. */
  async listen(channels: readonly CaptureChannel[]): Promise<void> {
    const failed = new AbortController();
    const signal = AbortSignal.any([this.#context.signal, failed.signal]);
    const ended = channels.map((one) =>
      this.#listenTo(one, signal).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    );
    await Promise.allSettled(ended);
    await Promise.all(ended);
  }

  async #listenTo({ channel, objects }: CaptureChannel, signal: AbortSignal): Promise<void> {
    const { client, input } = this.#context;
    const after = this.#places.get(channel);
    const request = { channel, after, start: input.start, onExpired: input.onExpired, signal };
    for await (const heard of client.stream.events(request)) {
      this.#turn = this.#turn.then(() => this.#tell(channel, objects, heard));
      await this.#turn;
    }
  }

  async #tell(channel: string, objects: readonly string[], { events, place, gap }: HeardEvents): Promise<void> {
    if (gap !== undefined) await this.#reconcile(place.orgId, objects, gap);
    let heard: Heard<ChangeEvent>[] = [];
    for (const event of events) {
      const message = parseChange(event.data);
      if (message === undefined) {
        this.#context.log.error('A change event of Salesforce cannot be read and is left out', { data: event.data });
        continue;
      }
      if (!objects.some((name) => name.toLowerCase() === message.header.entityName.toLowerCase())) continue;
      if (message.kind === 'overflow') {
        await this.#emit(heard);
        heard = [];
        await this.#meetOverflow(channel, place.orgId, message);
      } else heard.push(...(await this.#heardOf(`${place.orgId}:${channel}`, event, message)));
    }
    this.#places.set(channel, place);
    await this.#emit(heard);
  }

  /** With the place as it is: it moves together with the last events. */
  async #emit(heard: readonly Heard<ChangeEvent>[]): Promise<void> {
    await this.#context.emit(heard, { cursor: this.#places.format() });
  }

  // ------------------------------------------------------------ events

  async #heardOf(prefix: string, event: StreamEvent, message: ChangeMessage): Promise<Heard<ChangeEvent>[]> {
    const { header, kind } = message;
    const ids = header.recordIds.filter((id) => !this.#isStale(id, message));
    const rows = await this.#rowsFor(message, ids);
    return ids.flatMap((recordId) => {
      const row = rows.get(recordId);
      const read = kind === 'gap' ? this.#readEvent(header.entityName, recordId, row, header.changeType) : undefined;
      const change = read ?? this.#saidEvent(message, recordId, row);
      if (change === undefined) return [];
      const { replayId } = event;
      const { commitNumber, commitUser, changeOrigin, transactionKey, sequenceNumber } = header;
      const at = new Date(header.commitTimestamp).toISOString();
      return {
        id: `${prefix}:${replayId}:${recordId}`,
        event: { ...change, at, replayId, commitNumber, commitUser, changeOrigin, transactionKey, sequenceNumber },
        time: at,
        subject: recordId,
      };
    });
  }

  #isStale(id: string, { header, fields, kind }: ChangeMessage): boolean {
    const reread = this.#reread.get(id);
    if (reread !== undefined && header.commitNumber !== undefined && header.commitNumber <= reread) return true;
    if (kind === 'gap') return false;
    const modified = Date.parse(String(fields['LastModifiedDate']));
    return this.#told.covers(
      id,
      Number.isNaN(modified) ? header.commitTimestamp : modified,
      fields,
      kind === 'deleted',
    );
  }

  /** What has to be read: all of a record that an event does not tell of, long texts of which only a part came. */
  async #rowsFor(
    { header, kind, unread }: ChangeMessage,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, SalesforceRecord>> {
    if (ids.length === 0 || (kind !== 'gap' && unread.length === 0)) return new Map();
    const { client, input, signal } = this.#context;
    const fields = kind === 'gap' ? input.fields : unread;
    const rows = await rowsById(client, { object: header.entityName, fields, ids }, signal);
    if (kind === 'gap') for (const id of ids) this.#reread.set(id, header.commitNumber ?? 0);
    return rows;
  }

  #saidEvent(
    { header, kind, fields, changedFields, unread }: ChangeMessage,
    recordId: string,
    row: SalesforceRecord | undefined,
  ): Omit<ChangeEvent, 'at'> | undefined {
    if (kind === 'gap' || kind === 'overflow') return undefined;
    const wanted = this.#context.input.fields;
    const isWanted = (name: string) => wanted?.some((one) => one.toLowerCase() === name.toLowerCase()) ?? true;
    if (kind === 'updated' && wanted !== undefined && !changedFields.some(isWanted)) return undefined;
    // The text as it is now; a record that is gone has none, and its deletion follows.
    const said = Object.entries(fields).flatMap(([name, value]) => {
      if (!unread.includes(name)) return [[name, value] as const];
      return row === undefined ? [] : [[name, row[name]] as const];
    });
    return {
      type: kind,
      object: header.entityName,
      recordId,
      fields: { Id: recordId, ...chosenFields(Object.fromEntries(said), wanted) },
      changedFields: changedFields.filter(isWanted),
      isWhole: kind === 'created' || kind === 'undeleted',
      isReconciled: false,
    };
  }

  /** A record as it was read: of one that is not there any more, that it was deleted. */
  #readEvent(
    object: string,
    recordId: string,
    row: SalesforceRecord | undefined,
    changeType: string,
  ): Omit<ChangeEvent, 'at'> {
    const isGone = row === undefined || row['IsDeleted'] === true;
    const told: ChangeType =
      changeType === 'GAP_CREATE' ? 'created' : changeType === 'GAP_UNDELETE' ? 'undeleted' : 'updated';
    return {
      type: isGone ? 'deleted' : told,
      object,
      recordId,
      fields: isGone ? { Id: recordId } : chosenFields(row, this.#context.input.fields),
      changedFields: [],
      isWhole: !isGone,
      isReconciled: true,
    };
  }

  // ------------------------------------------------------------ what was lost

  async #meetOverflow(channel: string, orgId: string, { header }: ChangeMessage): Promise<void> {
    const place = this.#places.get(channel);
    const since = Math.min(header.commitTimestamp, place === undefined ? Infinity : safeTimeOf(place));
    const reason = `${header.changeType} of ${header.entityName}: the changes of one transaction were not told one by one`;
    await this.#reconcile(orgId, [header.entityName], { reason, since, from: place?.from });
  }

  async #reconcile(orgId: string, objects: readonly string[], gap: Gap): Promise<void> {
    const { client, input, signal } = this.#context;
    for (const object of objects) {
      await reconcile(this.#context, {
        gap: { ...gap, reason: `${object}: ${gap.reason}` },
        rows: (since) => changedRows(client, { object, fields: input.fields, since }, signal),
        heardOf: (row, known) => this.#reconciled(orgId, { object, row, known: known?.event, since: gap.since }),
        cursor: this.#places.format(),
        told: this.#told,
      });
    }
  }

  #reconciled(
    orgId: string,
    missed: { object: string; row: SalesforceRecord; known: ChangeEvent | undefined; since: number },
  ): Heard<ChangeEvent> | undefined {
    const { object, row, known, since } = missed;
    if (isTold(row, known, since)) return undefined;
    const type = typeOf(row, known, since);
    const at = new Date(stampOf(row)).toISOString();
    const recordId = idOf(row);
    const fields = type === 'deleted' ? { Id: recordId } : chosenFields(row, this.#context.input.fields);
    return {
      id: `${orgId}:${recordId}@${stampOf(row)}`,
      event: {
        type,
        object,
        recordId,
        fields,
        changedFields: [],
        isWhole: type !== 'deleted',
        isReconciled: true,
        at,
      },
      time: at,
      subject: recordId,
    };
  }
}

function typeOf(row: SalesforceRecord, known: ChangeEvent | undefined, since: number): ChangeType {
  if (row['IsDeleted'] === true) return 'deleted';
  if (known?.type === 'deleted') return 'undeleted';
  return known === undefined && Date.parse(String(row['CreatedDate'])) >= since ? 'created' : 'updated';
}

/** Whether the last event about a row left nothing to tell of it. */
function isTold(row: SalesforceRecord, known: ChangeEvent | undefined, since: number): boolean {
  if (known === undefined) return false;
  if (row['IsDeleted'] === true || known.type === 'deleted')
    return row['IsDeleted'] === true && known.type === 'deleted';
  const knownAt = Date.parse(String(known.fields['LastModifiedDate'] ?? known.at));
  const second = (time: number) => Math.floor(time / 1_000);
  const modified = second(Date.parse(String(row['LastModifiedDate'])));
  if (modified !== second(knownAt)) return modified < second(knownAt);
  if (!holds(row, known.fields)) return false;
  // Stamps are whole seconds: of two changes in the last one that was heard, the second may be missing.
  return modified < second(since) || (known.isWhole && tellsAllOf(row, known.fields));
}

/** Whether nothing in the row is left unsaid; what events never carry aside. */
function tellsAllOf(row: SalesforceRecord, fields: SalesforceRecord): boolean {
  return Object.entries(row).every(
    ([name, value]) =>
      name in fields || value === null || typeof value === 'object' || ['IsDeleted', 'SystemModstamp'].includes(name),
  );
}
