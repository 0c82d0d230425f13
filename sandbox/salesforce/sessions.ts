import { createPublicKey, randomBytes, verify, X509Certificate } from 'node:crypto';

/** An app that may log in: by client secret as its run-as user, by a signed assertion, or by both. */
export interface ConnectedApp {
  readonly clientId: string;
  readonly clientSecret?: string;
  /** User name that a client-credentials login acts as; without it that grant is refused. */
  readonly runAs?: string;
  /** PEM of a certificate or public key that checks the assertions of the JWT bearer grant. */
  readonly certificate?: string;
}

export interface Session {
  readonly token: string;
  readonly username: string;
  readonly userId: string;
}

export interface OAuthAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
}

export interface SessionsOptions {
  readonly apps: readonly ConnectedApp[];
  readonly orgId: string;
  readonly userIdOf: (username: string) => string;
  readonly now: () => Date;
}

export interface TokenRequest {
  readonly parameters: URLSearchParams;
  /** Values that the audience of an assertion may have. */
  readonly audiences: readonly string[];
  /** Where the caller finds the org's API. */
  readonly instanceUrl: string;
}

/** The OAuth side: who may have a token, and which tokens are still good. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #options: SessionsOptions;
  issued = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  find(token: string): Session | undefined {
    return this.#sessions.get(token);
  }

  get open(): number {
    return this.#sessions.size;
  }

  expireAll(): void {
    this.#sessions.clear();
  }

  revoke(token: string): void {
    this.#sessions.delete(token);
  }

  /** Answers a request of the token endpoint. */
  grant({ parameters, audiences, instanceUrl }: TokenRequest): OAuthAnswer {
    const grant = parameters.get('grant_type');
    if (grant === 'client_credentials') return this.#clientCredentials(parameters, instanceUrl);
    if (grant === 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
      return this.#jwtBearer(parameters.get('assertion') ?? '', audiences, instanceUrl);
    }
    return refused('unsupported_grant_type', 'grant type not supported');
  }

  #clientCredentials(parameters: URLSearchParams, instanceUrl: string): OAuthAnswer {
    const app = this.#options.apps.find(({ clientId }) => clientId === parameters.get('client_id'));
    if (app === undefined) return refused('invalid_client_id', 'client identifier invalid');
    if (app.clientSecret === undefined || app.clientSecret !== parameters.get('client_secret')) {
      return refused('invalid_client', 'invalid client credentials');
    }
    if (app.runAs === undefined) return refused('invalid_grant', 'no client credentials user enabled');
    return this.#open(app.runAs, instanceUrl);
  }

  #jwtBearer(assertion: string, audiences: readonly string[], instanceUrl: string): OAuthAnswer {
    const [head = '', claimsText = '', signature = ''] = assertion.split('.');
    const claims = readJson(claimsText);
    if (claims === undefined || readJson(head)?.['alg'] !== 'RS256')
      return refused('invalid_grant', 'invalid assertion');
    const app = this.#options.apps.find(({ clientId }) => clientId === claims['iss']);
    if (app?.certificate === undefined) return refused('invalid_client_id', 'client identifier invalid');
    const isSigned = verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${claimsText}`),
      publicKey(app.certificate),
      Buffer.from(signature, 'base64url'),
    );
    if (!isSigned) return refused('invalid_grant', 'invalid assertion');
    if (!audiences.includes(String(claims['aud']).replace(/\/$/, ''))) {
      return refused('invalid_grant', 'audience is invalid');
    }
    const secondsLeft = Number(claims['exp']) - this.#options.now().getTime() / 1000;
    // Salesforce wants short assertions: a clock that is minutes wrong shows here, as it does with a real org.
    if (!(secondsLeft > 0 && secondsLeft <= 310)) return refused('invalid_grant', 'assertion expired or not yet valid');
    if (typeof claims['sub'] !== 'string' || claims['sub'] !== app.runAs) {
      return refused('invalid_grant', "user hasn't approved this consumer");
    }
    return this.#open(claims['sub'], instanceUrl);
  }

  #open(username: string, instanceUrl: string): OAuthAnswer {
    const { orgId, userIdOf, now } = this.#options;
    const userId = userIdOf(username);
    const token = `${orgId.slice(0, 15)}!${randomBytes(48).toString('base64url')}`;
    this.#sessions.set(token, { token, username, userId });
    this.issued += 1;
    return {
      status: 200,
      body: {
        access_token: token,
        instance_url: instanceUrl,
        id: `${instanceUrl}/id/${orgId}/${userId}`,
        token_type: 'Bearer',
        issued_at: String(now().getTime()),
        signature: randomBytes(32).toString('base64'),
        scope: 'api',
      },
    };
  }
}

function refused(error: string, description: string): OAuthAnswer {
  return { status: 400, body: { error, error_description: description } };
}

function publicKey(pem: string) {
  return pem.includes('BEGIN CERTIFICATE') ? new X509Certificate(pem).publicKey : createPublicKey(pem);
}

function readJson(base64url: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(Buffer.from(base64url, 'base64url').toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
