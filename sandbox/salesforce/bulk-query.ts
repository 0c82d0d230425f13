import { BulkJobs, type BulkJob } from './bulk-jobs.js';
import { delimiters, writeCsv } from './csv.js';
import { noSuchResource, RestError } from './rest-error.js';
import { fieldsOf, methodNotAllowed, type Org, type RestAnswer, type RestRequest } from './rest-request.js';
import { runQuery, type QueryResult } from './rest-query.js';
import { valueOf, type Row } from './soql-rows.js';

interface QueryJob extends BulkJob {
  readonly query: string;
  readonly operation: 'query' | 'queryAll';
  readonly object: string;
  readonly userId: string;
  readonly delimiter: string;
  readonly delimiterName: string;
  result: QueryResult | undefined;
}

/** Bulk API 2.0, query: the rows of a query as pages of CSV, each with the locator of the next. */
export class BulkQuery {
  readonly #org: Org;
  readonly #jobs: BulkJobs<QueryJob>;
  readonly #pageSize: number;

  constructor(org: Org, delayMs: number, pageSize: number) {
    this.#org = org;
    this.#pageSize = pageSize;
    this.#jobs = new BulkJobs({ faults: org.faults, delayMs, work: (job) => this.#work(job) });
  }

  answer(request: RestRequest, [id, part]: readonly string[]): RestAnswer {
    const { method } = request;
    if (id === undefined) {
      if (method === 'POST') return this.#open(request);
      const records = this.#jobs.list().map((job) => this.#info(job));
      return { status: 200, body: { done: true, records, nextRecordsUrl: null } };
    }
    const job = this.#jobs.find(id);
    if (part === 'results' && method === 'GET') return this.#results(job, request);
    if (part !== undefined) throw noSuchResource();
    if (method === 'PATCH') this.#jobs.abort(job);
    if (method === 'DELETE') {
      this.#jobs.delete(job);
      return { status: 204 };
    }
    if (method !== 'GET' && method !== 'PATCH') throw methodNotAllowed(method);
    return { status: 200, body: this.#info(job) };
  }

  close(): void {
    this.#jobs.close();
  }

  #open({ body, version, writer }: RestRequest): RestAnswer {
    const asked = fieldsOf(body);
    const query = String(asked['query'] ?? '');
    const operation = asked['operation'] === 'queryAll' ? 'queryAll' : 'query';
    if (/\b(GROUP\s+BY|OFFSET|TYPEOF)\b|\b(COUNT|SUM|AVG|MIN|MAX)\s*\(/i.test(query)) {
      throw new RestError(400, 'API_ERROR', 'Aggregate queries, OFFSET and TYPEOF are not supported in Bulk query');
    }
    const { object, fields } = runQuery(this.#org, query, false);
    const schema = this.#org.records.object(object);
    const compound = fields.find((name) => schema.fields.get(name.toLowerCase())?.type === 'address');
    if (compound !== undefined) {
      throw new RestError(400, 'FEATURENOTENABLED', `Selecting compound data not supported in Bulk Query: ${compound}`);
    }
    const delimiterName = String(asked['columnDelimiter'] ?? 'COMMA');
    const job = this.#jobs.add({
      query,
      operation,
      object,
      version,
      userId: writer.userId,
      delimiterName,
      delimiter: delimiters[delimiterName] ?? ',',
      createdAt: this.#org.now(),
      id: this.#org.records.newId('750'),
      result: undefined,
    });
    this.#jobs.start(job);
    return { status: 200, body: this.#info(job) };
  }

  #work(job: QueryJob): void {
    const failure = this.#org.faults.take('failJob', 'bulk', '');
    if (failure !== undefined) {
      throw new RestError(400, 'InternalServerError', failure.message ?? 'The job was told to fail');
    }
    job.result = runQuery(this.#org, job.query, job.operation === 'queryAll');
  }

  #results({ result, delimiter }: QueryJob, { query }: RestRequest): RestAnswer {
    if (result === undefined) throw new RestError(400, 'INVALIDJOBSTATE', 'Results are not available yet');
    const { rows, fields } = result;
    const locator = query.get('locator');
    const start = locator === null ? 0 : Number(Buffer.from(locator, 'base64url').toString());
    if (!Number.isInteger(start)) throw new RestError(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');
    const size = Math.min(Number(query.get('maxRecords') ?? this.#pageSize), this.#pageSize);
    const page = rows.slice(start, start + size);
    const isLast = start + size >= rows.length;
    return {
      status: 200,
      content: {
        type: 'text/csv;charset=UTF-8',
        data: writeCsv([fields, ...page.map((row) => fields.map((name) => valueOf(row, name)))], delimiter),
      },
      headers: {
        'sforce-locator': isLast ? 'null' : Buffer.from(String(start + size)).toString('base64url'),
        'sforce-numberofrecords': String(page.length),
      },
    };
  }

  #info(job: QueryJob): Row {
    return {
      ...this.#jobs.info(job),
      operation: job.operation,
      object: job.object,
      createdById: job.userId,
      contentType: 'CSV',
      lineEnding: 'LF',
      columnDelimiter: job.delimiterName,
      jobType: 'V2Query',
      ...(job.result !== undefined && { numberRecordsProcessed: job.result.rows.length }),
    };
  }
}
