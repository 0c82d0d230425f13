import type { Pool } from 'pg';
import { storableJson, rethrowStoreError } from '#platform';
import { PatchbayError, type Retraction } from '#sdk';
import type { StreamBatch, StreamEvent } from './stream.js';
import { eventJson } from './stream-format.js';
import type { PlacedEvent } from './stream-source.js';

/** Whose place it is; a write that does not come from the present holder of the lease is refused. */
export interface PositionOf {
  readonly stream: string;
  readonly consumer: string;
  readonly epoch: string;
}

export interface Position {
  /** Null: it never began. */
  readonly cursor: string | null;
  readonly delivered: string | null;
  readonly tracedFrom: string;
  readonly batchNumber: number;
  readonly events: number;
}

/** An event that was delivered and may have to be taken back. */
export interface TracedEvent {
  readonly id: string;
  readonly position: string;
  readonly place: string;
  readonly isRemoved: boolean;
}

/** What is true once a batch is the consumer's, or was put aside. */
export interface Checkpoint {
  /** Undefined: it stays. */
  readonly cursor: string | undefined;
  /** Of the last event of the batch, unless the cursor is beyond it. */
  readonly delivered: string | null;
  readonly tracedFrom: string;
  /** Accepted so far: batches, and events. */
  readonly batchNumber: number;
  readonly events: number;
  /** Delivered, and may still vanish. */
  readonly young: readonly PlacedEvent[];
  readonly again: readonly PlacedEvent[];
  /** Ids of those that were taken back. */
  readonly withdrawn: readonly string[];
  /** Everything in it was traced long enough. */
  readonly forgetBefore: string | undefined;
  /** Present: it was not accepted, and is kept as a dead letter. */
  readonly deadLetter: { readonly batch: StreamBatch; readonly error: object } | undefined;
}

export interface FailureNote {
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
  readonly since: string;
  readonly isBlocked: boolean;
}

/** @param isBlocked – no attempt can help any more, or it was tried for long enough */
export function failureNote({ code, detail, fix }: PatchbayError, since: string, isBlocked: boolean): FailureNote {
  return { code, message: detail, ...(fix !== undefined && { fix }), since, isBlocked };
}

const mine = `stream_id = $1 and consumer = $2`;

const move = `
  update stream_position set
    cursor = coalesce($4, cursor), delivered = $5, traced_from = greatest(traced_from, $6), epoch = $3,
    failures = 0, error = null, retry_at = null,
    delivered_at = case when batch_number < $7 then now() else delivered_at end, batch_number = $7, events = $8,
    updated_at = now()
  where ${mine} and epoch <= $3`;

/** The usual case, old blocks: nothing but the place is written. */
const moveOnly = `${move} returning 1`;

// What refers to the stream locks it. It is locked before the place, as by whoever deletes the stream: else each waits for the other.
const moveAndKeep = `
  with held as (select from stream where id = $1 for key share),
  moved as (${move} and exists (select from held) returning 1),
  kept as (
    insert into stream_delivered (stream_id, consumer, event_id, position, place, event)
    select $1, $2, young.* from json_to_recordset($9::json)
      as young (event_id text, position text, place text, event text)
    where exists (select from moved)
    on conflict (stream_id, consumer, event_id)
      do update set position = excluded.position, place = excluded.place, final_at = null),
  renewed as (
    update stream_delivered d set position = again.position, place = again.place, final_at = null
    from unnest($10::text[], $11::text[], $12::text[]) as again (id, position, place)
    where d.stream_id = $1 and d.consumer = $2 and d.event_id = again.id and exists (select from moved)),
  withdrawn as (
    delete from stream_delivered where ${mine} and event_id = any($13::text[]) and exists (select from moved)),
  forgotten as (
    delete from stream_delivered
    where ${mine} and position < $14 and final_at is null and event_id <> all($10::text[]) and exists (select from moved)),
  dead as (
    insert into stream_dead_letter (stream_id, consumer, batch_id, events, error)
    select $1, $2, $15, $16::jsonb, $17::jsonb where $15::text is not null and exists (select from moved)
    on conflict (stream_id, consumer, batch_id) do nothing)
  select from moved`;

const retract = `
  with moved as (
    update stream_position set cursor = $4, epoch = $3, updated_at = now(),
      delivered = case when delivered >= $5 then null else delivered end
    where ${mine} and epoch <= $3 returning 1),
  removed as (
    update stream_delivered set final_at = $6
    where ${mine} and position >= $5 and final_at is null and exists (select from moved)
    returning event_id as id, position, place)
  select exists (select from moved) as moved,
    coalesce((select jsonb_agg(to_jsonb(removed)) from removed), '[]'::jsonb) as removed`;

/** Places of consumers in their streams. Every write names the epoch of the lease, and fails when another holder has written. */
export class PositionsStore {
  constructor(private readonly pool: Pool) {}

