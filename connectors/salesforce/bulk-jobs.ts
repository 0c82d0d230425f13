import { setTimeout as delay } from 'node:timers/promises';
import { PatchbayError } from '#sdk';
import type { RestCall, SalesforceRest } from './salesforce.rest.js';

export interface NewIngestJob {
  readonly object: string;
  readonly operation: 'insert' | 'update' | 'upsert' | 'delete';
  /** For `upsert`. */
  readonly matchOn?: string;
}

export interface BulkJobState {
  readonly id: string;
  readonly state: 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';
  readonly errorMessage?: string;
  readonly numberRecordsProcessed?: number;
  readonly numberRecordsFailed?: number;
}

export interface FailedRow {
  /** As Salesforce writes it: `CODE:message:fields`. */
  readonly error: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface QueryPosition {
  readonly job: string;
  /** Where the next page begins; undefined for the first one. */
  readonly locator?: string | undefined;
}

type Row = Readonly<Record<string, unknown>>;

const slowestPollMs = 10_000;
const rowsOfPage = 50_000;
// A job holds 150 MB once Salesforce has coded it in base64, and 100 MB before.
const bytesOfJob = 95_000_000;

/**
 * Bulk API 2.0, step by step: whoever keeps the id of a job finds it again after a restart. Nothing here deletes a job
 * because it is slow, which jsforce does when its polling time is over. All calls count as background work.
 */
export class BulkJobs {
  readonly #rest: SalesforceRest;

  constructor(rest: SalesforceRest) {
    this.#rest = rest;
  }

  /** Opens a job that waits for its rows. Keep its id. */
  async createIngest({ object, operation, matchOn }: NewIngestJob, signal: AbortSignal): Promise<string> {
    const body = {
      object,
      operation,
      contentType: 'CSV',
      lineEnding: 'LF',
      ...(matchOn !== undefined && { externalIdFieldName: matchOn }),
    };
    const call = this.#call('POST', '/jobs/ingest', `Opening a bulk ${operation} of ${object}`, { body });
    return (await this.#rest.json<BulkJobState>(call, signal)).id;
  }

  /** Gives an open job its rows; once for each job. */
  async upload(job: string, rows: readonly Row[], signal: AbortSignal): Promise<void> {
    const body = csvOf(rows);
    if (Buffer.byteLength(body) > bytesOfJob) {
      throw new PatchbayError('salesforce.data', {
        detail: `The rows of the bulk job ${job} have ${Buffer.byteLength(body)} bytes; a job holds ${bytesOfJob}`,
        fix: 'Cut them into several jobs.',
      });
    }
    const headers = { 'content-type': 'text/csv' };
    const call = this.#call('PUT', `/jobs/ingest/${job}/batches`, `Uploading to the bulk job ${job}`, {
      body,
      headers,
    });
    await this.#rest.json<unknown>(call, signal);
  }

  /** Ends the upload: Salesforce begins. */
  async close(job: string, signal: AbortSignal): Promise<void> {
    const body = { state: 'UploadComplete' };
    const call = this.#call('PATCH', `/jobs/ingest/${job}`, `Closing the bulk job ${job}`, { body });
    await this.#rest.json<unknown>(call, signal);
  }

  stateOf(kind: 'ingest' | 'query', job: string, signal: AbortSignal): Promise<BulkJobState> {
    return this.#rest.json(this.#call('GET', `/jobs/${kind}/${job}`, `Looking after the bulk job ${job}`), signal);
  }

  /** Waits until the job is over, however it ended. */
  async finished(
    kind: 'ingest' | 'query',
    job: string,
    signal: AbortSignal,
    { firstPollMs = 500 }: { readonly firstPollMs?: number } = {},
  ): Promise<BulkJobState> {
    for (let waitMs = firstPollMs; ; waitMs = Math.min(waitMs * 1.5, slowestPollMs)) {
      const state = await this.stateOf(kind, job, signal);
      if (['JobComplete', 'Failed', 'Aborted'].includes(state.state)) return state;
      try {
        await delay(waitMs, undefined, { signal });
      } catch (error) {
        if (signal.reason instanceof PatchbayError) throw signal.reason;
        throw new PatchbayError('step.cancelled', {
          detail: `Waiting for the bulk job ${job} was given up`,
          cause: error,
        });
      }
    }
  }

  /** Rows that were refused, each with the reason. */
  async failedRows(job: string, signal: AbortSignal): Promise<FailedRow[]> {
    const call = this.#call('GET', `/jobs/ingest/${job}/failedResults`, `Reading what failed in the bulk job ${job}`);
    const { rows } = await this.#rest.csv(call, signal);
    return rows.map(({ sf__Error: error = '', sf__Id: _, ...fields }) => ({
      error: error.replace(/ --$/, ''),
      fields,
    }));
  }

  /** Opens a query whose pages are kept by Salesforce for seven days. Keep its id. */
  async createQuery(soql: string, signal: AbortSignal): Promise<string> {
    const call = this.#call('POST', '/jobs/query', 'Opening a bulk query', {
      body: { operation: 'query', query: soql },
    });
    return (await this.#rest.json<BulkJobState>(call, signal)).id;
  }

  /** One page of a finished query, and where the next one begins: undefined after the last. */
  async page(
    { job, locator }: QueryPosition,
    signal: AbortSignal,
  ): Promise<{ readonly rows: readonly Readonly<Record<string, string>>[]; readonly next: string | undefined }> {
    const at = locator === undefined ? '' : `&locator=${encodeURIComponent(locator)}`;
    const url = `/jobs/query/${job}/results?maxRecords=${rowsOfPage}${at}`;
    const { rows, headers } = await this.#rest.csv(this.#call('GET', url, `Reading the bulk query ${job}`), signal);
    const next = headers['sforce-locator'];
    return { rows, next: next === undefined || next === 'null' ? undefined : next };
  }

  #call(
    method: RestCall['method'],
    url: string,
    action: string,
    more: Pick<RestCall, 'body' | 'headers'> = {},
  ): RestCall {
    return { method, url, action, purpose: 'background', ...more };
  }
}

/** `#N/A` empties a field; an empty cell leaves it as it is. Parents are columns such as `Account.Number__c`. */
function csvOf(rows: readonly Row[]): string {
  const flat = rows.map(flattened);
  const columns = [...new Set(flat.flatMap((row) => Object.keys(row)))];
  const line = (cells: readonly string[]) => `${cells.map((cell) => `"${cell.replace(/"/g, '""')}"`).join(',')}\n`;
  return line(columns) + flat.map((row) => line(columns.map((name) => row[name] ?? ''))).join('');
}

function flattened(row: Row): Record<string, string> {
  const cells: Record<string, string> = {};
  for (const [name, value] of Object.entries(row)) {
    if (value === undefined) continue;
    if (value === null || value === '') cells[name] = '#N/A';
    else if (typeof value !== 'object') cells[name] = String(value);
    else for (const [inner, key] of Object.entries(value)) cells[`${name}.${inner}`] = String(key);
  }
  return cells;
}
