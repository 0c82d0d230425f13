import { createSign } from 'node:crypto';
import { PatchbayError, type HttpClient, type HttpResponse, type Secret } from '#sdk';

export interface LoginSettings {
  readonly loginUrl: string;
  readonly auth: 'clientCredentials' | 'jwt' | 'web' | 'password';
  readonly clientId: string;
  readonly clientSecret?: Secret | undefined;
  readonly privateKey?: Secret | undefined;
  readonly username?: string | undefined;
  readonly audience?: string | undefined;
  readonly refreshToken?: Secret | undefined;
  readonly password?: Secret | undefined;
  readonly securityToken?: Secret | undefined;
}

export interface LoginOptions {
  readonly now?: () => number;
  /** Keeps a refresh token that was exchanged for another: the old one is worth nothing any more. */
  readonly keep?: ((settings: Readonly<Record<string, unknown>>) => Promise<void>) | undefined;
}

export interface Session {
  readonly accessToken: string;
  /** Where the org's API is; an org can move while the hub runs. */
  readonly instanceUrl: string;
  readonly orgId: string;
}

const loginsPerMinute = 3;
const minuteMs = 60_000;
// Salesforce takes assertions that end at most a few minutes ahead.
const assertionSeconds = 170;

/**
 * The one session of a connection, shared by all calls and by the stream. Salesforce counts logins, and a login that is
 * accepted while its sessions are refused would go on for ever, so there are at most three a minute.
 */
export class SalesforceLogin {
  readonly #settings: LoginSettings;
  readonly #http: HttpClient;
  readonly #now: () => number;
  readonly #keep: LoginOptions['keep'];
  #refreshToken: string | undefined;
  /** It is the one in use, and would be lost with the process. */
  #isUnkept = false;
  #session: Promise<Session> | undefined;
  #opened: Session | undefined;
  #lastUrl: string | undefined;
  #logins: number[] = [];
  #refusal: { readonly error: PatchbayError; readonly at: number } | undefined;

  constructor(settings: LoginSettings, http: HttpClient, { now = Date.now, keep }: LoginOptions = {}) {
    this.#settings = settings;
    this.#http = http;
    this.#now = now;
    this.#keep = keep;
    this.#refreshToken = settings.refreshToken?.reveal();
  }

