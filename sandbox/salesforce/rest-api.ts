import type { Faults } from './faults.js';
import { parseRecordId } from './record-id.js';
import type { Records } from './records.js';
import { noSuchResource, RestError } from './rest-error.js';
import type { Session } from './sessions.js';
import { parseSoql } from './soql.js';
import { valueOf, type Row } from './soql-rows.js';
import { checkPushTopic } from './topics.js';

export interface RestRequest {
  readonly method: string;
  /** Below `/services/data/vNN.0`, still encoded. */
  readonly path: string;
  readonly version: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
  readonly session: Session;
}

export interface RestAnswer {
  readonly status: number;
  readonly body?: unknown;
}

export interface RestApiOptions {
  readonly records: Records;
  readonly faults: Faults;
  /** Rows of one page of a query. */
  readonly pageSize: number;
  readonly usage: () => { readonly used: number; readonly limit: number };
}

interface Locator {
  readonly rows: readonly Row[];
  readonly fields: readonly string[];
  readonly object: string;
  readonly pageSize: number;
}

const locatorsKept = 100;

/** The REST API below a version: rows, collections of rows, queries, limits. */
export class RestApi {
  readonly #options: RestApiOptions;
  readonly #locators = new Map<string, Locator>();
  #locatorSerial = 0;

  constructor(options: RestApiOptions) {
    this.#options = options;
  }

  answer(request: RestRequest): RestAnswer {
    const parts = request.path.split('/').filter(Boolean).map(decode);
    const [resource, ...rest] = parts;
    if (resource === undefined) return { status: 200, body: resources(request.version) };
    if (resource === 'limits' && rest.length === 0) return this.#limits();
    if ((resource === 'query' || resource === 'queryAll') && request.method === 'GET')
      return this.#query(request, rest);
    if (resource === 'sobjects') return this.#sobjects(request, rest);
    if (resource === 'composite' && rest[0] === 'sobjects') return this.#collections(request, rest.slice(1));
    throw noSuchResource();
  }

