import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { BayeuxServer, type BayeuxMessage } from './bayeux-server.js';
import { parseBody, readBody, singleHeaders, type Exchange, type ReceivedCall } from './exchange.js';
import { Faults, parseFault, type Fault, type FaultArea, type ImmediateFault } from './faults.js';
import {
  sandboxApp,
  sandboxSeed,
  type SalesforceStandIn,
  type SalesforceStandInOptions,
  type SalesforceState,
} from './options.js';
import { OrgSchema } from './org-schema.js';
import { recordId, serialOf } from './record-id.js';
import { Records } from './records.js';
import { RestApi, type RestAnswer } from './rest-api.js';
import { noSuchResource, RestError } from './rest-error.js';
import { Sessions, type Session } from './sessions.js';
import { Snapshot } from './snapshot.js';
import type { Row } from './soql-rows.js';
import { Topics } from './topics.js';

const callsKept = 1_000;
const oldestVersion = 31;
const newestVersion = 67;

/** A server that plays one Salesforce org: OAuth, REST and Streaming API, in memory. */
export function createSalesforceStandIn(options: SalesforceStandInOptions = {}): SalesforceStandIn {
  return new StandIn(options);
}

class StandIn implements SalesforceStandIn {
  readonly #options: SalesforceStandInOptions;
  readonly #now: () => Date;
  readonly #basePath: string;
  readonly #records: Records;
  readonly #topics: Topics;
  readonly #sessions: Sessions;
  readonly #faults: Faults;
  readonly #bayeux: BayeuxServer;
  readonly #rest: RestApi;
  readonly #snapshot: Snapshot | undefined;
  readonly #orgId: string;
  readonly #calls: ReceivedCall[] = [];
  readonly #servers = new Set<Server>();
  #movedTo: string | undefined;
  #used = 0;

