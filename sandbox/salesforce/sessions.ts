import { createHash, randomBytes } from 'node:crypto';
import { checkAssertion, refused, type ConnectedApp, type OAuthAnswer, type OrgUser } from './oauth-apps.js';

export interface Session {
  readonly token: string;
  readonly username: string;
  readonly userId: string;
  readonly clientId: string;
  readonly scope: string;
  readonly openedAt: number;
  calls: number;
}

export interface SessionPolicy {
  readonly lifetimeMs?: number | undefined;
  /** How many calls a session is good for. */
  readonly calls?: number | undefined;
}

export interface SessionsOptions {
  readonly apps: readonly ConnectedApp[];
  readonly users: readonly OrgUser[];
  readonly orgId: string;
  readonly policy: SessionPolicy;
  readonly userIdOf: (username: string) => string;
  readonly now: () => Date;
}

export interface TokenRequest {
  readonly parameters: URLSearchParams;
  /** Address of the org as the caller knows it. */
  readonly origin: string;
  /** Where the caller finds the org's API. */
  readonly instanceUrl: string;
}

interface Code {
  readonly app: ConnectedApp;
  readonly username: string;
  readonly redirectUri: string;
  readonly challenge: string | null;
  readonly scope: string;
  readonly at: number;
}

interface RefreshToken {
  readonly app: ConnectedApp;
  readonly username: string;
  readonly scope: string;
}

const codeLifetimeMs = 15 * 60_000;
/** One user and app hold so many live refresh tokens; the next one silently ends the oldest. */
const refreshTokensKept = 5;