  #limits(): RestAnswer {
    const { used, limit } = this.#options.usage();
    const full = (max: number) => ({ Max: max, Remaining: max });
    return {
      status: 200,
      body: {
        DailyApiRequests: { Max: limit, Remaining: Math.max(0, limit - used) },
        DailyStreamingApiEvents: full(50_000),
        DailyDurableStreamingApiEvents: full(50_000),
        StreamingApiConcurrentClients: full(20),
      },
    };
  }

  // ------------------------------------------------------------ rows

  #sobjects(request: RestRequest, [name, second, third]: readonly string[]): RestAnswer {
    const { records } = this.#options;
    if (name === undefined) {
      return {
        status: 200,
        body: { encoding: 'UTF-8', maxBatchSize: 200, sobjects: records.schema.list().map(global) },
      };
    }
    const object = records.object(name).name;
    if (second === undefined) {
      if (request.method === 'GET')
        return { status: 200, body: { objectDescribe: global(records.object(name)), recentItems: [] } };
      if (request.method !== 'POST') throw methodNotAllowed(request.method);
      const row = this.#write(request.session, object, fieldsOf(request.body));
      return { status: 201, body: { id: row['Id'], success: true, errors: [] } };
    }
    if (second === 'describe') return { status: 200, body: this.#describe(object) };
    return third === undefined ? this.#row(request, object, second) : this.#externalRow(request, object, second, third);
  }

  #row(request: RestRequest, object: string, id: string): RestAnswer {
    const { records } = this.#options;
    if (request.method === 'GET') {
      return { status: 200, body: this.#full(object, records.get(object, id), request) };
    }
    this.#meetLock(request.method);
    if (request.method === 'PATCH') {
      this.#write(request.session, object, fieldsOf(request.body), parseRecordId(id) ?? id);
      return { status: 204 };
    }
    if (request.method !== 'DELETE') throw methodNotAllowed(request.method);
    records.delete(object, id);
    return { status: 204 };
  }

  #externalRow(request: RestRequest, object: string, field: string, value: string): RestAnswer {
    const { records } = this.#options;
    const found =
      field.toLowerCase() === 'id' ? records.get(object, value) : records.findByExternalId(object, field, value);
    if (request.method === 'GET' || request.method === 'DELETE') {
      if (found === undefined) throw noSuchResource();
      if (request.method === 'GET') return { status: 200, body: this.#full(object, found, request) };
      records.delete(object, String(found['Id']));
      return { status: 204 };
    }
    if (request.method !== 'PATCH') throw methodNotAllowed(request.method);
    if (found === undefined && request.query.get('updateOnly') === 'true') throw noSuchResource();
    this.#meetLock('PATCH');
    const { row, isCreated } = records.upsert(object, field, value, fieldsOf(request.body), request.session.userId);
    const body = { id: row['Id'], success: true, errors: [], created: isCreated };
    if (isCreated) return { status: 201, body };
    return Number(request.version) >= 46 ? { status: 200, body } : { status: 204 };
  }

  #write(session: Session, object: string, fields: Row, id?: string): Row {
    const { records } = this.#options;
    return records.transaction(() => {
      const row =
        id === undefined
          ? records.create(object, fields, session.userId)
          : records.update(object, id, fields, session.userId);
      if (object === 'PushTopic') checkPushTopic(row, records);
      return row;
    });
  }

  #meetLock(method: string): void {
    if (this.#options.faults.take('lockRow', 'rest', method) === undefined) return;
    throw new RestError(400, 'UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record', []);
  }

  #full(object: string, row: Row, request: RestRequest): unknown {
    const names = request.query.get('fields')?.split(',') ?? Object.keys(row);
    return this.#presented(
      object,
      row,
      names.map((name) => this.#fieldName(object, name)),
      request.version,
    );
  }

  #describe(objectName: string): unknown {
    const object = this.#options.records.object(objectName);
    const fields = [...object.fields.values()].map((field) => ({
      name: field.name,
      label: field.name,
      type: field.type,
      length: field.length,
      nillable: !field.isRequired,
      createable: !field.isReadOnly,
      updateable: !field.isReadOnly,
    }));
    return { ...global(object), fields };
  }

  // ------------------------------------------------------------ collections

  #collections(request: RestRequest, [object, field]: readonly string[]): RestAnswer {
    const { records } = this.#options;
    if (request.method === 'GET' || (request.method === 'POST' && object !== undefined)) {
      const asked = request.method === 'GET' ? request.query : new URLSearchParams(flat(request.body));
      const names = (asked.get('fields') ?? 'Id').split(',').map((name) => this.#fieldName(object ?? '', name));
      const rows = (asked.get('ids') ?? '').split(',').map((id) => {
        const row = attempt(() => records.get(object ?? '', id));
        return 'error' in row ? null : this.#presented(object ?? '', row.value, names, request.version);
      });
      return { status: 200, body: rows };
    }
    if (request.method === 'DELETE') {
      const ids = (request.query.get('ids') ?? '').split(',');
      return this.#each(ids, request.query.get('allOrNone') === 'true', (id) => {
        records.delete(this.#objectOf(id), id);
        return { id };
      });
    }
    const body = request.body as { allOrNone?: boolean; records?: Row[] } | undefined;
    const rows = body?.records ?? [];
    if (rows.length > 200) {
      throw new RestError(
        400,
        'EXCEEDED_ID_LIMIT',
        'record limit reached. cannot submit more than 200 records into this call',
      );
    }
    return this.#each(rows, body?.allOrNone === true, (row) => this.#collected(request, row, object, field));
  }

  #collected(request: RestRequest, row: Row, object: string | undefined, field: string | undefined): Row {
    this.#meetLock(request.method);
    const type = object ?? (row['attributes'] as { type?: string } | undefined)?.type;
    if (type === undefined) throw new RestError(400, 'INVALID_INPUT', 'The sobject type must be given in attributes');
    const { attributes: _, ...fields } = row;
    if (request.method === 'POST') return { id: this.#write(request.session, type, fields)['Id'] };
    if (field === undefined) {
      const { Id: first, id: second, ...values } = fields;
      return { id: this.#write(request.session, type, values, String(first ?? second))['Id'] };
    }
    const { [field]: value, ...values } = fields;
    if (value === undefined || value === null) {
      throw new RestError(400, 'MISSING_ARGUMENT', `${field} not specified`, []);
    }
    const upserted = this.#options.records.upsert(type, field, String(value), values, request.session.userId);
    return { id: upserted.row['Id'], created: upserted.isCreated };
  }

  #each<T>(items: readonly T[], allOrNone: boolean, work: (item: T) => Row): RestAnswer {
    const results: Record<string, unknown>[] = [];
    const failed = (error: RestError) => ({
      success: false,
      errors: error.errors.map(({ errorCode, message, fields }) => ({
        statusCode: errorCode,
        message,
        fields: fields ?? [],
      })),
    });
    const all = () => {
      for (const item of items) {
        const done = attempt(() => work(item));
        results.push('error' in done ? failed(done.error) : { ...done.value, success: true, errors: [] });
      }
      if (allOrNone && results.some(({ success }) => success === false)) throw new RolledBack();
    };
    try {
      if (allOrNone) this.#options.records.transaction(all);
      else all();
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error;
      const reason = new RestError(
        400,
        'ALL_OR_NONE_OPERATION_ROLLED_BACK',
        'Record rolled back because not all records were valid and the request was using AllOrNone header',
      );
      return { status: 200, body: results.map((result) => (result['success'] === true ? failed(reason) : result)) };
    }
    return { status: 200, body: results };
  }

  #objectOf(id: string): string {
    const object = this.#options.records.schema.list().find(({ prefix }) => id.startsWith(prefix));
    if (object === undefined) throw new RestError(400, 'MALFORMED_ID', `bad id ${id}`);
    return object.name;
  }

  // ------------------------------------------------------------ queries

  #query(request: RestRequest, [locatorText]: readonly string[]): RestAnswer {
    if (locatorText !== undefined) return this.#more(request, locatorText);
    const soql = parseSoql(request.query.get('q') ?? '');
    const object = this.#options.records.schema.find(soql.object);
    if (object === undefined) {
      throw new RestError(400, 'INVALID_TYPE', `sObject type '${soql.object}' is not supported.`);
    }
    const rows = this.#options.records.select(soql, request.path.startsWith('/queryAll'));
    if (soql.isCount) return { status: 200, body: { totalSize: rows.length, done: true, records: [] } };
    const fields = soql.fields.flatMap((name) =>
      name.startsWith('FIELDS(')
        ? [...object.fields.values()].map((field) => field.name)
        : [this.#fieldName(object.name, name)],
    );
    const asked = Number(
      /batchSize=(\d+)/.exec(request.headers['sforce-query-options'] ?? '')?.[1] ?? this.#options.pageSize,
    );
    return this.#page(request, { rows, fields, object: object.name, pageSize: Math.min(asked, 2_000) }, undefined, 0);
  }

  #more(request: RestRequest, text: string): RestAnswer {
    const [id = '', offset] = text.split('-');
    const locator = this.#locators.get(id);
    if (locator === undefined) throw new RestError(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');
    return this.#page(request, locator, id, Number(offset));
  }

  #page(request: RestRequest, locator: Locator, known: string | undefined, offset: number): RestAnswer {
    const { rows, fields, object, pageSize } = locator;
    const end = offset + pageSize;
    const page = rows.slice(offset, end).map((row) => this.#presented(object, row, fields, request.version));
    const answer = { totalSize: rows.length, done: end >= rows.length, records: page };
    if (answer.done) return { status: 200, body: answer };
    const id = known ?? this.#keep(locator);
    return {
      status: 200,
      body: { ...answer, nextRecordsUrl: `/services/data/v${request.version}/query/${id}-${end}` },
    };
  }

  #keep(locator: Locator): string {
    const id = `01g${String(++this.#locatorSerial).padStart(15, '0')}`;
    this.#locators.set(id, locator);
    const oldest = this.#locators.keys().next().value;
    if (this.#locators.size > locatorsKept && oldest !== undefined) this.#locators.delete(oldest);
    return id;
  }

  #fieldName(objectName: string, name: string): string {
    const { records } = this.#options;
    const object = records.object(objectName);
    const field = records.schema.field(object, name.trim());
    if (field !== undefined) return field.name;
    throw new RestError(400, 'INVALID_FIELD', `No such column '${name}' on entity '${object.name}'.`);
  }

  #presented(object: string, row: Row, names: readonly string[], version: string): unknown {
    const url = `/services/data/v${version}/sobjects/${object}/${String(row['Id'])}`;
    return {
      attributes: { type: object, url },
      ...Object.fromEntries(names.map((name) => [name, valueOf(row, name)])),
    };
  }
}

