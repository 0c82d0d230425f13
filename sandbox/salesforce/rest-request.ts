import type { Faults } from './faults.js';
import type { PlatformEvents } from './platform-events.js';
import type { Records, Writer } from './records.js';
import { RestError } from './rest-error.js';
import { compoundOf } from './records.js';
import { valueOf, type Row } from './soql-rows.js';

export interface RestRequest {
  readonly method: string;
  /** Below `/services/data/vNN.0`, still encoded. */
  readonly path: string;
  readonly version: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed JSON, or the text of anything else. */
  readonly body: unknown;
  readonly writer: Writer;
}

export interface RestAnswer {
  readonly status: number;
  readonly body?: unknown;
  /** Instead of `body`: something that is not JSON. */
  readonly content?: { readonly type: string; readonly data: string | Buffer };
  readonly headers?: Readonly<Record<string, string>>;
}

/** What every part of the REST API works on. */
export interface Org {
  readonly records: Records;
  readonly platformEvents: PlatformEvents;
  readonly faults: Faults;
  readonly now: () => Date;
}

export function fieldsOf(body: unknown): Row {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Row;
  throw new RestError(400, 'JSON_PARSER_ERROR', 'The request body must be a JSON object');
}

export function methodNotAllowed(method: string): RestError {
  return new RestError(
    405,
    'METHOD_NOT_ALLOWED',
    `HTTP Method '${method}' not allowed. Allowed are GET,PATCH,POST,DELETE`,
  );
}

export function meetLock({ faults }: Org, { method, path }: RestRequest): void {
  if (faults.take('lockRow', 'rest', method, path) === undefined) return;
  throw new RestError(400, 'UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record', []);
}

/** The proper spelling of a field. @throws INVALID_FIELD */
export function fieldName({ records }: Org, objectName: string, name: string): string {
  const object = records.object(objectName);
  const field = records.schema.field(object, name.trim());
  if (field !== undefined) return field.name;
  throw new RestError(400, 'INVALID_FIELD', `No such column '${name}' on entity '${object.name}'.`);
}

/** A row as the REST API shows it. */
export function presented(org: Org, object: string, row: Row, names: readonly string[], version: string): Row {
  const url = `/services/data/v${version}/sobjects/${object}/${String(row['Id'])}`;
  const schema = org.records.object(object);
  const value = (name: string): unknown => {
    const parts = schema.fields.get(name.toLowerCase())?.type === 'address' ? schema.compounds[name] : undefined;
    if (parts !== undefined) return addressOf(compoundOf(parts, row));
    if (schema.fields.get(name.toLowerCase())?.type === 'base64') return `${url}/${name}`;
    return valueOf(row, name);
  };
  return { attributes: { type: object, url }, ...Object.fromEntries(names.map((name) => [name, value(name)])) };
}

export function attempt<T>(work: () => T): { readonly value: T } | { readonly error: RestError } {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof RestError) return { error };
    throw error;
  }
}

function addressOf(parts: Row | null): Row | null {
  if (parts === null) return null;
  return Object.fromEntries(
    Object.entries(parts).map(([part, value]) => [part.charAt(0).toLowerCase() + part.slice(1), value]),
  );
}