  /** Makes the row if it is new, and bars every earlier holder. */
  async open({ stream, consumer, epoch }: PositionOf): Promise<Position> {
    const { rows } = await this.#query<{
      cursor: string | null;
      delivered: string | null;
      traced_from: string;
      batch_number: string;
      events: string;
    }>(
      `insert into stream_position as p (stream_id, consumer, epoch)
       select $1, $2, $3 where exists (select from stream where id = $1)
       on conflict (stream_id, consumer) do update set epoch = excluded.epoch where p.epoch <= excluded.epoch
       returning cursor, delivered, traced_from, batch_number, events`,
      [stream, consumer, epoch],
    );
    const [row] = rows;
    if (!row) throw lost();
    return {
      cursor: row.cursor,
      delivered: row.delivered,
      tracedFrom: row.traced_from,
      batchNumber: Number(row.batch_number),
      events: Number(row.events),
    };
  }

  /** What was delivered and would be heard again from this place on, or has vanished and may yet be. */
  async traced({ stream, consumer }: PositionOf, from: string): Promise<TracedEvent[]> {
    const { rows } = await this.#query<TracedEvent>(
      `select event_id as id, position, place, final_at is not null as "isRemoved" from stream_delivered
       where ${mine} and (final_at is not null or position >= $3)`,
      [stream, consumer, from],
    );
    return rows;
  }

  /** One small statement, unless something may still vanish. */
  async checkpoint({ stream, consumer, epoch }: PositionOf, checkpoint: Checkpoint): Promise<void> {
    const { young, again, withdrawn, forgetBefore, deadLetter } = checkpoint;
    const values: unknown[] = [
      stream,
      consumer,
      epoch,
      checkpoint.cursor ?? null,
      checkpoint.delivered,
      checkpoint.tracedFrom,
      checkpoint.batchNumber,
      checkpoint.events,
    ];
    const isPlain =
      young.length + again.length + withdrawn.length === 0 && forgetBefore === undefined && deadLetter === undefined;
    if (!isPlain) {
      values.push(
        // As one JSON text: it is made faster than the escapes of so many array elements.
        JSON.stringify(
          young.map(({ event, position, place }) => ({ event_id: event.id, position, place, event: eventJson(event) })),
        ),
        again.map(({ event }) => event.id),
        again.map(({ position }) => position),
        again.map(({ place }) => place),
        withdrawn,
        forgetBefore ?? '',
        deadLetter?.batch.id ?? null,
        deadLetter ? storableJson(deadLetter.batch.events) : null,
        deadLetter ? storableJson(deadLetter.error) : null,
      );
    }
    const { rowCount } = await this.#query(
      isPlain ? moveOnly : moveAndKeep,
      values,
      isPlain ? 'stream-move' : 'stream-move-and-keep',
    );
    if (rowCount === 0) throw lost();
  }

  /** @returns what was delivered and has vanished for now */
  async retract({ stream, consumer, epoch }: PositionOf, retraction: Retraction): Promise<TracedEvent[]> {
    const { rows } = await this.#query<{ moved: boolean; removed: Omit<TracedEvent, 'isRemoved'>[] }>(retract, [
      stream,
      consumer,
      epoch,
      retraction.cursor,
      retraction.from,
      retraction.finalAt,
    ]);
    const [row] = rows;
    if (row?.moved !== true) throw lost();
    return row.removed.map((event) => ({ ...event, isRemoved: true }));
  }

  /** Events that were delivered and are not in the chain, although nothing was retracted: it changed while nobody listened. */
  async markRemoved({ stream, consumer, epoch }: PositionOf, ids: readonly string[], finalAt: string): Promise<void> {
    const { rows } = await this.#query<{ held: boolean }>(
      `with held as (select from stream_position where ${mine} and epoch <= $3 for update),
       removed as (
         update stream_delivered set final_at = $5
         where ${mine} and event_id = any($4::text[]) and final_at is null and exists (select from held))
       select exists (select from held) as held`,
      [stream, consumer, epoch, ids, finalAt],
    );
    if (rows[0]?.held !== true) throw lost();
  }

  /** Vanished for good by the time the cursor is here; newest first, as one undoes. */
  async gone({ stream, consumer }: PositionOf, cursor: string): Promise<StreamEvent[]> {
    const { rows } = await this.#query<{ event: string }>(
      `select event from stream_delivered where ${mine} and final_at <= $3 order by position desc`,
      [stream, consumer, cursor],
    );
    return rows.map(({ event }) => JSON.parse(event) as StreamEvent);
  }

  async fail(
    { stream, consumer, epoch }: PositionOf,
    error: FailureNote,
    { failures, retryInMs }: { readonly failures: number; readonly retryInMs: number },
  ): Promise<void> {
    const { rowCount } = await this.#query(
      `update stream_position set failures = $4, error = $5, retry_at = now() + $6 * interval '1 millisecond', epoch = $3,
         updated_at = now()
       where ${mine} and epoch <= $3`,
      [stream, consumer, epoch, failures, storableJson(error), Math.round(retryInMs)],
    );
    if (rowCount === 0) throw lost();
  }

  #query<Row extends object>(text: string, values: unknown[], name?: string) {
    return this.pool.query<Row>({ text, values, ...(name === undefined ? {} : { name }) }).catch(rethrowStoreError);
  }
}

function lost(): PatchbayError {
  return new PatchbayError('lease.lost', {
    detail: 'Another process serves this stream now, or it was reset or deleted.',
  });
}