  constructor(options: SalesforceStandInOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.#basePath = (options.basePath ?? '').replace(/\/$/, '');
    this.#snapshot = options.snapshotFile === undefined ? undefined : new Snapshot(options.snapshotFile);
    const kept = this.#snapshot?.read();
    this.#orgId = kept?.orgId ?? recordId('00D', '000', Math.floor(Math.random() * 1e12));
    this.#faults = new Faults((fault) => this.#apply(fault));
    this.#records = new Records({
      schema: new OrgSchema(options.customFields),
      now: this.#now,
      onChange: (change) => {
        this.#topics.hear(change);
        this.#keep();
      },
      externalIds: options.externalIds ?? [],
      instance: this.#orgId.slice(9, 12),
    });
    this.#topics = new Topics({
      records: this.#records,
      now: this.#now,
      eventsKept: options.eventsKept ?? 10_000,
      onEvent: (event) => this.#bayeux.deliver(event),
    });
    this.#sessions = new Sessions({
      apps: options.apps ?? [sandboxApp],
      orgId: this.#orgId,
      userIdOf: (username) => this.#userId(username),
      now: this.#now,
    });
    this.#bayeux = new BayeuxServer({
      topics: this.#topics,
      faults: this.#faults,
      now: this.#now,
      longPollMs: options.longPollMs ?? 110_000,
      clientIdleMs: options.clientIdleMs ?? 40_000,
    });
    this.#rest = new RestApi({
      records: this.#records,
      faults: this.#faults,
      pageSize: options.pageSize ?? 2_000,
      usage: () => ({ used: this.#used, limit: options.dailyRequests ?? 15_000 }),
    });
    if (kept === undefined) {
      for (const { object, fields } of options.seed ?? sandboxSeed) this.create(object, fields);
      return;
    }
    this.#records.import(kept.records);
    this.#topics.import(kept.topics);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#serve(request, response).catch((error: unknown) => {
      const body =
        error instanceof RestError ? error.errors : [{ errorCode: 'UNKNOWN_EXCEPTION', message: String(error) }];
      if (response.headersSent) response.destroy();
      else this.#send(response, error instanceof RestError ? error.status : 500, body);
    });
  }

  async listen(port = 0): Promise<{ readonly url: string; close(): Promise<void> }> {
    const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => this.handle(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    this.#servers.add(server);
    // A TCP server has an address object.
    const { port: taken } = server.address() as AddressInfo;
    return {
      url: `http://127.0.0.1:${taken}${this.#basePath}`,
      close: async () => {
        this.#servers.delete(server);
        await closeServer(server);
      },
    };
  }

  addFault(fault: Fault): void {
    this.#faults.add(fault);
  }

  state(): SalesforceState {
    return {
      orgId: this.#orgId,
      records: Object.fromEntries(this.#records.schema.list().map(({ name }) => [name, this.#records.list(name)])),
      calls: this.#calls,
      tokensIssued: this.#sessions.issued,
      openSessions: this.#sessions.open,
      streamingClients: this.#bayeux.clients,
      waitingFaults: this.#faults.list(),
    };
  }

  create(object: string, fields: Row): string {
    return String(this.#records.create(object, fields, this.#userId('admin@patchbay.example'))['Id']);
  }

  update(object: string, id: string, fields: Row): void {
    this.#records.update(object, id, fields, this.#userId('admin@patchbay.example'));
  }

  async close(): Promise<void> {
    this.#bayeux.close();
    await Promise.all([...this.#servers].map(closeServer));
    this.#servers.clear();
    this.#snapshot?.flush();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const path = url.pathname.startsWith(`${this.#basePath}/`)
      ? url.pathname.slice(this.#basePath.length)
      : url.pathname;
    const method = request.method ?? 'GET';
    const body = await readBody(request);
    if (path === '/_state') return this.#send(response, 200, this.state());
    if (path === '/_faults') return this.#control(method, body, response);
    const call = this.#remember(request, body);
    response.once('finish', () => (call.status = response.statusCode));
    const exchange: Exchange = { request, response, method, path, query: url.searchParams, body };
    if (path === '/services/oauth2/token' && method === 'POST') return await this.#token(exchange);
    if (path === '/services/oauth2/revoke' && method === 'POST') return this.#revoke(exchange);
    if (path === '/services/oauth2/userinfo' || path.startsWith('/id/')) return this.#userinfo(exchange);
    if (path.startsWith('/cometd/')) return await this.#cometd(exchange);
    if (path === '/services/data' || path === '/services/data/') return this.#send(response, 200, versions());
    if (path.startsWith('/services/data/')) return await this.#data(exchange);
    throw noSuchResource();
  }

  // ------------------------------------------------------------ areas

  async #token({ request, response, method, body, query }: Exchange): Promise<void> {
    if (await this.#meet('token', method, response)) return;
    const refusal = this.#faults.take('refuseLogin', 'token', method);
    if (refusal !== undefined) {
      const { error = 'invalid_grant', description = 'authentication failure' } = refusal;
      return this.#send(response, 400, { error, error_description: description });
    }
    const parameters = new URLSearchParams(body);
    for (const [name, value] of query) parameters.append(name, value);
    const origin = this.#origin(request);
    const audiences = [origin, 'https://login.salesforce.com', 'https://test.salesforce.com'];
    const answer = this.#sessions.grant({ parameters, audiences, instanceUrl: this.#movedTo ?? origin });
    this.#finish(request, response, answer, 'token');
  }

  #revoke({ response, body }: Exchange): void {
    this.#sessions.revoke(new URLSearchParams(body).get('token') ?? '');
    this.#send(response, 200, undefined);
  }

  #userinfo({ request, response }: Exchange): void {
    const session = this.#session(request);
    if (session === undefined) {
      response.writeHead(403, { 'content-type': 'text/html; charset=UTF-8' }).end('Bad_OAuth_Token');
      return;
    }
    this.#send(response, 200, {
      user_id: session.userId,
      organization_id: this.#orgId,
      preferred_username: session.username,
      name: session.username,
    });
  }

  async #data({ request, response, method, path, query, body }: Exchange): Promise<void> {
    if (await this.#meet('rest', method, response)) return;
    const [, version = '', rest = ''] = /^\/services\/data\/v(\d+\.\d)(\/.*)?$/.exec(path) ?? [];
    checkVersion(version);
    const session = this.#session(request);
    if (session === undefined) throw invalidSession(request);
    this.#meetQuota(method);
    this.#used += 1;
    let answer: RestAnswer;
    try {
      answer = this.#rest.answer({
        method,
        path: rest,
        version,
        query,
        headers: singleHeaders(request),
        body: parseBody(body),
        session,
      });
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      answer = { status: error.status, body: error.errors };
    }
    this.#finish(request, response, answer, 'rest');
  }

  async #cometd({ request, response, method, body }: Exchange): Promise<void> {
    if (method !== 'POST') throw new RestError(405, 'METHOD_NOT_ALLOWED', 'Only POST is allowed');
    if (Buffer.byteLength(body) > 32_768)
      throw new RestError(413, 'REQUEST_TOO_LARGE', 'Maximum request size is 32768 bytes');
    if (await this.#meet('cometd', method, response)) return;
    const messages = [parseBody(body) ?? []].flat() as BayeuxMessage[];
    this.#bayeux.handle({
      messages,
      token: this.#session(request)?.token,
      hasToken: request.headers.authorization !== undefined,
      cookie: /(?:^|;\s*)BAYEUX_BROWSER=([^;]+)/.exec(request.headers.cookie ?? '')?.[1],
      answer: (answers, headers = {}) => this.#send(response, 200, answers, headers),
      cut: () => request.socket.destroy(),
      onClosed: (listener) => response.once('close', listener),
    });
  }

  // ------------------------------------------------------------ faults

  #control(method: string, body: string, response: ServerResponse): void {
    if (method === 'GET') return this.#send(response, 200, this.#faults.list());
    if (method === 'DELETE') this.#faults.add({ kind: 'clear' });
    else {
      const fault = parseFault(parseBody(body));
      if (fault === undefined) throw new RestError(400, 'UNKNOWN_FAULT', 'kind is not a known fault', ['kind']);
      this.#faults.add(fault);
    }
    this.#send(response, 200, this.#faults.list());
  }

  #apply(fault: ImmediateFault): void {
    if (fault.kind === 'expireReplay') return this.#topics.expire();
    if (fault.kind === 'dropStreams') return this.#bayeux.drop(fault.advice);
    if (fault.kind === 'moveInstance') this.#movedTo = fault.url.replace(/\/$/, '');
    this.#sessions.expireAll();
    this.#bayeux.endExpired((token) => this.#sessions.find(token) !== undefined);
  }

  /** Whether a fault already answered the request. */
  async #meet(area: FaultArea, method: string, response: ServerResponse): Promise<boolean> {
    const slow = this.#faults.take('delay', area, method);
    if (slow !== undefined) await delay(slow.ms);
    const fault = this.#faults.take('status', area, method);
    if (fault === undefined) return false;
    if (fault.html !== undefined) {
      response.writeHead(fault.status, { 'content-type': 'text/html' }).end(fault.html);
      return true;
    }
    const errorCode =
      fault.errorCode ?? (fault.status < 500 ? 'FIELD_CUSTOM_VALIDATION_EXCEPTION' : 'SERVER_UNAVAILABLE');
    this.#send(response, fault.status, [{ errorCode, message: fault.message ?? 'Told to fail' }]);
    return true;
  }

  #meetQuota(method: string): void {
    const fault = this.#faults.take('quota', 'rest', method);
    if (fault === undefined) return;
    throw new RestError(403, 'REQUEST_LIMIT_EXCEEDED', `${fault.scope ?? 'TotalRequests'} Limit exceeded.`);
  }

  // ------------------------------------------------------------ answers

  #finish(request: IncomingMessage, response: ServerResponse, answer: RestAnswer, area: FaultArea): void {
    if (this.#faults.take('loseAnswer', area, request.method ?? 'GET') !== undefined) {
      request.socket.destroy();
      return;
    }
    this.#send(response, answer.status, answer.body);
  }

  #send(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    const text = body === undefined ? '' : JSON.stringify(body);
    response.writeHead(status, {
      ...(body === undefined ? {} : { 'content-type': 'application/json;charset=UTF-8' }),
      'sforce-limit-info': `api-usage=${this.#used}/${this.#options.dailyRequests ?? 15_000}`,
      ...headers,
    });
    response.end(text);
  }

  #remember(request: IncomingMessage, body: string): ReceivedCall {
    const { authorization: _, ...headers } = singleHeaders(request);
    const call = {
      at: this.#now().toISOString(),
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers,
      body: body.replace(/\b(client_secret|assertion)=[^&]*/g, '$1=***'),
    };
    this.#calls.push(call);
    if (this.#calls.length > callsKept) this.#calls.shift();
    return call;
  }

  #session(request: IncomingMessage): Session | undefined {
    // After a move the old address knows nobody.
    if (this.#movedTo !== undefined && this.#movedTo !== this.#origin(request)) return undefined;
    const [, token = ''] = /^(?:Bearer|OAuth) (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    return this.#sessions.find(token);
  }

  #origin(request: IncomingMessage): string {
    const scheme = 'encrypted' in request.socket ? 'https' : 'http';
    return `${scheme}://${request.headers.host ?? '127.0.0.1'}${this.#basePath}`;
  }

  #userId(username: string): string {
    return recordId('005', this.#orgId.slice(9, 12), serialOf(username));
  }

  #keep(): void {
    this.#snapshot?.save(() => ({
      orgId: this.#orgId,
      records: this.#records.export(),
      topics: this.#topics.export(),
    }));
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function versions() {
  return Array.from({ length: newestVersion - oldestVersion + 1 }, (_, index) => {
    const version = `${oldestVersion + index}.0`;
    return { label: `Release ${version}`, url: `/services/data/v${version}`, version };
  });
}

function checkVersion(version: string): void {
  const number = Number(version);
  if (version !== '' && number < oldestVersion) {
    throw new RestError(410, 'UNSUPPORTED_API_VERSION', `API version ${version} is retired`);
  }
  if (version === '' || number > newestVersion) throw noSuchResource();
}

function invalidSession(request: IncomingMessage): RestError {
  return request.headers.authorization === undefined
    ? new RestError(401, 'INVALID_AUTH_HEADER', 'INVALID_HEADER_TYPE')
    : new RestError(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
}