/** The OAuth side: who may have a token, and which tokens are still good. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #codes = new Map<string, Code>();
  readonly #refreshTokens = new Map<string, RefreshToken>();
  #policy: SessionPolicy;
  issued = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#policy = options.policy;
  }

  /** The session of a token that is still good. */
  find(token: string): Session | undefined {
    const session = this.#sessions.get(token);
    if (session === undefined) return undefined;
    const { lifetimeMs = Infinity, calls = Infinity } = this.#policy;
    if (this.#now() - session.openedAt < lifetimeMs && session.calls < calls) return session;
    this.#sessions.delete(token);
    return undefined;
  }

  get open(): number {
    return this.#sessions.size;
  }

  get refreshTokens(): number {
    return this.#refreshTokens.size;
  }

  setPolicy(policy: SessionPolicy): void {
    this.#policy = policy;
  }

  expireAll(): void {
    this.#sessions.clear();
  }

  revokeAll(): void {
    this.#sessions.clear();
    this.#refreshTokens.clear();
  }

  revoke(token: string): void {
    this.#sessions.delete(token);
    this.#refreshTokens.delete(token);
  }

  app(clientId: string | null): ConnectedApp | undefined {
    return this.#options.apps.find((app) => app.clientId === clientId);
  }

  /** A code for the web server flow, after the user has agreed. */
  authorize(app: ConnectedApp, username: string, parameters: URLSearchParams): string {
    const code = `aPrx${randomBytes(36).toString('base64url')}`;
    this.#codes.set(code, {
      app,
      username,
      redirectUri: parameters.get('redirect_uri') ?? '',
      challenge: parameters.get('code_challenge'),
      scope: parameters.get('scope') ?? 'api refresh_token',
      at: this.#now(),
    });
    return code;
  }

  /** Answers a request of the token endpoint. */
  grant(request: TokenRequest): OAuthAnswer {
    const { parameters } = request;
    const grant = parameters.get('grant_type');
    if (grant === 'client_credentials') return this.#clientCredentials(request);
    if (grant === 'authorization_code') return this.#authorizationCode(request);
    if (grant === 'refresh_token') return this.#refresh(request);
    if (grant === 'password') return this.#password(request);
    if (grant !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
      return refused('unsupported_grant_type', 'grant type not supported');
    }
    const { apps, now } = this.#options;
    const checked = checkAssertion(parameters.get('assertion') ?? '', apps, { origin: request.origin, now: now() });
    return 'status' in checked ? checked : this.#open(checked.app, checked.username, 'api', request);
  }

  /** What the introspection endpoint says about a token. */
  introspect(parameters: URLSearchParams): OAuthAnswer {
    const app = this.#client(parameters);
    if ('status' in app) return app;
    const token = parameters.get('token') ?? '';
    const session = this.find(token);
    const refresh = this.#refreshTokens.get(token);
    const found = session ?? refresh;
    if (found === undefined) return { status: 200, body: { active: false } };
    const { lifetimeMs } = this.#policy;
    return {
      status: 200,
      body: {
        active: true,
        scope: found.scope,
        client_id: session?.clientId ?? refresh?.app.clientId,
        username: found.username,
        sub: this.#options.userIdOf(found.username),
        token_type: session === undefined ? 'refresh_token' : 'access_token',
        ...(session !== undefined && { iat: Math.floor(session.openedAt / 1_000) }),
        ...(session !== undefined &&
          lifetimeMs !== undefined && { exp: Math.floor((session.openedAt + lifetimeMs) / 1_000) }),
      },
    };
  }

  #clientCredentials(request: TokenRequest): OAuthAnswer {
    const app = this.#client(request.parameters);
    if ('status' in app) return app;
    if (app.runAs === undefined) return refused('invalid_grant', 'no client credentials user enabled');
    return this.#open(app, app.runAs, 'api', request);
  }

  #authorizationCode(request: TokenRequest): OAuthAnswer {
    const { parameters } = request;
    const app = this.#client(parameters, true);
    if ('status' in app) return app;
    const code = this.#codes.get(parameters.get('code') ?? '');
    // A code is good for one try, whatever comes of it.
    this.#codes.delete(parameters.get('code') ?? '');
    if (code === undefined || code.app !== app) return refused('invalid_grant', 'invalid authorization code');
    if (this.#now() - code.at > codeLifetimeMs) return refused('invalid_grant', 'expired authorization code');
    if (code.redirectUri !== parameters.get('redirect_uri')) {
      return refused('redirect_uri_mismatch', 'redirect_uri must match configuration');
    }
    const verifier = parameters.get('code_verifier') ?? '';
    if (code.challenge !== null && code.challenge !== createHash('sha256').update(verifier).digest('base64url')) {
      return refused('invalid_grant', 'invalid code verifier');
    }
    const answer = this.#open(app, code.username, code.scope, request);
    if (!/\b(refresh_token|offline_access)\b/.test(code.scope)) return answer;
    const token = this.#newRefreshToken({ app, username: code.username, scope: code.scope });
    return { ...answer, body: { ...answer.body, refresh_token: token } };
  }

  #refresh(request: TokenRequest): OAuthAnswer {
    const app = this.#client(request.parameters, true);
    if ('status' in app) return app;
    const token = request.parameters.get('refresh_token') ?? '';
    const known = this.#refreshTokens.get(token);
    if (known === undefined || known.app !== app) return refused('invalid_grant', 'expired access/refresh token');
    const answer = this.#open(app, known.username, known.scope, request);
    if (app.rotatesRefreshTokens !== true) return answer;
    this.#refreshTokens.delete(token);
    return { ...answer, body: { ...answer.body, refresh_token: this.#newRefreshToken(known) } };
  }

  #password(request: TokenRequest): OAuthAnswer {
    const app = this.#client(request.parameters);
    if ('status' in app) return app;
    if (app.allowsPasswordLogin !== true) return refused('unsupported_grant_type', 'grant type not supported');
    const user = this.#options.users.find(({ username }) => username === request.parameters.get('username'));
    if (user === undefined || request.parameters.get('password') !== `${user.password}${user.securityToken ?? ''}`) {
      return refused('invalid_grant', 'authentication failure');
    }
    return this.#open(app, user.username, 'api', request);
  }

  /** The app that asks. In the web server flow one without a secret may ask as well: its code was bound to a verifier. */
  #client(parameters: URLSearchParams, mayHaveNoSecret = false): ConnectedApp | OAuthAnswer {
    const app = this.app(parameters.get('client_id'));
    if (app === undefined) return refused('invalid_client_id', 'client identifier invalid');
    if (app.clientSecret === undefined && mayHaveNoSecret) return app;
    if (app.clientSecret === undefined || app.clientSecret !== parameters.get('client_secret')) {
      return refused('invalid_client', 'invalid client credentials');
    }
    return app;
  }

  #newRefreshToken(holder: RefreshToken): string {
    const token = `5Aep${randomBytes(60).toString('base64url')}`;
    this.#refreshTokens.set(token, holder);
    const own = [...this.#refreshTokens].filter(
      ([, { app, username }]) => app === holder.app && username === holder.username,
    );
    for (const [old] of own.slice(0, -refreshTokensKept)) this.#refreshTokens.delete(old);
    return token;
  }

  #open(app: ConnectedApp, username: string, scope: string, { instanceUrl }: TokenRequest): OAuthAnswer {
    const { orgId, userIdOf } = this.#options;
    const userId = userIdOf(username);
    const token = `${orgId.slice(0, 15)}!${randomBytes(48).toString('base64url')}`;
    const session = { token, username, userId, clientId: app.clientId, scope, openedAt: this.#now(), calls: 0 };
    this.#sessions.set(token, session);
    this.issued += 1;
    return {
      status: 200,
      body: {
        access_token: token,
        instance_url: instanceUrl,
        id: `${instanceUrl}/id/${orgId}/${userId}`,
        token_type: 'Bearer',
        issued_at: String(this.#now()),
        signature: randomBytes(32).toString('base64'),
        scope,
      },
    };
  }

  #now(): number {
    return this.#options.now().getTime();
  }
}
