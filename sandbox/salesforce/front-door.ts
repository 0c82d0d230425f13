import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { BayeuxMessage } from './bayeux-messages.js';
import { parseBody, parseMultipart, singleHeaders, type Exchange } from './exchange.js';
import type { FaultArea } from './faults.js';
import { authorizePage, loginRefused, oauthParameters } from './oauth.js';
import type { OAuthAnswer } from './oauth-apps.js';
import { sandboxUser, type SalesforceStandInOptions } from './options.js';
import type { OrgParts } from './org-parts.js';
import { noSuchResource, RestError } from './rest-error.js';
import type { RestAnswer } from './rest-request.js';
import type { Session } from './sessions.js';
import { answerSoap, soapFault, soapSession } from './soap.js';

const oldestVersion = 31;
const newestVersion = 67;

/** What every call meets: the faults that wait for it, the token, the quota; then the area that answers. */
export class FrontDoor {
  readonly #parts: OrgParts;
  readonly #basePath: string;
  readonly #options: SalesforceStandInOptions;

  constructor(parts: OrgParts, basePath: string, options: SalesforceStandInOptions) {
    this.#parts = parts;
    this.#basePath = basePath;
    this.#options = options;
  }

  /** @throws RestError – there is no such address, or the call is refused before it reaches an area */
  async answer(exchange: Exchange): Promise<void> {
    const { path, method, response } = exchange;
    if (path === '/services/oauth2/authorize') return this.#authorize(exchange);
    if (path === '/services/oauth2/token' && method === 'POST') return await this.#token(exchange);
    if (path === '/services/oauth2/introspect' && method === 'POST') return this.#introspect(exchange);
    if (path === '/services/oauth2/revoke') return this.#revoke(exchange);
    if (path === '/services/oauth2/userinfo' || path.startsWith('/id/')) return this.#userinfo(exchange);
    if (path.startsWith('/services/Soap/u/')) return await this.#soap(exchange);
    if (path.startsWith('/cometd/')) return await this.#cometd(exchange);
    if (path === '/services/data' || path === '/services/data/') return sendJson(response, 200, versions());
    if (path.startsWith('/services/data/')) return await this.#data(exchange);
    throw noSuchResource();
  }

  send(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    const { used, limit } = this.#parts.usage;
    sendJson(response, status, body, { 'sforce-limit-info': `api-usage=${used}/${limit}`, ...headers });
  }

  refuse(response: ServerResponse, error: unknown): void {
    if (error instanceof RestError) return this.send(response, error.status, error.errors);
    this.send(response, 500, [{ errorCode: 'UNKNOWN_EXCEPTION', message: String(error) }]);
  }

  // ------------------------------------------------------------ login