class RolledBack extends Error {}

function attempt<T>(work: () => T): { readonly value: T } | { readonly error: RestError } {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof RestError) return { error };
    throw error;
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new RestError(400, 'INVALID_INPUT', 'Unable to decode the URL');
  }
}

function fieldsOf(body: unknown): Row {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Row;
  throw new RestError(400, 'JSON_PARSER_ERROR', 'The request body must be a JSON object');
}

function flat(body: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(fieldsOf(body)).map(([name, value]) => [name, [value].flat().join(',')]));
}

function methodNotAllowed(method: string): RestError {
  return new RestError(
    405,
    'METHOD_NOT_ALLOWED',
    `HTTP Method '${method}' not allowed. Allowed are GET,PATCH,POST,DELETE`,
  );
}

function global({ name, prefix }: { readonly name: string; readonly prefix: string }) {
  return {
    name,
    label: name,
    keyPrefix: prefix,
    custom: name.endsWith('__c'),
    createable: true,
    queryable: true,
    updateable: true,
  };
}

function resources(version: string) {
  const base = `/services/data/v${version}`;
  return {
    sobjects: `${base}/sobjects`,
    query: `${base}/query`,
    queryAll: `${base}/queryAll`,
    limits: `${base}/limits`,
    composite: `${base}/composite`,
  };
}
