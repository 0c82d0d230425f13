import type { RecordChange, Records } from './records.js';
import { RestError } from './rest-error.js';
import { parseSoql } from './soql.js';
import { conditionFields, matches, valueOf, type Row } from './soql-rows.js';

const keptForMs = 24 * 3_600_000;

export interface TopicEvent {
  readonly channel: string;
  readonly replayId: number;
  readonly at: number;
  readonly data: unknown;
}

export interface TopicsState {
  readonly lastReplayId: number;
  readonly events: readonly TopicEvent[];
}

export interface TopicsOptions {
  readonly records: Records;
  readonly now: () => Date;
  /** At most this many events are kept, besides the 24 hours. */
  readonly eventsKept: number;
  readonly onEvent: (event: TopicEvent) => void;
}

/** Turns changes of rows into events of push topics and keeps them for replay. */
export class Topics {
  readonly #options: TopicsOptions;
  #events: TopicEvent[] = [];
  #lastReplayId = 100;

  constructor(options: TopicsOptions) {
    this.#options = options;
  }

  hear(change: RecordChange): void {
    if (change.object === 'PushTopic') return;
    for (const topic of this.#options.records.list('PushTopic')) {
      if (isNotified(topic, change)) this.#publish(topic, change);
    }
  }

  exists(channel: string): boolean {
    return this.#options.records
      .list('PushTopic')
      .some((topic) => `/topic/${String(topic['Name'])}` === channel && topic['IsActive'] !== false);
  }

  /** Kept events of a channel after an id; undefined when the id is not one of them. */
  since(channel: string, replayId: number): TopicEvent[] | undefined {
    this.#prune();
    const events = this.#events.filter((event) => event.channel === channel);
    if (replayId === -1) return [];
    if (replayId === -2) return events;
    const index = events.findIndex((event) => event.replayId === replayId);
    return index < 0 ? undefined : events.slice(index + 1);
  }

  /** Forgets what is kept, as if more than a day had passed. */
  expire(): void {
    this.#events = [];
  }

  export(): TopicsState {
    return { lastReplayId: this.#lastReplayId, events: this.#events };
  }

  import(state: TopicsState): void {
    this.#lastReplayId = state.lastReplayId;
    this.#events = [...state.events];
  }

  #publish(topic: Row, change: RecordChange): void {
    // Ids grow with gaps: other tenants use the same numbers.
    this.#lastReplayId += 1 + Math.floor(Math.random() * 4);
    const replayId = this.#lastReplayId;
    const event: TopicEvent = {
      channel: `/topic/${String(topic['Name'])}`,
      replayId,
      at: this.#options.now().getTime(),
      data: {
        event: { createdDate: this.#options.now().toISOString(), replayId, type: change.type },
        sobject: change.type === 'deleted' ? { Id: change.row['Id'] } : selected(topic, change.row),
      },
    };
    this.#events.push(event);
    this.#prune();
    this.#options.onEvent(event);
  }

  #prune(): void {
    const oldest = this.#options.now().getTime() - keptForMs;
    const excess = this.#events.length - this.#options.eventsKept;
    if (excess > 0) this.#events.splice(0, excess);
    while ((this.#events[0]?.at ?? oldest) < oldest) this.#events.shift();
  }
}

/** Refuses what Salesforce refuses in the query of a push topic, with its texts. */
export function checkPushTopic(topic: Row, records: Records): void {
  const query = String(topic['Query'] ?? '');
  const refuse = (message: string) => new RestError(400, 'INVALID_FIELD', message, ['QUERY']);
  if (/\bORDER\s+BY\b/i.test(query)) throw refuse("'ORDER BY' clause is not allowed");
  if (/\bLIMIT\b/i.test(query)) throw refuse("'LIMIT' is not allowed");
  if (/\bOFFSET\b/i.test(query)) throw refuse("'OFFSET' clause is not allowed");
  if (/\bCOUNT\s*\(|\bGROUP\s+BY\b/i.test(query)) throw refuse('Aggregate queries are not supported');
  const soql = parseSoql(query);
  if (soql.fields.some((field) => field.includes('.'))) throw refuse('relationships are not supported');
  if (!soql.fields.some((field) => field.toLowerCase() === 'id'))
    throw refuse('Id must be included in the SELECT clause');
  const object = records.object(soql.object);
  for (const field of [...soql.fields, ...conditionFields(soql.where)]) {
    if (records.schema.field(object, field) === undefined) {
      throw refuse(`No such column '${field}' on entity '${object.name}'.`);
    }
  }
  const scope = String(topic['NotifyForFields'] ?? 'Referenced');
  if (!['All', 'Referenced', 'Select', 'Where'].includes(scope))
    throw refuse(`bad value for NotifyForFields: ${scope}`);
}

function isNotified(topic: Row, change: RecordChange): boolean {
  const soql = parseSoql(String(topic['Query']));
  if (soql.object.toLowerCase() !== change.object.toLowerCase() || topic['IsActive'] === false) return false;
  const operation = { created: 'Create', updated: 'Update', deleted: 'Delete' }[change.type];
  if (topic[`NotifyForOperation${operation}`] === false || !matches(soql.where, change.row)) return false;
  if (change.type !== 'updated') return true;
  const scope = topic['NotifyForFields'] ?? 'Referenced';
  const watched = [
    ...(scope === 'Where' ? [] : soql.fields),
    ...(scope === 'Select' ? [] : conditionFields(soql.where)),
  ].map((name) => name.toLowerCase());
  const changed = [...change.changed].map((name) => name.toLowerCase());
  return scope === 'All' ? changed.length > 0 : changed.some((name) => watched.includes(name));
}

function selected(topic: Row, row: Row): Record<string, unknown> {
  const { fields } = parseSoql(String(topic['Query']));
  return Object.fromEntries(fields.map((name) => [name, valueOf(row, name)]));
}
