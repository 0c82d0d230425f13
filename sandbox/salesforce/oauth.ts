import type { Exchange } from './exchange.js';
import { mayRedirect, refused, type OAuthAnswer } from './oauth-apps.js';
import type { Sessions } from './sessions.js';

export interface AuthorizePage {
  readonly status: number;
  readonly html?: string;
  readonly location?: string;
}

export interface AuthorizeOptions {
  readonly sessions: Sessions;
  /** Whom the page acts for: nobody types a password into a stand-in. */
  readonly username: string;
  /** `ask` shows a page with two buttons; the others decide without it. */
  readonly consent: 'ask' | 'allow' | 'deny';
  /** Where the form of the page is sent. */
  readonly action: string;
}

/** The page of the web server flow: asks, then sends the browser back with a code or an error. */
export function authorizePage({ method, query, body }: Exchange, options: AuthorizeOptions): AuthorizePage {
  const parameters = method === 'POST' ? new URLSearchParams(body) : query;
  const app = options.sessions.app(parameters.get('client_id'));
  if (app === undefined) return errorPage('invalid_client_id', 'client identifier invalid');
  const redirectUri = parameters.get('redirect_uri') ?? '';
  if (!mayRedirect(app, redirectUri)) {
    // An address that nobody registered is told nothing, not even that something is wrong.
    return errorPage('redirect_uri_mismatch', 'redirect_uri must match configuration');
  }
  const back = (answer: Readonly<Record<string, string>>): AuthorizePage => {
    const target = new URL(redirectUri);
    const state = parameters.get('state');
    for (const [name, value] of Object.entries({ ...answer, ...(state !== null && { state }) })) {
      target.searchParams.set(name, value);
    }
    return { status: 302, location: target.href };
  };
  if (parameters.get('response_type') !== 'code') {
    return back({ error: 'unsupported_response_type', error_description: 'response type not supported' });
  }
  const challenge = parameters.get('code_challenge');
  if (app.needsPkce === true && challenge === null) {
    return back({ error: 'invalid_request', error_description: 'missing required code challenge' });
  }
  const decision = parameters.get('decision') ?? options.consent;
  if (decision === 'deny') return back({ error: 'access_denied', error_description: 'end-user denied authorization' });
  if (decision === 'allow') return back({ code: options.sessions.authorize(app, options.username, parameters) });
  return { status: 200, html: consentPage(options, parameters) };
}

/** Tokens and secrets may come in the body, in the query, or the client as basic authentication. */
export function oauthParameters({ request, query, body }: Exchange): URLSearchParams {
  const parameters = new URLSearchParams(body);
  for (const [name, value] of query) parameters.append(name, value);
  const [, basic] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const [id, secret] = Buffer.from(basic ?? '', 'base64')
    .toString()
    .split(':')
    .map(decodeURIComponent);
  if (id !== undefined && secret !== undefined) {
    parameters.set('client_id', id);
    parameters.set('client_secret', secret);
  }
  return parameters;
}

export function loginRefused(error = 'invalid_grant', description = 'authentication failure'): OAuthAnswer {
  return refused(error, description);
}

function consentPage({ username, action }: AuthorizeOptions, parameters: URLSearchParams): string {
  const hidden = [...parameters].map(
    ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`,
  );
  return `<!doctype html><title>Allow access?</title><h1>Allow access?</h1>
<p>${escape(parameters.get('client_id') ?? '')} asks to act as ${escape(username)}: ${escape(parameters.get('scope') ?? 'api')}</p>
<form method="post" action="${escape(action)}">${hidden.join('')}
<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>`;
}

function errorPage(error: string, description: string): AuthorizePage {
  return {
    status: 400,
    html: `<!doctype html><title>${error}</title><p>error=${error}&amp;error_description=${description}</p>`,
  };
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
