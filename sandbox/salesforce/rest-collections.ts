import { isPlatformEvent } from './platform-events.js';
import { RestError } from './rest-error.js';
import {
  attempt,
  fieldName,
  fieldsOf,
  meetLock,
  methodNotAllowed,
  presented,
  type Org,
  type RestAnswer,
  type RestRequest,
} from './rest-request.js';
import type { RowResources } from './rest-rows.js';
import type { Row } from './soql-rows.js';

const rowsAtMost = 200;
const chunksAtMost = 10;

/** `/composite/sobjects`: up to 200 rows in a call, each with a result of its own. */
export class Collections {
  readonly #org: Org;
  readonly #rows: RowResources;

  constructor(org: Org, rows: RowResources) {
    this.#org = org;
    this.#rows = rows;
  }

  answer(request: RestRequest, [object, field]: readonly string[]): RestAnswer {
    const { method, query } = request;
    if (method === 'GET' || (method === 'POST' && object !== undefined)) return this.#read(request, object ?? '');
    if (method === 'DELETE') {
      const ids = (query.get('ids') ?? '').split(',').filter(Boolean);
      return this.#each(ids, query.get('allOrNone') === 'true', (id) => {
        meetLock(this.#org, request);
        this.#org.records.delete(this.#objectOf(id), id, request.writer);
        return { id, success: true, errors: [] };
      });
    }
    if (method !== 'POST' && method !== 'PATCH') throw methodNotAllowed(method);
    const body = fieldsOf(request.body);
    const rows = Array.isArray(body['records']) ? (body['records'] as Row[]) : [];
    checkChunks(rows);
    return this.#each(rows, body['allOrNone'] === true, (row) => this.#write(request, row, object, field));
  }

  #read(request: RestRequest, object: string): RestAnswer {
    const { records } = this.#org;
    const asked = request.method === 'GET' ? Object.fromEntries(request.query) : fieldsOf(request.body);
    const list = (value: unknown) => [value ?? []].flat().flatMap((part) => String(part).split(','));
    const names = list(asked['fields'] ?? 'Id').map((name) => fieldName(this.#org, object, name));
    const rows = list(asked['ids']).map((id) => {
      const found = attempt(() => records.get(object, id));
      return 'error' in found
        ? null
        : presented(this.#org, records.object(object).name, found.value, names, request.version);
    });
    return { status: 200, body: rows };
  }

  #write(request: RestRequest, row: Row, object: string | undefined, field: string | undefined): Row {
    meetLock(this.#org, request);
    const type = object ?? typeOf(row);
    if (type === undefined) throw new RestError(400, 'INVALID_INPUT', 'The sobject type must be given in attributes');
    const { attributes: _, ...fields } = row;
    const found = attempt(() => this.#org.records.object(type).name);
    if ('error' in found) throw new RestError(400, 'INVALID_TYPE', `sObject type '${type}' is not supported.`);
    const name = found.value;
    if (request.method === 'POST') return this.#rows.write(request, name, fields);
    if (field === undefined) {
      const { Id: first, id: second, ...values } = fields;
      if (first === undefined && second === undefined) {
        throw new RestError(400, 'MISSING_ARGUMENT', 'Id not specified in an update call', []);
      }
      return this.#rows.write(request, name, values, String(first ?? second));
    }
    const key = Object.keys(fields).find((given) => given.toLowerCase() === field.toLowerCase()) ?? field;
    const { [key]: value, ...values } = fields;
    if (value === undefined || value === null)
      throw new RestError(400, 'MISSING_ARGUMENT', `${field} not specified`, []);
    const upserted = this.#org.records.upsert(name, field, String(value), values, request.writer);
    return { id: upserted.row['Id'], success: true, errors: [], created: upserted.isCreated };
  }

  #each<T>(items: readonly T[], allOrNone: boolean, work: (item: T) => Row): RestAnswer {
    if (items.length > rowsAtMost) throw tooMany();
    const { records } = this.#org;
    const results: Row[] = [];
    try {
      // One transaction for all: what changes in it is told under one key, and each row is a savepoint.
      records.transaction(() => {
        for (const item of items) {
          const done = attempt(() => records.transaction(() => work(item)));
          results.push('error' in done ? failed(done.error) : done.value);
        }
        if (allOrNone && results.some(({ success }) => success === false)) throw new RolledBack();
      });
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
    const object = this.#org.records.schema.ofId(id);
    if (object === undefined) throw new RestError(400, 'MALFORMED_ID', `bad id ${id}`);
    return object.name;
  }
}

class RolledBack extends Error {}

function failed(error: RestError): Row {
  return {
    success: false,
    errors: error.errors.map(({ errorCode, message, fields }) => ({
      statusCode: errorCode,
      message,
      fields: fields ?? [],
    })),
  };
}

/** Rows of different types may alternate, but not often: each change of type begins a chunk. */
function checkChunks(rows: readonly Row[]): void {
  if (rows.length > rowsAtMost) throw tooMany();
  const types = rows.map(typeOf);
  const chunks = types.filter((type, index) => index === 0 || type !== types[index - 1]).length;
  if (chunks > chunksAtMost) {
    throw new RestError(400, 'LIMIT_EXCEEDED', `Too many chunks: at most ${chunksAtMost} are allowed`);
  }
  if (types.some((type) => isPlatformEvent(type ?? '')) && new Set(types).size > 1) {
    throw new RestError(400, 'INVALID_INPUT', 'Platform events cannot be mixed with other objects');
  }
}

function typeOf(row: Row): string | undefined {
  return (row['attributes'] as { readonly type?: string } | undefined)?.type;
}

function tooMany(): RestError {
  return new RestError(
    400,
    'EXCEEDED_ID_LIMIT',
    `record limit reached. cannot submit more than ${rowsAtMost} records into this call`,
  );
}
