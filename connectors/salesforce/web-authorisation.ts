import { PatchbayError, type AuthorisationDefinition } from '#sdk';
import { askForToken, readSession, type LoginSettings } from './salesforce.login.js';

/** The web server flow of OAuth: a user of the org allows access in the browser, and the hub keeps a refresh token. */
export const webAuthorisation: AuthorisationDefinition<LoginSettings> = {
  gives: ['refreshToken'],
  address({ auth, loginUrl, clientId }, { redirectUri, state, challenge }) {
    if (auth !== 'web') {
      throw new PatchbayError('connection.invalid', {
        detail: `The connection logs in by ${auth}, which needs nobody's consent`,
        fix: 'Set auth: web, or just test the connection.',
      });
    }
    const url = new URL(`${loginUrl.replace(/\/+$/, '')}/services/oauth2/authorize`);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      scope: 'api refresh_token',
      state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }).toString();
    return url.href;
  },
  async redeem({ loginUrl, clientId, clientSecret }, { code, redirectUri, verifier }, http) {
    const secret = clientSecret?.reveal();
    const parameters = {
      grant_type: 'authorization_code',
      client_id: clientId,
      ...(secret !== undefined && { client_secret: secret }),
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    };
    const answer = await askForToken(loginUrl, parameters, http);
    readSession(answer, loginUrl);
    const { refresh_token: refreshToken } = answer.body as { readonly refresh_token?: unknown };
    if (typeof refreshToken === 'string') return { refreshToken };
    throw new PatchbayError('connection.unauthorised', {
      detail: 'Salesforce let the hub in, but gave no refresh token',
      fix: 'Add the scope "Perform requests at any time (refresh_token, offline_access)" to the app, then authorise again.',
    });
  },
};
