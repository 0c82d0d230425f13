import type { Heard, ListenContext } from '#sdk';
import { idOf, overlapMs, stampOf } from './changed-rows.js';
import type { Gap } from './channel-listener.js';
import type { SalesforceRecord } from './salesforce.client.js';

export interface Reconciling<Event> {
  readonly gap: Gap;
  /** What changed since a time, in pages. */
  readonly rows: (since: Date) => AsyncIterable<readonly SalesforceRecord[]>;
  /** What to tell of a row; undefined when it was told, or is not wanted. */
  readonly heardOf: (row: SalesforceRecord, known: Heard<Event> | undefined) => Heard<Event> | undefined;
  /** The place of the trigger, which stays where it is until everything is told. */
  readonly cursor: string;
  readonly told: ToldRows;
}

/**
 * The one answer to loss: reads what changed since the last safe time, compares it with what was emitted, emits what
 * differs, and reports how many. Interrupted and begun again it gives the same events the same ids.
 */
export async function reconcile<Input, Client, Event>(
  context: ListenContext<Input, Client, Event>,
  { gap, rows, heardOf, cursor, told }: Reconciling<Event>,
): Promise<void> {
  const since = new Date(Math.max(gap.since - overlapMs, gap.from ?? 0));
  let found = 0;
  let emitted = 0;
  for await (const page of rows(since)) {
    const known = await context.recall(page.map(idOf), since);
    const heard = page.flatMap((row) => heardOf(row, known.get(idOf(row))) ?? []);
    for (const row of page) told.add(row);
    await context.emit(heard, { cursor });
    found += page.length;
    emitted += heard.length;
  }
  const incident = { reason: gap.reason, since: since.toISOString(), found, emitted };
  context.log.info('What was missed in Salesforce has been looked for', incident);
  await context.report(incident);
}

/** Rows that a reconcile has read: events about them that were on their way meanwhile tell nothing new. */
export class ToldRows {
  readonly #rows = new Map<string, SalesforceRecord>();
  #newest = 0;

  add(row: SalesforceRecord): void {
    this.#rows.set(idOf(row), row);
    this.#newest = Math.max(this.#newest, stampOf(row));
  }

  /** @param stamp – when the row was stored last, as the event says */
  covers(id: string, stamp: number, values: SalesforceRecord, isDeletion: boolean): boolean {
    if (stamp > this.#newest + overlapMs) this.#rows.clear();
    const row = this.#rows.get(id);
    if (row === undefined) return false;
    if (isDeletion) return row['IsDeleted'] === true;
    const second = Math.floor(stamp / 1_000);
    const stored = Math.floor(stampOf(row) / 1_000);
    return second < stored || (second === stored && row['IsDeleted'] !== true && holds(row, values));
  }
}

/** Whether a row has these values, however its fields and times are written. */
export function holds(row: SalesforceRecord, values: SalesforceRecord): boolean {
  const byName = new Map(Object.entries(row).map(([name, value]) => [name.toLowerCase(), value]));
  return Object.entries(values).every(
    ([name, value]) => comparable(byName.get(name.toLowerCase())) === comparable(value),
  );
}

/** Times end in `Z` in events and in `+0000` in rows. */
function comparable(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d{4})$/.test(value))
    return String(Date.parse(value));
  return JSON.stringify(value);
}
