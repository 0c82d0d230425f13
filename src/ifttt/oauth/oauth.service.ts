import OAuth2Server from '@node-oauth/oauth2-server';
import { AttemptLimit, hasScope, type ApiKeyInfo, type ApiKeys, type Scope } from '#platform';
import type { IftttOauthSettings, Logger } from '#sdk';
import { isSame, type ServiceAccount } from '../service-account.js';
import { authorizePage, refusalPage } from './authorize-page.js';
import { createModel } from './oauth.model.js';
import { testUser, type TokensStore } from './tokens.store.js';

export interface OauthParts {
  readonly account: ServiceAccount;
  readonly tokens: TokensStore;
  readonly keys: ApiKeys;
  readonly log: Logger;
}

/** Form, query and address of a caller. */
export interface OauthRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, string>>;
  readonly ip: string;
}

export interface OauthReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface IftttUser {
  /** Stays the same for as long as the key exists; tells nothing about it. */
  readonly id: string;
  readonly name: string;
}

const requiredScopes: readonly Scope[] = ['events:read', 'events:write', 'runs:read', 'chain:read'];
const codeSeconds = 300;
const accessSeconds = 7 * 86_400;
/** The library wants one; the model keeps refresh tokens for ever. */
const refreshSeconds = 315_360_000;
const passedOn = ['client_id', 'response_type', 'redirect_uri', 'scope', 'state'];

/** Sign-in of users of IFTTT with their API keys: authorization codes, tokens, refresh, revocation. */
export class OauthService {
  readonly #limit = new AttemptLimit();

  constructor(private readonly parts: OauthParts) {}

  /** The page on which the user decides. What IFTTT would have to correct is said here, and never redirected. */
  async showPage(request: OauthRequest): Promise<OauthReply> {
    const settings = await this.#settings();
    if (settings === undefined) return page(404, refusalPage('This hub offers no sign-in to IFTTT.'));
    const wrong = problemOf(request.query, settings);
    if (wrong !== undefined) return page(400, refusalPage(wrong));
    return page(200, authorizePage({ parameters: parametersOf(request.query), requiredScopes }), settings);
  }

  async decide(request: OauthRequest): Promise<OauthReply> {
    const settings = await this.#settings();
    if (settings === undefined) return page(404, refusalPage('This hub offers no sign-in to IFTTT.'));
    const wrong = problemOf(request.body, settings);
    if (wrong !== undefined) return page(400, refusalPage(wrong));
    const isDenied = request.body['allowed'] !== 'true';
    const user = isDenied ? { id: 'nobody', name: '' } : await this.#signIn(request);
    if (typeof user === 'string') {
      const parameters = parametersOf(request.body);
      return page(401, authorizePage({ parameters, requiredScopes, problem: user }), settings);
    }
    const response = new OAuth2Server.Response({ headers: {} });
    const given = { ...parametersOf(request.body), allowed: isDenied ? 'false' : 'true' };
    await this.#server(settings)
      .authorize(libraryRequest({ ...request, query: {}, body: given }), response, {
        authenticateHandler: { handle: () => user },
        allowEmptyState: true,
        authorizationCodeLifetime: codeSeconds,
      })
      // The answer says it already, as a redirect with an error.
      .catch((error: unknown) => this.parts.log.debug('IFTTT was not authorised', { error }));
    const location = String(response.get('location') ?? '');
    if (location === '') return page(400, refusalPage('The request of IFTTT cannot be answered.'));
    return { status: 302, headers: { location, 'cache-control': 'no-store' }, body: '' };
  }

