import { PatchbayError, type HttpClient, type Logger } from '#sdk';
import { ApiBudget, type BudgetSettings, type BudgetState, type CallPurpose } from './api-budget.js';
import { BulkJobs } from './bulk-jobs.js';
import { explainedRefusal, faultOfObject, faultsOfWrite, ObjectDescriptions } from './object-descriptions.js';
import { RowCalls } from './row-calls.js';
import { SalesforceLogin, type LoginSettings } from './salesforce.login.js';
import { SalesforceRest, type RestCall } from './salesforce.rest.js';
import { SalesforceStream, type StreamTiming } from './salesforce.stream.js';
import { WriteGatherer, type RowOutcome, type RowWrite } from './write-gatherer.js';

export interface SalesforceSettings extends LoginSettings {
  readonly apiVersion: string;
  readonly clientName: string;
  readonly apiBudget: BudgetSettings;
  readonly gatherMs: number;
}

export interface SalesforceClientOptions {
  readonly http: HttpClient;
  readonly log: Logger;
  readonly stream?: Partial<StreamTiming>;
  readonly requestTimeoutMs?: number;
  readonly now?: () => number;
  /** Tells this hub from others that use the org. */
  readonly hub?: string | undefined;
  /** Keeps settings that the org changed, such as a refresh token that was exchanged for another. */
  readonly keep?: (settings: Readonly<Record<string, unknown>>) => Promise<void>;
}

export interface UpsertRequest {
  readonly object: string;
  readonly matchOn: string;
  readonly value: string;
  /** Without the field that is matched on. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly allowDuplicates?: boolean;
}

export type SalesforceRecord = Readonly<Record<string, unknown>>;

interface QueryPage {
  readonly totalSize: number;
  readonly done: boolean;
  readonly nextRecordsUrl?: string;
  readonly records: readonly SalesforceRecord[];
}

/** One org: its rows over REST, its bulk jobs, and its stream, all with the one session of the connection. */
export class SalesforceClient {
  readonly stream: SalesforceStream;
  readonly objects: ObjectDescriptions;
  readonly bulk: BulkJobs;
  readonly hub: string;
  readonly #rest: SalesforceRest;
  readonly #login: SalesforceLogin;
  readonly #budget: ApiBudget;
  readonly #writes: WriteGatherer;

  constructor(settings: SalesforceSettings, options: SalesforceClientOptions) {
    const { http, log, stream, requestTimeoutMs, now, keep } = options;
    const { apiVersion, clientName } = settings;
    this.hub = options.hub ?? 'local';
    const login = (this.#login = new SalesforceLogin(settings, http, { ...(now && { now }), keep }));
    this.#budget = new ApiBudget(settings.apiBudget, now);
    this.#rest = new SalesforceRest({ login, http, budget: this.#budget, apiVersion, clientName, requestTimeoutMs });
    this.objects = new ObjectDescriptions(this.#rest);
    this.bulk = new BulkJobs(this.#rest);
    const calls = new RowCalls(this.#rest);
    this.#writes = new WriteGatherer({
      send: (rows, signal) => calls.send(rows, signal),
      windowMs: settings.gatherMs,
    });
    this.stream = new SalesforceStream({
      login,
      http,
      log,
      apiVersion,
      ...(stream === undefined ? {} : { timing: stream }),
    });
  }

  /** Creates the record, or updates the one whose external id field holds the value. Safe to repeat. */
  upsert(request: UpsertRequest, signal: AbortSignal): Promise<RowOutcome> {
    const { value, ...row } = request;
    return this.write({ operation: 'upsert', key: value, ...row }, signal);
  }

  async update(object: string, id: string, fields: SalesforceRecord, signal: AbortSignal): Promise<void> {
    await this.write({ operation: 'update', object, key: id, fields }, signal);
  }

  /**
   * Writes one row. Rows that come at about the same time travel together; each is told its own outcome.
   * @throws what Salesforce said of this row; where the description of the object explains it, with what to change
   */
  async write(row: RowWrite, signal: AbortSignal): Promise<RowOutcome> {
    try {
      return await this.#writes.write(row, signal);
    } catch (error) {
      throw await this.#explained(error, row, signal);
    }
  }

  /** The fields of one record. @throws salesforce.notFound */
  async retrieve(
    object: string,
    id: string,
    fields: readonly string[],
    signal: AbortSignal,
  ): Promise<SalesforceRecord> {
    const wanted = fields.length === 0 ? '' : `?fields=${fields.map(encodeURIComponent).join(',')}`;
    const call: RestCall = {
      method: 'GET',
      url: `/sobjects/${object}/${id}${wanted}`,
      action: `Reading the ${object} ${id}`,
    };
    return withoutAttributes(await this.#rest.json<SalesforceRecord>(call, signal));
  }

  /** Rows of a query, page by page, up to a limit; whether there are more is told, never hidden. */
  async query(
    soql: string,
    limit: number,
    signal: AbortSignal,
    { purpose = 'work', includesDeleted = false }: { purpose?: CallPurpose; includesDeleted?: boolean } = {},
  ): Promise<{ readonly records: SalesforceRecord[]; readonly totalSize: number; readonly isCut: boolean }> {
    const action = 'Querying Salesforce';
    const records: SalesforceRecord[] = [];
    let url: string | undefined = `/${includesDeleted ? 'queryAll' : 'query'}?q=${encodeURIComponent(soql)}`;
    let totalSize = 0;
    while (url !== undefined && records.length < limit) {
      const page: QueryPage = await this.#rest.json<QueryPage>({ method: 'GET', url, action, purpose }, signal);
      totalSize = page.totalSize;
      records.push(...page.records.map(withoutAttributes));
      url = page.done ? undefined : page.nextRecordsUrl;
    }
    return { records: records.slice(0, limit), totalSize, isCut: url !== undefined || records.length > limit };
  }

  /** Any call of the REST API, with the session, the budget and the errors of this client. */
  call<Answer>(call: RestCall, signal: AbortSignal): Promise<Answer> {
    return this.#rest.json<Answer>(call, signal);
  }

  get loginState(): SalesforceLogin['state'] {
    return this.#login.state;
  }

  get budget(): BudgetState {
    return this.#budget.state;
  }

  async test(signal: AbortSignal): Promise<void> {
    this.#login.askAgain();
    await this.#rest.json<unknown>({ method: 'GET', url: '/limits', action: 'Reading the limits of the org' }, signal);
  }

  async close(): Promise<void> {
    this.#writes.close();
    await this.stream.close();
  }

  /** A refusal that the description of the object explains is told with what to change. */
  async #explained(error: unknown, row: RowWrite, signal: AbortSignal): Promise<unknown> {
    if (!(error instanceof PatchbayError) || row.operation === 'delete') return error;
    if (!explainable.has(error.code)) return error;
    try {
      const description = await this.objects.of(row.object, signal);
      return explainedRefusal(error, faultsOfWrite(description, row));
    } catch (unknown) {
      if (!(unknown instanceof PatchbayError) || unknown.code !== 'salesforce.notFound') return error;
      const names = await this.objects.names(signal).catch(() => []);
      return explainedRefusal(error, [faultOfObject(row.object, names)]);
    }
  }
}

const explainable: ReadonlySet<string> = new Set([
  'salesforce.configuration',
  'salesforce.data',
  'salesforce.notFound',
]);

/** Leaves out what the REST API adds to each row: its type and address. */
function withoutAttributes(record: SalesforceRecord): SalesforceRecord {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    return typeof value === 'object' && value !== null ? withoutAttributes({ ...value }) : value;
  };
  const { attributes: _, ...fields } = record;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]));
}
