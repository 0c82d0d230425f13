import { delimiters, readCsv, writeCsv } from './csv.js';
import { BulkJobs, type BulkJob } from './bulk-jobs.js';
import { noSuchResource, RestError } from './rest-error.js';
import { attempt, fieldsOf, methodNotAllowed, type Org, type RestAnswer, type RestRequest } from './rest-request.js';
import type { Writer } from './records.js';
import type { Row } from './soql-rows.js';

interface Outcome {
  readonly cells: readonly string[];
  readonly id: string;
  readonly isCreated: boolean;
  /** As in the list of failed rows: `CODE:message:fields --`. */
  readonly error?: string;
}

interface IngestJob extends BulkJob {
  readonly object: string;
  readonly operation: string;
  readonly externalIdFieldName: string | undefined;
  readonly delimiter: string;
  readonly delimiterName: string;
  readonly lineEnding: string;
  readonly writer: Writer;
  columns: readonly string[];
  cells: readonly string[][];
  readonly outcomes: Outcome[];
}

const operations = ['insert', 'update', 'upsert', 'delete', 'hardDelete'];
const chunkRows = 200;

/** Bulk API 2.0, ingest: a CSV is uploaded, worked on in chunks of 200 rows, and its results fetched by job id. */
export class BulkIngest {
  readonly #org: Org;
  readonly #jobs: BulkJobs<IngestJob>;

  constructor(org: Org, delayMs: number) {
    this.#org = org;
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
    if (part === 'batches' && method === 'PUT') return this.#upload(job, request);
    if (part === undefined && method === 'PATCH') return this.#change(job, String(fieldsOf(request.body)['state']));
    if (part === undefined && method === 'GET') return { status: 200, body: this.#info(job) };
    if (part === undefined && method === 'DELETE') {
      this.#jobs.delete(job);
      return { status: 204 };
    }
    if (method !== 'GET') throw methodNotAllowed(method);
    return this.#results(job, part ?? '');
  }

  close(): void {
    this.#jobs.close();
  }

  #open({ body, version, writer }: RestRequest): RestAnswer {
    const asked = fieldsOf(body);
    const operation = String(asked['operation']);
    if (!operations.includes(operation)) throw new RestError(400, 'INVALIDJOB', `Unsupported operation: ${operation}`);
    const found = attempt(() => this.#org.records.object(String(asked['object'])).name);
    if ('error' in found) {
      throw new RestError(400, 'INVALIDJOB', `InvalidJob : Unable to find object: ${String(asked['object'])}`);
    }
    const externalIdFieldName = asked['externalIdFieldName'] as string | undefined;
    if (operation === 'upsert' && externalIdFieldName === undefined) {
      throw new RestError(400, 'INVALIDJOB', 'InvalidJob : ExternalIdFieldName is required for upsert');
    }
    const delimiterName = String(asked['columnDelimiter'] ?? 'COMMA');
    const job = this.#jobs.add({
      object: found.value,
      operation,
      externalIdFieldName,
      delimiterName,
      delimiter: delimiters[delimiterName] ?? ',',
      lineEnding: String(asked['lineEnding'] ?? 'LF'),
      version,
      writer: { ...writer, changeOrigin: `com/salesforce/api/bulkapi/${version}` },
      createdAt: this.#org.now(),
      id: this.#org.records.newId('750'),
      columns: [],
      cells: [],
      outcomes: [],
    });
    return { status: 200, body: this.#info(job) };
  }

