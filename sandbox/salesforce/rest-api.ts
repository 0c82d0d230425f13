import { BulkIngest } from './bulk-ingest.js';
import { BulkQuery } from './bulk-query.js';
import { Composite } from './composite.js';
import { noSuchResource, RestError } from './rest-error.js';
import { Collections } from './rest-collections.js';
import { Queries } from './rest-query.js';
import type { Org, RestAnswer, RestRequest } from './rest-request.js';
import { RowResources } from './rest-rows.js';

export interface RestApiOptions {
  readonly org: Org;
  /** Rows of one page of a query. */
  readonly pageSize: number;
  /** Rows of one page of the results of a bulk query. */
  readonly bulkPageSize: number;
  readonly bulkDelayMs: number;
  readonly limits: () => Readonly<Record<string, { readonly Max: number; readonly Remaining: number }>>;
}

/** The REST API below a version: finds the part that answers. */
export class RestApi {
  readonly #limits: RestApiOptions['limits'];
  readonly #rows: RowResources;
  readonly #queries: Queries;
  readonly #collections: Collections;
  readonly #composite: Composite;
  readonly #ingest: BulkIngest;
  readonly #bulkQuery: BulkQuery;

  constructor({ org, pageSize, bulkPageSize, bulkDelayMs, limits }: RestApiOptions) {
    this.#limits = limits;
    this.#rows = new RowResources(org);
    this.#queries = new Queries(org, pageSize);
    this.#collections = new Collections(org, this.#rows);
    this.#composite = new Composite(org, (request) => this.answer(request));
    this.#ingest = new BulkIngest(org, bulkDelayMs);
    this.#bulkQuery = new BulkQuery(org, bulkDelayMs, bulkPageSize);
  }

  /** @throws RestError – the call is refused */
  answer(request: RestRequest): RestAnswer {
    const parts = request.path.split('/').filter(Boolean).map(decode);
    const [resource, second, ...rest] = parts;
    const below = parts.slice(1);
    if (resource === undefined) return { status: 200, body: resources(request.version) };
    if (resource === 'limits' && second === undefined) return { status: 200, body: this.#limits() };
    if (resource === 'query' && request.method === 'GET') return this.#queries.answer(request, below, false);
    if (resource === 'queryAll' && request.method === 'GET') return this.#queries.answer(request, below, true);
    if (resource === 'sobjects') return this.#rows.answer(request, below);
    if (resource === 'composite' && second === undefined) return this.#composite.answer(request);
    if (resource === 'composite' && second === 'batch') return this.#composite.batch(request);
    if (resource === 'composite' && second === 'sobjects') return this.#collections.answer(request, rest);
    if (resource === 'jobs' && second === 'ingest') return this.#ingest.answer(request, rest);
    if (resource === 'jobs' && second === 'query') return this.#bulkQuery.answer(request, rest);
    throw noSuchResource();
  }

  close(): void {
    this.#ingest.close();
    this.#bulkQuery.close();
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new RestError(400, 'INVALID_INPUT', 'Unable to decode the URL');
  }
}

function resources(version: string) {
  const base = `/services/data/v${version}`;
  return {
    sobjects: `${base}/sobjects`,
    query: `${base}/query`,
    queryAll: `${base}/queryAll`,
    limits: `${base}/limits`,
    composite: `${base}/composite`,
    'jobs/ingest': `${base}/jobs/ingest`,
    'jobs/query': `${base}/jobs/query`,
  };
}