  #authorize(exchange: Exchange): void {
    const {
      status,
      html = '',
      location,
    } = authorizePage(exchange, {
      sessions: this.#parts.sessions,
      username: this.#options.authorizingUser ?? sandboxUser,
      consent: this.#options.consent ?? 'ask',
      action: `${this.#basePath}/services/oauth2/authorize`,
    });
    const headers = { 'content-type': 'text/html; charset=UTF-8', ...(location !== undefined && { location }) };
    exchange.response.writeHead(status, headers).end(html);
  }

  async #token(exchange: Exchange): Promise<void> {
    const { request, method, response } = exchange;
    if (await this.#meet('token', exchange)) return;
    const refusal = this.#parts.faults.take('refuseLogin', 'token', method);
    if (refusal !== undefined) return sendOAuth(response, loginRefused(refusal.error, refusal.description));
    const origin = this.#origin(request);
    const answer = this.#parts.sessions.grant({
      parameters: oauthParameters(exchange),
      origin,
      instanceUrl: this.#parts.movedTo ?? origin,
    });
    await this.#finish(exchange, 'token', () => sendOAuth(response, answer));
  }

  #introspect(exchange: Exchange): void {
    sendOAuth(exchange.response, this.#parts.sessions.introspect(oauthParameters(exchange)));
  }

  #revoke(exchange: Exchange): void {
    this.#parts.sessions.revoke(oauthParameters(exchange).get('token') ?? '');
    sendJson(exchange.response, 200, undefined);
  }

  #userinfo({ request, response }: Exchange): void {
    const session = this.#session(request);
    if (session === undefined) {
      response.writeHead(403, { 'content-type': 'text/html; charset=UTF-8' }).end('Bad_OAuth_Token');
      return;
    }
    sendJson(response, 200, {
      user_id: session.userId,
      organization_id: this.#parts.orgId,
      preferred_username: session.username,
      name: session.username,
    });
  }

  // ------------------------------------------------------------ calls

  async #data(exchange: Exchange): Promise<void> {
    const { request, response, method, path, query } = exchange;
    if (await this.#meet('rest', exchange)) return;
    const [, version = '', rest = ''] = /^\/services\/data\/v(\d+\.\d)(\/.*)?$/.exec(path) ?? [];
    checkVersion(version);
    const session = this.#session(request);
    if (session === undefined) throw invalidSession(request);
    session.calls += 1;
    this.#meetQuota(exchange);
    const headers = singleHeaders(request);
    const [, client] = /client=([^,;\s]+)/.exec(headers['sforce-call-options'] ?? '') ?? [];
    let answer: RestAnswer;
    try {
      answer = this.#parts.rest.answer({
        method,
        path: rest,
        version,
        query,
        headers,
        body: bodyOf(exchange, headers['content-type'] ?? ''),
        writer: {
          userId: session.userId,
          changeOrigin: `com/salesforce/api/rest/${version}${client === undefined ? '' : `;client=${client}`}`,
          allowsDuplicates: /allowSave\s*=\s*true/i.test(headers['sforce-duplicate-rule-header'] ?? ''),
        },
      });
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      answer = { status: error.status, body: error.errors };
    }
    await this.#finish(exchange, 'rest', () => this.#sendAnswer(response, answer));
  }

  async #soap(exchange: Exchange): Promise<void> {
    const { response, body, path } = exchange;
    if (await this.#meet('rest', exchange)) return;
    const sendXml = ({ status, xml }: { readonly status: number; readonly xml: string }) =>
      response.writeHead(status, { 'content-type': 'text/xml;charset=UTF-8' }).end(xml);
    const session = this.#parts.sessions.find(soapSession(body));
    if (session === undefined) {
      sendXml(soapFault('sf:INVALID_SESSION_ID', 'INVALID_SESSION_ID: Invalid Session ID found in SessionHeader'));
      return;
    }
    this.#meetQuota(exchange);
    const [, client] = /<(?:\w+:)?client[^>]*>([^<]*)</.exec(body) ?? [];
    const version = path.split('/').at(-1) ?? '';
    const answer = answerSoap(body, this.#parts.records, {
      userId: session.userId,
      changeOrigin: `com/salesforce/api/soap/${version}${client === undefined ? '' : `;client=${client}`}`,
    });
    await this.#finish(exchange, 'rest', () => sendXml(answer));
  }

  async #cometd(exchange: Exchange): Promise<void> {
    const { request, response, method, body } = exchange;
    if (method !== 'POST') throw new RestError(405, 'METHOD_NOT_ALLOWED', 'Only POST is allowed');
    if (Buffer.byteLength(body) > 32_768)
      throw new RestError(413, 'REQUEST_TOO_LARGE', 'Maximum request size is 32768 bytes');
    if (await this.#meet('cometd', exchange)) return;
    const messages = [parseBody(body) ?? []].flat() as BayeuxMessage[];
    this.#parts.bayeux.handle({
      messages,
      token: this.#session(request)?.token,
      hasToken: request.headers.authorization !== undefined,
      cookie: /(?:^|;\s*)BAYEUX_BROWSER=([^;]+)/.exec(request.headers.cookie ?? '')?.[1],
      // Subscribers read the time of the org off its answers.
      answer: (answers, headers = {}) =>
        sendJson(response, 200, answers, { date: this.#parts.clock.now().toUTCString(), ...headers }),
      cut: () => request.socket.destroy(),
      onClosed: (listener) => response.once('close', listener),
    });
  }

  // ------------------------------------------------------------ faults

  /** Whether a fault already answered the request. */
  async #meet(area: FaultArea, { method, request, response }: Exchange): Promise<boolean> {
    const subject = request.url ?? '';
    const slow = this.#parts.faults.take('delay', area, method, subject);
    if (slow !== undefined) await delay(slow.ms, undefined, { ref: false });
    const fault = this.#parts.faults.take('status', area, method, subject);
    if (fault === undefined) return false;
    if (fault.html !== undefined) {
      response.writeHead(fault.status, { 'content-type': 'text/html' }).end(fault.html);
      return true;
    }
    const usual = fault.status < 500 ? 'FIELD_CUSTOM_VALIDATION_EXCEPTION' : 'SERVER_UNAVAILABLE';
    this.send(response, fault.status, [
      { errorCode: fault.errorCode ?? usual, message: fault.message ?? 'Told to fail' },
    ]);
    return true;
  }

  #meetQuota({ method, request }: Exchange): void {
    const { faults, usage } = this.#parts;
    const fault = faults.take('quota', 'rest', method, request.url);
    if (fault !== undefined || usage.isUsedUp) {
      throw new RestError(403, 'REQUEST_LIMIT_EXCEEDED', `${fault?.scope ?? 'TotalRequests'} Limit exceeded.`);
    }
    usage.count();
  }

  /** Answers, unless the answer is to be late or lost. */
  async #finish({ request, method }: Exchange, area: FaultArea, answer: () => void): Promise<void> {
    const subject = request.url ?? '';
    const late = this.#parts.faults.take('delayAnswer', area, method, subject);
    if (late !== undefined) await delay(late.ms, undefined, { ref: false });
    if (this.#parts.faults.take('loseAnswer', area, method, subject) === undefined) return answer();
    request.socket.destroy();
  }

  // ------------------------------------------------------------ answers

  #sendAnswer(response: ServerResponse, { status, body, content, headers }: RestAnswer): void {
    if (content === undefined) return this.send(response, status, body, headers);
    const { used, limit } = this.#parts.usage;
    response
      .writeHead(status, {
        'content-type': content.type,
        'sforce-limit-info': `api-usage=${used}/${limit}`,
        ...headers,
      })
      .end(content.data);
  }

  #session(request: IncomingMessage): Session | undefined {
    const { movedTo, sessions } = this.#parts;
    // After a move the old address knows nobody.
    if (movedTo !== undefined && movedTo !== this.#origin(request)) return undefined;
    const [, token = ''] = /^(?:Bearer|OAuth) (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    return sessions.find(token);
  }

  #origin(request: IncomingMessage): string {
    const scheme = 'encrypted' in request.socket ? 'https' : 'http';
    return `${scheme}://${request.headers.host ?? '127.0.0.1'}${this.#basePath}`;
  }
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    ...(body === undefined ? {} : { 'content-type': 'application/json;charset=UTF-8' }),
    ...headers,
  });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

function sendOAuth(response: ServerResponse, { status, body }: OAuthAnswer): void {
  sendJson(response, status, body);
}

function bodyOf({ body, rawBody }: Exchange, contentType: string): unknown {
  if (contentType.startsWith('text/csv')) return body;
  if (contentType.startsWith('multipart/form-data')) return parseMultipart(rawBody, contentType);
  return parseBody(body);
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
