import type { EventBus } from './event-bus.js';
import type { ObjectSchema } from './org-schema.js';
import type { RecordChange, Records } from './records.js';
import { RestError } from './rest-error.js';
import { parseSoql, type Soql } from './soql.js';
import { conditionFields, matches, valueOf, type Row } from './soql-rows.js';

export interface PushTopicsOptions {
  readonly records: Records;
  readonly bus: EventBus;
  readonly now: () => Date;
}

/** Turns changes of rows into events of the push topics that watch them. */
export class PushTopics {
  readonly #options: PushTopicsOptions;
  readonly #queries = new Map<string, Soql>();

  constructor(options: PushTopicsOptions) {
    this.#options = options;
  }

  exists(channel: string): boolean {
    return this.#options.records
      .list('PushTopic')
      .some((topic) => `/topic/${String(topic['Name'])}` === channel && topic['IsActive'] !== false);
  }

  hear(changes: readonly RecordChange[]): void {
    const topics = this.#options.records.list('PushTopic').filter((topic) => topic['IsActive'] !== false);
    for (const change of changes) {
      if (change.object === 'PushTopic') continue;
      for (const topic of topics) {
        const soql = this.#query(topic);
        if (isNotified(topic, soql, change)) this.#publish(topic, soql, change);
      }
    }
  }

  #publish(topic: Row, { fields }: Soql, { type, object, row }: RecordChange): void {
    const { records, bus, now } = this.#options;
    const schema = records.object(object);
    bus.publish([`/topic/${String(topic['Name'])}`], (replayId) => ({
      event: { createdDate: now().toISOString(), replayId, type },
      sobject:
        type === 'deleted'
          ? { Id: row['Id'] }
          : Object.fromEntries(fields.map((name) => [nameOf(schema, name), streamed(schema, name, row)])),
    }));
  }

  #query(topic: Row): Soql {
    const text = String(topic['Query']);
    const known = this.#queries.get(text);
    if (known !== undefined) return known;
    const soql = parseSoql(text);
    this.#queries.set(text, soql);
    return soql;
  }
}

/** Refuses what Salesforce refuses in a push topic, with its texts. */
export function checkPushTopic(topic: Row, records: Records): void {
  const soql = checkedQuery(String(topic['Query'] ?? ''));
  const object = records.schema.find(soql.object);
  if (object === undefined) throw refusal(`sObject type '${soql.object}' is not supported.`);
  if (!object.isStreamable) throw refusal(`Entity ${object.name} is not supported for the Streaming API`);
  if (!soql.fields.some((field) => field.toLowerCase() === 'id')) {
    throw refusal('Id must be included in the SELECT clause');
  }
  const filtered = conditionFields(soql.where);
  for (const name of [...soql.fields, ...filtered]) {
    const field = records.schema.field(object, name);
    if (field === undefined) throw refusal(`No such column '${name}' on entity '${object.name}'.`);
    if (field.type === 'textarea' && filtered.includes(name)) {
      throw refusal(`field '${name}' can not be filtered in a query call`);
    }
  }
  checkScope(topic, soql, filtered);
  checkName(topic, records);
}

function checkedQuery(query: string): Soql {
  // Words within quotes are values, and a clause in a value is none.
  const words = query.replace(/'(?:[^'\\]|\\.)*'/g, "''");
  const forbidden: readonly (readonly [RegExp, string])[] = [
    [/\b(COUNT|SUM|AVG|MIN|MAX|COUNT_DISTINCT)\s*\(|\bGROUP\s+BY\b/i, 'Aggregate queries are not supported'],
    [/\bIN\s*\(\s*SELECT\b/i, 'semi/anti join sub-selects are not supported'],
    [/\(\s*SELECT\b/i, 'relationships are not supported'],
    [/\bORDER\s+BY\b/i, "'ORDER BY' clause is not allowed"],
    [/\bLIMIT\b/i, "'LIMIT' is not allowed"],
    [/\bOFFSET\b/i, "'OFFSET' clause is not allowed"],
    [/\bTYPEOF\b/i, "'TYPEOF' clause is not allowed"],
    [/\bNOT\b(?!\s+IN\b)/i, "'NOT' is not supported"],
  ];
  for (const [pattern, message] of forbidden) if (pattern.test(words)) throw refusal(message);
  const soql = parseSoql(query);
  if ([...soql.fields, ...conditionFields(soql.where)].some((field) => field.includes('.'))) {
    throw refusal('relationships are not supported');
  }
  return soql;
}

function checkScope(topic: Row, soql: Soql, filtered: readonly string[]): void {
  const scope = String(topic['NotifyForFields'] ?? 'Referenced');
  if (!['All', 'Referenced', 'Select', 'Where'].includes(scope)) {
    throw new RestError(400, 'INVALID_FIELD', `bad value for NotifyForFields: ${scope}`, ['NotifyForFields']);
  }
  const selected = soql.fields.filter((field) => field.toLowerCase() !== 'id');
  if (scope === 'Select' && selected.length === 0) throw refusal('Select requires a field besides Id in SELECT');
  if (scope === 'Where' && filtered.length === 0) throw refusal('Where requires a field in the WHERE clause');
  if (scope === 'Referenced' && selected.length + filtered.length === 0) {
    throw refusal('Referenced requires a field besides Id in SELECT or a field in the WHERE clause');
  }
}

function checkName(topic: Row, records: Records): void {
  const name = String(topic['Name']).toLowerCase();
  const other = records
    .list('PushTopic')
    .find((known) => String(known['Name']).toLowerCase() === name && known['Id'] !== topic['Id']);
  if (other !== undefined) {
    throw new RestError(
      400,
      'DUPLICATE_VALUE',
      `duplicate value found: Name duplicates value on record with id: ${String(other['Id'])}`,
      ['Name'],
    );
  }
  if (Number(topic['ApiVersion']) <= 20) {
    throw new RestError(400, 'FIELD_INTEGRITY_EXCEPTION', 'ApiVersion must be greater than 20.0', ['ApiVersion']);
  }
}

function isNotified(topic: Row, soql: Soql, change: RecordChange): boolean {
  if (soql.object.toLowerCase() !== change.object.toLowerCase()) return false;
  const operation = { created: 'Create', updated: 'Update', deleted: 'Delete', undeleted: 'Undelete' }[change.type];
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

/** Date-times in events end in `Z`, those of the REST API in `+0000`. */
export function streamed(object: ObjectSchema, name: string, row: Row): unknown {
  const value = valueOf(row, name);
  const isTime = object.fields.get(name.toLowerCase())?.type === 'datetime';
  return isTime && typeof value === 'string' ? value.replace('+0000', 'Z') : value;
}

function nameOf(object: ObjectSchema, name: string): string {
  return object.fields.get(name.toLowerCase())?.name ?? name;
}

function refusal(message: string): RestError {
  return new RestError(400, 'INVALID_FIELD', message, ['QUERY']);
}