  async token(request: OauthRequest): Promise<OauthReply> {
    const settings = await this.#settings();
    if (settings === undefined) return json(404, { error: 'invalid_request', error_description: 'No OAuth2 here' });
    const response = new OAuth2Server.Response({ headers: {} });
    try {
      await this.#server(settings).token(libraryRequest(request), response, {
        accessTokenLifetime: accessSeconds,
        refreshTokenLifetime: refreshSeconds,
      });
      return json(200, response.body);
    } catch (thrown) {
      if (!(thrown instanceof OAuth2Server.OAuthError) || thrown.code >= 500) {
        this.parts.log.error('A token could not be given to IFTTT', { error: thrown });
        return json(503, { error: 'server_error', error_description: 'Try again later' });
      }
      return json(400, { error: thrown.name, error_description: thrown.message });
    }
  }

  /** RFC 7009: whoever holds a token and is IFTTT may end what it belongs to. An unknown token is no error. */
  async revoke({ body }: OauthRequest): Promise<OauthReply> {
    const settings = await this.#settings();
    const isIfttt =
      settings !== undefined &&
      isSame(body['client_id'] ?? '', settings.clientId) &&
      isSame(body['client_secret'] ?? '', settings.clientSecret.reveal());
    if (!isIfttt) return json(401, { error: 'invalid_client', error_description: 'The client is not known' });
    const found = await this.parts.tokens.find(body['token'] ?? '', ['access', 'refresh']);
    if (found !== undefined) await this.parts.tokens.revokeAllOf(found.userId);
    return json(200, {});
  }

  /** Who an access token belongs to; nothing when it is unknown or expired, or its API key no longer works. */
  async userOf(accessToken: string | undefined): Promise<IftttUser | undefined> {
    const found = accessToken === undefined ? undefined : await this.parts.tokens.find(accessToken, ['access']);
    if (found === undefined) return undefined;
    if (found.userId === testUser) return { id: testUser, name: 'Test of IFTTT' };
    const key = (await this.parts.keys.list()).find(({ id }) => id === found.userId);
    return key && userOf(key);
  }

  /** For the tests of IFTTT: its requests have no effects. */
  async testToken(): Promise<string> {
    const token = this.parts.tokens.newToken();
    const expiresAt = new Date(Date.now() + 86_400_000);
    await this.parts.tokens.put(token, 'access', { userId: testUser, redirectUrl: undefined, expiresAt });
    return token;
  }

  async #signIn({ body, ip }: OauthRequest): Promise<IftttUser | string> {
    if (this.#limit.waitMs(ip) > 0) return 'Too many attempts. Wait a minute.';
    const caller = await this.parts.keys.authenticate((body['key'] ?? '').trim());
    if (caller === undefined) {
      this.#limit.fail(ip);
      return 'This key is not known.';
    }
    const missing = requiredScopes.filter((scope) => !hasScope(caller.scopes, scope));
    return missing.length === 0 ? { id: caller.id, name: caller.name } : `This key lacks ${missing.join(', ')}.`;
  }

  async #settings(): Promise<IftttOauthSettings | undefined> {
    return (await this.parts.account.find())?.oauth;
  }

  #server(settings: IftttOauthSettings): OAuth2Server {
    return new OAuth2Server({ model: createModel(settings, this.parts.tokens) });
  }
}

function userOf({ id, name }: ApiKeyInfo): IftttUser {
  return { id, name };
}

function problemOf(given: Readonly<Record<string, string>>, settings: IftttOauthSettings): string | undefined {
  if (!isSame(given['client_id'] ?? '', settings.clientId)) return 'The client id is not that of this hub.';
  if (given['response_type'] !== 'code') return 'response_type must be code.';
  const redirect = given['redirect_uri'];
  if (redirect === undefined || redirect === settings.redirectUrl) return undefined;
  return `redirect_uri must be ${settings.redirectUrl}, as this hub is configured.`;
}

function parametersOf(given: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(passedOn.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
}

function libraryRequest({ method, headers, query, body }: OauthRequest): OAuth2Server.Request {
  return new OAuth2Server.Request({ method, headers: { ...headers }, query: { ...query }, body: { ...body } });
}

function page(status: number, body: string, settings?: IftttOauthSettings): OauthReply {
  // Browsers count the redirect after the form as a part of submitting it.
  const target = settings === undefined ? '' : ` ${new URL(settings.redirectUrl).origin}`;
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; base-uri 'none'; form-action 'self'${target}; frame-ancestors 'none'`,
    },
    body,
  };
}

function json(status: number, body: unknown): OauthReply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: JSON.stringify(body),
  };
}