  #upload(job: IngestJob, { body }: RestRequest): RestAnswer {
    if (job.state !== 'Open') throw new RestError(400, 'INVALIDJOBSTATE', 'Job must be open to upload data');
    if (job.columns.length > 0) throw new RestError(400, 'INVALIDJOBSTATE', 'Found multiple contents for job');
    const [columns = [], ...cells] = readCsv(typeof body === 'string' ? body : '', job.delimiter);
    job.columns = columns;
    job.cells = cells;
    return { status: 201 };
  }

  #change(job: IngestJob, state: string): RestAnswer {
    if (state === 'UploadComplete') this.#jobs.start(job);
    else if (state === 'Aborted') this.#jobs.abort(job);
    else throw new RestError(400, 'INVALIDJOBSTATE', `Invalid state: ${state}`);
    return { status: 200, body: this.#info(job) };
  }

  #work(job: IngestJob): void {
    const failure = this.#org.faults.take('failJob', 'bulk', '');
    const until = failure === undefined ? job.cells.length : (failure.afterRows ?? 0);
    for (let start = 0; start < Math.min(until, job.cells.length); start += chunkRows) {
      // Each chunk is a transaction of its own; the rows in it are saved or refused one by one.
      const chunk = job.cells.slice(start, Math.min(start + chunkRows, until));
      this.#org.records.transaction(() => {
        for (const cells of chunk) job.outcomes.push(this.#row(job, cells));
      });
    }
    if (failure === undefined) return;
    throw new RestError(400, 'InternalServerError', failure.message ?? 'The job was told to fail');
  }

  #row(job: IngestJob, cells: readonly string[]): Outcome {
    const { records } = this.#org;
    const values = valuesOf(job.columns, cells);
    const done = attempt(() => records.transaction(() => this.#written(job, values)));
    if ('value' in done) return { cells, ...done.value };
    const { errorCode, message, fields = [] } = done.error.first;
    return { cells, id: '', isCreated: false, error: `${errorCode}:${message}:${fields.join(',')} --` };
  }

  #written(
    { object, operation, externalIdFieldName = '', writer }: IngestJob,
    values: Row,
  ): { id: string; isCreated: boolean } {
    const { records } = this.#org;
    const { Id: id, ...fields } = values;
    if (operation === 'insert') return { id: String(records.create(object, fields, writer)['Id']), isCreated: true };
    if (operation === 'upsert' && externalIdFieldName.toLowerCase() !== 'id') {
      const { [externalIdFieldName]: key, ...others } = fields;
      if (key === undefined || key === null)
        throw new RestError(400, 'MISSING_ARGUMENT', `${externalIdFieldName} not specified`, []);
      const { row, isCreated } = records.upsert(object, externalIdFieldName, String(key), others, writer);
      return { id: String(row['Id']), isCreated };
    }
    if (id === undefined || id === null) throw new RestError(400, 'MISSING_ARGUMENT', 'Id not specified', []);
    if (operation === 'update' || operation === 'upsert') records.update(object, String(id), fields, writer);
    else records.delete(object, String(id), writer);
    if (operation === 'hardDelete') records.emptyBin(object, String(id));
    return { id: String(id), isCreated: false };
  }

  #results(job: IngestJob, part: string): RestAnswer {
    const { columns, outcomes, cells, delimiter } = job;
    const done = outcomes.filter(({ error }) => error === undefined);
    const failed = outcomes.filter(({ error }) => error !== undefined);
    const tables: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
      successfulResults: [
        ['sf__Id', 'sf__Created', ...columns],
        ...done.map((outcome) => [outcome.id, outcome.isCreated, ...outcome.cells]),
      ],
      failedResults: [
        ['sf__Id', 'sf__Error', ...columns],
        ...failed.map((outcome) => [outcome.id, outcome.error, ...outcome.cells]),
      ],
      unprocessedrecords: [columns, ...cells.slice(outcomes.length)],
    };
    const table = tables[part];
    if (table === undefined) throw noSuchResource();
    return { status: 200, content: { type: 'text/csv;charset=UTF-8', data: writeCsv(table, delimiter) } };
  }

  #info(job: IngestJob): Row {
    return {
      ...this.#jobs.info(job),
      operation: job.operation,
      object: job.object,
      createdById: job.writer.userId,
      ...(job.externalIdFieldName !== undefined && { externalIdFieldName: job.externalIdFieldName }),
      contentType: 'CSV',
      contentUrl: `services/data/v${job.version}/jobs/ingest/${job.id}/batches`,
      lineEnding: job.lineEnding,
      columnDelimiter: job.delimiterName,
      jobType: 'V2Ingest',
      numberRecordsProcessed: job.outcomes.length,
      numberRecordsFailed: job.outcomes.filter(({ error }) => error !== undefined).length,
    };
  }
}

/** `#N/A` is null, an empty cell leaves the field as it is, `Account.Number__c` names a parent. */
function valuesOf(columns: readonly string[], cells: readonly string[]): Row {
  const values: Record<string, unknown> = {};
  columns.forEach((column, index) => {
    const cell = cells[index] ?? '';
    if (cell === '') return;
    const value = cell === '#N/A' ? null : cell;
    const [relationship = '', key] = column.split('.');
    values[relationship] = key === undefined ? value : { [key]: value };
  });
  return values;
}