  /** Whether somebody has to look after the login before calls can be made. */
  get state(): 'unused' | 'open' | 'needsAuthorisation' {
    if (this.#refusal !== undefined) return 'needsAuthorisation';
    return this.#opened === undefined ? 'unused' : 'open';
  }

  current(): Promise<Session> {
    this.#session ??= this.#open();
    return this.#session;
  }

  /**
   * A session that is not the given one: a newer one when there is one, else a new login.
   * @throws connection.unauthorised – the credentials were refused, or fresh sessions are refused again and again
   */
  renew(stale: Session): Promise<Session> {
    // Of many callers with the same stale session only the first one comes in here.
    if (this.#opened === stale) {
      this.#opened = undefined;
      this.#session = undefined;
    }
    return this.current();
  }

  /** Somebody wants to know whether what was refused is put right: Salesforce is asked again, however soon. */
  askAgain(): void {
    if (this.#refusal !== undefined) this.#refusal = { ...this.#refusal, at: -Infinity };
  }

  async #open(): Promise<Session> {
    try {
      this.#opened = await this.#login();
      return this.#opened;
    } catch (error) {
      this.#session = undefined;
      throw error;
    }
  }

  async #login(): Promise<Session> {
    await this.#keepRotated();
    const now = this.#now();
    if (this.#refusal !== undefined && now - this.#refusal.at < minuteMs / 2) throw this.#refusal.error;
    this.#logins = this.#logins.filter((at) => now - at < minuteMs);
    if (this.#logins.length >= loginsPerMinute) {
      this.#refusal = { error: tooManyLogins(), at: now };
      throw this.#refusal.error;
    }
    const answer = await askForToken(this.#settings.loginUrl, this.#parameters(), this.#http);
    try {
      // An answer may leave out where the org is: it then is where it was.
      const session = readSession(answer, this.#lastUrl ?? this.#settings.loginUrl);
      this.#lastUrl = session.instanceUrl;
      this.#logins.push(now);
      this.#refusal = undefined;
      this.#takeRotated(answer);
      await this.#keepRotated();
      return session;
    } catch (error) {
      if (error instanceof PatchbayError && error.code === 'connection.unauthorised')
        this.#refusal = { error, at: now };
      throw error;
    }
  }

  #parameters(): Record<string, string> {
    const { auth, clientId, clientSecret, username = '', password, securityToken } = this.#settings;
    const secret = clientSecret?.reveal();
    const client: Record<string, string> = {
      client_id: clientId,
      ...(secret !== undefined && { client_secret: secret }),
    };
    if (auth === 'jwt') {
      return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: this.#assertion() };
    }
    if (auth === 'password') {
      const typed = `${password?.reveal() ?? ''}${securityToken?.reveal() ?? ''}`;
      return { grant_type: 'password', ...client, username, password: typed };
    }
    if (auth === 'clientCredentials') return { grant_type: 'client_credentials', ...client };
    if (this.#refreshToken === undefined) throw notAuthorised();
    return { grant_type: 'refresh_token', ...client, refresh_token: this.#refreshToken };
  }

  #takeRotated({ body }: HttpResponse): void {
    const token = field(body, 'refresh_token');
    if (token === undefined || token === this.#refreshToken) return;
    this.#refreshToken = token;
    this.#isUnkept = true;
  }

  /** No session is used before the token is kept, so that a store that is away is asked again. */
  async #keepRotated(): Promise<void> {
    if (!this.#isUnkept) return;
    await this.#keep?.({ refreshToken: this.#refreshToken });
    this.#isUnkept = false;
  }

  #assertion(): string {
    const { clientId, username, audience, loginUrl, privateKey } = this.#settings;
    const claims = {
      iss: clientId,
      sub: username,
      aud: audience ?? new URL(loginUrl).href.replace(/\/+$/, ''),
      exp: Math.floor(this.#now() / 1000) + assertionSeconds,
    };
    const text = [{ alg: 'RS256', typ: 'JWT' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    // An environment variable often holds a PEM on one line, with \n written out.
    const pem = (privateKey?.reveal() ?? '').replace(/\\n/g, '\n');
    try {
      return `${text}.${createSign('RSA-SHA256').update(text).sign(pem).toString('base64url')}`;
    } catch (error) {
      throw new PatchbayError('connection.invalid', {
        detail: 'The private key of the Salesforce connection cannot be read',
        fix: 'Give the unencrypted RSA key in PEM form, with its line breaks.',
        cause: error,
      });
    }
  }
}

/** A request of the token endpoint; whatever it answers comes back. */
export function askForToken(
  loginUrl: string,
  parameters: Readonly<Record<string, string>>,
  http: HttpClient,
): Promise<HttpResponse> {
  return http.request({
    method: 'POST',
    url: `${loginUrl.replace(/\/+$/, '')}/services/oauth2/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams(parameters).toString(),
    accept: () => true,
  });
}

/** @throws connection.unauthorised, salesforce.limit, salesforce.unavailable – the login was refused */
export function readSession({ status, body }: HttpResponse, knownUrl: string): Session {
  const answer: Record<string, unknown> = typeof body === 'object' && body !== null ? { ...body } : {};
  const token = answer['access_token'];
  if (status === 200 && typeof token === 'string') {
    const [, orgId = token.split('!')[0] ?? ''] = /\/id\/(00D\w+)\//.exec(String(answer['id'])) ?? [];
    const instanceUrl = typeof answer['instance_url'] === 'string' ? answer['instance_url'] : knownUrl;
    return { accessToken: token, instanceUrl: instanceUrl.replace(/\/+$/, ''), orgId };
  }
  const error = String(answer['error'] ?? `HTTP ${status}`);
  const description = String(answer['error_description'] ?? '');
  const detail = `Salesforce refused the login: ${error}${description === '' ? '' : `: ${description}`}`;
  if (/login rate exceeded/i.test(description)) {
    throw new PatchbayError('salesforce.limit', { detail, retryAfterMs: 5 * minuteMs });
  }
  if (answer['error'] === undefined || status >= 500 || status === 429) {
    throw new PatchbayError('salesforce.unavailable', { detail });
  }
  throw new PatchbayError('connection.unauthorised', { detail, fix: loginFix(error, description) });
}

function field(body: unknown, name: string): string | undefined {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function loginFix(error: string, description: string): string {
  if (/expired access\/refresh token|invalid authorization code|token request is already/i.test(description))
    return 'The connection needs authorisation again: npx patchbay connection authorize <its name>.';
  if (/no client credentials user/i.test(description))
    return 'Choose a run-as user for the client credentials flow of the app.';
  if (/approved this consumer/i.test(description)) return 'Let an administrator pre-authorise the user for the app.';
  if (/audience/i.test(description)) return 'Set audience to the My Domain address of the org.';
  if (error === 'invalid_client_id' || error === 'app_not_found')
    return 'Check the consumer key, and that loginUrl is the My Domain address of the org.';
  if (error === 'invalid_client') return 'Check the consumer secret.';
  if (/assertion|expired/i.test(description))
    return 'Check the private key, the certificate of the app and the clock of this machine.';
  return 'Check the settings of the connection and the policies of the app in Salesforce.';
}

function notAuthorised(): PatchbayError {
  return new PatchbayError('connection.unauthorised', {
    detail: 'The connection needs authorisation: nobody has let it into the org yet',
    fix: 'Run npx patchbay connection authorize <its name>, and allow access in the browser.',
  });
}

function tooManyLogins(): PatchbayError {
  return new PatchbayError('connection.unauthorised', {
    detail: `The connection needs authorisation: Salesforce goes on refusing new sessions: ${loginsPerMinute} logins within a minute did not help`,
    fix: 'Check that the run-as user may use the API and that no policy ends its sessions.',
  });
}
