import { PassThrough } from 'node:stream';
import type { Connection, HttpRequest, HttpResponse } from 'jsforce';
import { PatchbayError, type HttpClient } from '#sdk';
import type { ApiBudget, CallPurpose } from './api-budget.js';
import { salesforceCodeOf, translateError } from './salesforce.errors.js';
import type { SalesforceLogin, Session } from './salesforce.login.js';

export interface RestOptions {
  readonly login: SalesforceLogin;
  readonly http: HttpClient;
  readonly budget: ApiBudget;
  readonly apiVersion: string;
  readonly clientName: string;
  readonly requestTimeoutMs?: number | undefined;
}

export interface RestCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/services/data/vXX.0`, or an address that Salesforce gave. */
  readonly url: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What was tried, as an error begins: `Updating the Contact 003…`. */
  readonly action: string;
  /** Default `work`. */
  readonly purpose?: CallPurpose;
}

type HttpHeaders = Readonly<Record<string, string>>;

/** What the transport saw of an answer, which jsforce does not pass on. */
interface Seen {
  status?: number;
  headers?: HttpHeaders;
}

const maxAnswerBytes = 32 * 1024 * 1024;

/**
 * Calls of the REST API of one org, through jsforce. jsforce speaks through the way out of the hub: it adds neither
 * connections nor retries of its own. Sessions are renewed here and not by jsforce, which repeats a refused call without
 * bound and against the old address of an org that moved.
 */
export class SalesforceRest {
  readonly #options: RestOptions;
  #connected: { readonly session: Session; readonly connection: Connection } | undefined;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /** @returns the parsed answer; the caller names its shape */
  async json<Answer>(call: RestCall, signal: AbortSignal): Promise<Answer> {
    const { answer } = await this.#call<Answer | string>(call, signal);
    if (typeof answer === 'string' && answer !== '') {
      throw new PatchbayError('http.unreadable', {
        detail: 'The answer of Salesforce is not JSON, or too large to read',
      });
    }
    // Nothing but JSON is left, and its shape is that of the resource that was called.
    return answer as Answer;
  }

  /** @returns the rows of a CSV by their column names, and the headers that came with them */
  async csv(
    call: RestCall,
    signal: AbortSignal,
  ): Promise<{ readonly rows: readonly Readonly<Record<string, string>>[]; readonly headers: HttpHeaders }> {
    const { answer, seen } = await this.#call<unknown>({ ...call, headers: { accept: 'text/csv' } }, signal);
    // jsforce reads what is sent as text/csv into rows; an empty answer stays text.
    return { rows: Array.isArray(answer) ? (answer as Record<string, string>[]) : [], headers: seen.headers ?? {} };
  }

  async #call<Answer>(call: RestCall, signal: AbortSignal): Promise<{ answer: Answer; seen: Seen }> {
    const { login, budget } = this.#options;
    budget.admit(call.purpose ?? 'work');
    let session = await login.current();
    for (;;) {
      const seen: Seen = {};
      try {
        const answer = await this.#send<Answer>(session, call, signal, seen);
        budget.resume();
        return { answer, seen };
      } catch (error) {
        const code = salesforceCodeOf(error);
        if (seen.status !== 401 || code === undefined) throw this.#refused(error, code, call, seen.status);
      }
      // `renew` is what ends this loop when fresh sessions are refused as well.
      session = await login.renew(session);
    }
  }

  #refused(error: unknown, code: string | undefined, { action }: RestCall, status: number | undefined): unknown {
    const ours = translateError(error, action, status);
    const isForAll = code !== undefined && pausing.has(code);
    if (isForAll && ours instanceof PatchbayError) this.#options.budget.pause(ours);
    return ours;
  }

  async #send<Answer>(
    session: Session,
    { method, url, body, headers }: RestCall,
    signal: AbortSignal,
    seen: Seen,
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
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    return connection.request<Answer>(request, { transport });
  }

  async #exchange(request: HttpRequest, signal: AbortSignal, seen: Seen): Promise<HttpResponse> {
    const { 'content-length': _, ...headers } = request.headers ?? {};
    const answer = await this.#options.http.request({
      // jsforce knows more methods than the calls of this client use.
      method: request.method as RestCall['method'],
      url: request.url,
      headers,
      ...(typeof request.body === 'string' ? { body: request.body } : {}),
      signal,
      timeoutMs: this.#options.requestTimeoutMs ?? 60_000,
      maxBytes: maxAnswerBytes,
      accept: () => true,
    });
    Object.assign(seen, { status: answer.status, headers: answer.headers });
    this.#options.budget.heard(answer.headers['sforce-limit-info']);
    if (answer.status > 300 && answer.status < 400) {
      throw new PatchbayError('salesforce.unavailable', {
        detail: `Salesforce sent the call elsewhere (${answer.status} to ${answer.headers['location'] ?? 'nowhere'})`,
        fix: 'Check that loginUrl is the My Domain address of the org; an org under maintenance also answers like this.',
      });
    }
    return { statusCode: answer.status, headers: { ...answer.headers }, body: answer.text };
  }

  /** A new one for every session: an org that moved comes with another address, which jsforce would not follow. */
  async #connection(session: Session): Promise<Connection> {
    if (this.#connected?.session === session) return this.#connected.connection;
    const jsforce = await import('jsforce');
    const connection = new jsforce.Connection({
      instanceUrl: session.instanceUrl,
      accessToken: session.accessToken,
      version: this.#options.apiVersion,
      callOptions: { client: this.#options.clientName },
    });
    this.#connected = { session, connection };
    return connection;
  }
}

/** Refusals that meet every call of the org, whatever it asks for. */
const pausing = new Set(['REQUEST_LIMIT_EXCEEDED', 'ERROR_HTTP_420', 'ERROR_HTTP_429']);
