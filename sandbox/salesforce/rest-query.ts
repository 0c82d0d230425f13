import { RestError } from './rest-error.js';
import { fieldName, presented, type Org, type RestAnswer, type RestRequest } from './rest-request.js';
import { parseSoql } from './soql.js';
import { conditionFields, type Row } from './soql-rows.js';

interface Locator {
  readonly rows: readonly Row[];
  readonly fields: readonly string[];
  readonly object: string;
  readonly pageSize: number;
}

export interface QueryResult {
  readonly rows: readonly Row[];
  readonly fields: readonly string[];
  readonly object: string;
  readonly isCount: boolean;
}

const locatorsKept = 100;
const offsetAtMost = 2_000;

/** `/query` and `/queryAll`, page by page. */
export class Queries {
  readonly #org: Org;
  readonly #pageSize: number;
  readonly #locators = new Map<string, Locator>();
  #locatorSerial = 0;

  constructor(org: Org, pageSize: number) {
    this.#org = org;
    this.#pageSize = pageSize;
  }

  answer(request: RestRequest, [locator]: readonly string[], includesDeleted: boolean): RestAnswer {
    if (locator !== undefined) return this.#more(request, locator);
    const { rows, fields, object, isCount } = runQuery(this.#org, request.query.get('q') ?? '', includesDeleted);
    if (isCount) return { status: 200, body: { totalSize: rows.length, done: true, records: [] } };
    const asked = Number(/batchSize=(\d+)/.exec(request.headers['sforce-query-options'] ?? '')?.[1] ?? this.#pageSize);
    const pageSize = Math.min(Math.max(asked, Math.min(200, this.#pageSize)), 2_000);
    return this.#page(request, { rows, fields, object, pageSize }, undefined, 0);
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
    const records = rows.slice(offset, end).map((row) => presented(this.#org, object, row, fields, request.version));
    const answer = { totalSize: rows.length, done: end >= rows.length, records };
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
}

/** The rows that a query finds. @throws MALFORMED_QUERY, INVALID_TYPE, INVALID_FIELD */
export function runQuery(org: Org, text: string, includesDeleted: boolean): QueryResult {
  const soql = parseSoql(text);
  const { records } = org;
  const object = records.schema.find(soql.object);
  if (object === undefined || object.name.endsWith('__e')) {
    throw new RestError(400, 'INVALID_TYPE', `sObject type '${soql.object}' is not supported.`);
  }
  if (soql.offset > offsetAtMost) {
    throw new RestError(400, 'NUMBER_OUTSIDE_VALID_RANGE', `Maximum SOQL offset allowed is ${offsetAtMost}`);
  }
  const fields = soql.fields.flatMap((name) =>
    name.startsWith('FIELDS(')
      ? [...object.fields.values()].map((field) => field.name)
      : [fieldName(org, object.name, name)],
  );
  for (const { field } of soql.orderBy) fieldName(org, object.name, field);
  for (const field of conditionFields(soql.where)) fieldName(org, object.name, field);
  return { rows: records.select(soql, includesDeleted), fields, object: object.name, isCount: soql.isCount };
}
