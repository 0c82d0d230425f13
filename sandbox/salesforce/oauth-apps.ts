import { createPublicKey, verify, X509Certificate } from 'node:crypto';

/** An app that may log in, by the grants it is set up for. */
export interface ConnectedApp {
  readonly clientId: string;
  readonly clientSecret?: string;
  /** User name that a client-credentials login acts as; without it that grant is refused. */
  readonly runAs?: string;
  /** PEM of a certificate or public key that checks the assertions of the JWT bearer grant. */
  readonly certificate?: string;
  /** Addresses that the web server flow may send a code to. */
  readonly redirectUris?: readonly string[];
  /** Whether it may also send one to any address of this machine, whatever the port and path. */
  readonly redirectsToThisMachine?: boolean;
  /** Whether a refresh gives a new refresh token and ends the old one. */
  readonly rotatesRefreshTokens?: boolean;
  /** Whether the code of the web server flow needs a PKCE verifier. */
  readonly needsPkce?: boolean;
  readonly allowsPasswordLogin?: boolean;
  /** An External Client App: assertions for `login.` or `test.salesforce.com` do not find it. */
  readonly isExternalClientApp?: boolean;
}

/** Somebody who may log in with a password. */
export interface OrgUser {
  readonly username: string;
  readonly password: string;
  readonly securityToken?: string;
}

export interface OAuthAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Whether the app may send a code to this address. */
export function mayRedirect({ redirectUris, redirectsToThisMachine }: ConnectedApp, uri: string): boolean {
  if (redirectUris?.includes(uri) === true) return true;
  return redirectsToThisMachine === true && /^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?\//.test(uri);
}

const sharedHosts = ['https://login.salesforce.com', 'https://test.salesforce.com'];

/** Who an assertion speaks for, or how it is refused. */
export function checkAssertion(
  assertion: string,
  apps: readonly ConnectedApp[],
  org: { readonly origin: string; readonly now: Date },
): { readonly app: ConnectedApp; readonly username: string } | OAuthAnswer {
  const [head = '', claimsText = '', signature = ''] = assertion.split('.');
  const claims = readJson(claimsText);
  if (claims === undefined || readJson(head)?.['alg'] !== 'RS256') return refused('invalid_grant', 'invalid assertion');
  const audience = String(claims['aud']).replace(/\/$/, '');
  const app = apps.find(({ clientId }) => clientId === claims['iss']);
  if (app?.certificate === undefined) return refused('invalid_client_id', 'client identifier invalid');
  if (app.isExternalClientApp === true && sharedHosts.includes(audience)) {
    return refused('app_not_found', 'External client app is not installed in this org');
  }
  const isSigned = verify(
    'RSA-SHA256',
    Buffer.from(`${head}.${claimsText}`),
    publicKey(app.certificate),
    Buffer.from(signature, 'base64url'),
  );
  if (!isSigned) return refused('invalid_grant', 'invalid assertion');
  if (![org.origin, ...sharedHosts].includes(audience)) return refused('invalid_grant', 'audience is invalid');
  const secondsLeft = Number(claims['exp']) - org.now.getTime() / 1000;
  // Salesforce wants short assertions: a clock that is minutes wrong shows here, as it does with a real org.
  if (!(secondsLeft > 0 && secondsLeft <= 310)) return refused('invalid_grant', 'assertion expired or not yet valid');
  if (typeof claims['sub'] !== 'string' || claims['sub'] !== app.runAs) {
    return refused('invalid_grant', "user hasn't approved this consumer");
  }
  return { app, username: claims['sub'] };
}

export function refused(error: string, description: string): OAuthAnswer {
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
