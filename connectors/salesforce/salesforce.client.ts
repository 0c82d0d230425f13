import { PassThrough } from 'node:stream';
import type { Connection, HttpRequest, HttpResponse } from 'jsforce';
import { PatchbayError, type HttpClient, type Logger } from '#sdk';
import { salesforceCodeOf, translateError } from './salesforce.errors.js';
import { SalesforceLogin, type LoginSettings, type Session } from './salesforce.login.js';
import { SalesforceStream, type StreamTiming } from './salesforce.stream.js';

export interface SalesforceSettings extends LoginSettings {
  readonly apiVersion: string;
  readonly clientName: string;
}

export interface SalesforceClientOptions {
  readonly http: HttpClient;
  readonly log: Logger;
  readonly stream?: Partial<StreamTiming>;
  readonly requestTimeoutMs?: number;
}

export interface UpsertRequest {
  readonly object: string;
  readonly matchOn: string;
  readonly value: string;
  /** Without the field that is matched on. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export type SalesforceRecord = Readonly<Record<string, unknown>>;

interface QueryPage {
  readonly totalSize: number;
  readonly done: boolean;
  readonly nextRecordsUrl?: string;
  readonly records: readonly SalesforceRecord[];
}

type JsonCall = Pick<HttpRequest, 'method' | 'url'> & {
  readonly body?: unknown;
  /** What was tried, as an error begins: `Updating the Contact 003…`. */
  readonly action: string;
};

const maxAnswerBytes = 32 * 1024 * 1024;

/**
 * One org over REST, through jsforce, and its stream. jsforce speaks through the way out of the hub: it adds neither
 * connections nor retries of its own. Sessions are renewed here and not by jsforce, which repeats a refused call without
 * bound and against the old address of an org that moved.
 */
export class SalesforceClient {
  readonly stream: SalesforceStream;
  readonly #settings: SalesforceSettings;
  readonly #options: SalesforceClientOptions;
  readonly #login: SalesforceLogin;
  #connected: { readonly session: Session; readonly connection: Connection } | undefined;

  constructor(settings: SalesforceSettings, options: SalesforceClientOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#login = new SalesforceLogin(settings, options.http);
    this.stream = new SalesforceStream({
      login: this.#login,
      http: options.http,
      log: options.log,
      apiVersion: settings.apiVersion,
      ...(options.stream === undefined ? {} : { timing: options.stream }),
    });
  }

  /** Creates the record, or updates the one whose external id field holds the value. Safe to repeat. */
  async upsert(
    { object, matchOn, value, fields }: UpsertRequest,
    signal: AbortSignal,
  ): Promise<{ readonly id: string; readonly created: boolean }> {
    // jsforce puts the value into the URL as it is: `q?x=1` would be stored as `q`.
    const url = `/sobjects/${object}/${matchOn}/${encodeURIComponent(value)}`;
    const action = `Upserting the ${object} with ${matchOn} ${value}`;
    return this.#call({ method: 'PATCH', url, body: fields, action }, signal);
  }

  async update(object: string, id: string, fields: SalesforceRecord, signal: AbortSignal): Promise<void> {
    const url = `/sobjects/${object}/${id}`;
    await this.#call<unknown>({ method: 'PATCH', url, body: fields, action: `Updating the ${object} ${id}` }, signal);
  }

  /** Rows of a query, page by page, up to a limit; whether there are more is told, never hidden. */
  async query(
    soql: string,
    limit: number,
    signal: AbortSignal,
  ): Promise<{ readonly records: SalesforceRecord[]; readonly totalSize: number; readonly isCut: boolean }> {
    const action = 'Querying Salesforce';
    const records: SalesforceRecord[] = [];
    let url: string | undefined = `/query?q=${encodeURIComponent(soql)}`;
    let totalSize = 0;
    while (url !== undefined && records.length < limit) {
      const page: QueryPage = await this.#call<QueryPage>({ method: 'GET', url, action }, signal);
      totalSize = page.totalSize;
      records.push(...page.records.map(withoutAttributes));
      url = page.done ? undefined : page.nextRecordsUrl;
    }
    return { records: records.slice(0, limit), totalSize, isCut: url !== undefined || records.length > limit };
  }

  async test(signal: AbortSignal): Promise<void> {
    await this.#call<unknown>({ method: 'GET', url: '/limits', action: 'Reading the limits of the org' }, signal);
  }

  async close(): Promise<void> {
    await this.stream.close();
  }

  async #call<Answer>(call: JsonCall, signal: AbortSignal): Promise<Answer> {
    let session = await this.#login.current();
    for (;;) {
      const seen: { status?: number } = {};
      try {
        return await this.#send<Answer>(session, call, signal, seen);
      } catch (error) {
        const code = salesforceCodeOf(error);
        if (seen.status !== 401 || code === undefined) throw translateError(error, call.action, seen.status);
      }
      // `renew` is what ends this loop when fresh sessions are refused as well.
      session = await this.#login.renew(session);
    }
  }

  async #send<Answer>(
    session: Session,
    { method, url, body }: JsonCall,
    signal: AbortSignal,
    seen: { status?: number },
  ): Promise<Answer> {
    const connection = await this.#connection(session);
    const transport = {
      // What jsforce waits for is a promise that also has a stream; the stream is for those who read rows as they come.
      httpRequest: (request: HttpRequest) =>
        Object.assign(this.#exchange(request, signal, seen), { stream: () => new PassThrough() }),
    };
    const request: HttpRequest = {
      method,
      url,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const answer = await connection.request<Answer | string>(request, { transport });
    if (typeof answer === 'string' && answer !== '') {
      throw new PatchbayError('http.unreadable', {
        detail: 'The answer of Salesforce is not JSON, or too large to read',
      });
    }
    // Nothing but JSON is left, and its shape is that of the resource that was called.
    return answer as Answer;
  }

  async #exchange(request: HttpRequest, signal: AbortSignal, seen: { status?: number }): Promise<HttpResponse> {
    const { 'content-length': _, ...headers } = request.headers ?? {};
    const answer = await this.#options.http.request({
      // jsforce knows more methods than the calls of this client use.
      method: request.method as 'GET' | 'PATCH',
      url: request.url,
      headers,
      ...(typeof request.body === 'string' ? { body: request.body } : {}),
      signal,
      timeoutMs: this.#options.requestTimeoutMs ?? 60_000,
      maxBytes: maxAnswerBytes,
      accept: () => true,
    });
    seen.status = answer.status;
    if (answer.status > 300 && answer.status < 400) {
      throw new PatchbayError('salesforce.unavailable', {
        detail: `Salesforce sent the call elsewhere (${answer.status} to ${answer.headers['location'] ?? 'nowhere'})`,
        fix: 'Check that loginUrl is the My Domain address of the org; an org under maintenance also answers like this.',
      });
    }
    return { statusCode: answer.status, headers: { ...answer.headers }, body: answer.text };
  }

  async #connection(session: Session): Promise<Connection> {
    if (this.#connected?.session === session) return this.#connected.connection;
    const jsforce = await import('jsforce');
    const connection = new jsforce.Connection({
      instanceUrl: session.instanceUrl,
      accessToken: session.accessToken,
      version: this.#settings.apiVersion,
      callOptions: { client: this.#settings.clientName },
    });
    this.#connected = { session, connection };
    return connection;
  }
}

/** Leaves out what the REST API adds to each row: its type and address. */
function withoutAttributes(record: SalesforceRecord): SalesforceRecord {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    return typeof value === 'object' && value !== null ? withoutAttributes({ ...value }) : value;
  };
  const { attributes: _, ...fields } = record;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]));
}
