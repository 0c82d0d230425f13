import type OAuth2Server from '@node-oauth/oauth2-server';
import type { IftttOauthSettings } from '#sdk';
import { isSame } from '../service-account.js';
import type { TokensStore } from './tokens.store.js';

type Model = OAuth2Server.AuthorizationCodeModel & OAuth2Server.RefreshTokenModel;

/** The only scope there is: what an API key may do is decided by the key. */
const scope = ['ifttt'];

/** What the OAuth2 library asks of us: one client, which is IFTTT, and tokens in the store. */
export function createModel(settings: IftttOauthSettings, tokens: TokensStore): Model {
  const { clientId, clientSecret, redirectUrl, isRefreshing } = settings;
  const client: OAuth2Server.Client = {
    id: clientId,
    redirectUris: [redirectUrl],
    grants: isRefreshing ? ['authorization_code', 'refresh_token'] : ['authorization_code'],
  };
  return {
    async getClient(id, secret: string | null) {
      const isKnown = isSame(id, clientId) && (secret === null || isSame(secret, clientSecret.reveal()));
      return isKnown ? client : undefined;
    },
    validateScope: async () => scope,
    // Never to whatever the parameter says.
    validateRedirectUri: async (url) => url === redirectUrl,
    generateAuthorizationCode: async () => tokens.newToken(),
    generateAccessToken: async () => tokens.newToken(),
    generateRefreshToken: async () => tokens.newToken(),
    async saveAuthorizationCode({ authorizationCode, expiresAt }, _client, user) {
      await tokens.put(authorizationCode, 'code', { userId: idOf(user), redirectUrl, expiresAt });
      return { authorizationCode, expiresAt, redirectUri: redirectUrl, scope, client, user };
    },
    async getAuthorizationCode(code) {
      const found = await tokens.find(code, ['code']);
      if (found?.expiresAt === undefined) return undefined;
      return {
        authorizationCode: code,
        expiresAt: found.expiresAt,
        redirectUri: found.redirectUrl ?? redirectUrl,
        scope,
        client,
        user: { id: found.userId },
      };
    },
    revokeAuthorizationCode: ({ authorizationCode }) => tokens.takeCode(authorizationCode),
    async saveToken({ accessToken, accessTokenExpiresAt, refreshToken }, _client, user) {
      const userId = idOf(user);
      const isExpiring = isRefreshing && accessTokenExpiresAt !== undefined;
      await tokens.put(accessToken, 'access', {
        userId,
        redirectUrl: undefined,
        expiresAt: isExpiring ? accessTokenExpiresAt : undefined,
      });
      const saved = { accessToken, ...(isExpiring && { accessTokenExpiresAt }), scope, client, user };
      if (!isRefreshing || refreshToken === undefined) return saved;
      // By time it never expires: an Applet that was off for a year goes on.
      await tokens.put(refreshToken, 'refresh', { userId, redirectUrl: undefined, expiresAt: undefined });
      return { ...saved, refreshToken };
    },
    async getAccessToken(accessToken) {
      const found = await tokens.find(accessToken, ['access']);
      return found && { accessToken, scope, client, user: { id: found.userId }, ...expiry(found.expiresAt) };
    },
    async getRefreshToken(refreshToken) {
      const found = await tokens.find(refreshToken, ['refresh']);
      return found && { refreshToken, scope, client, user: { id: found.userId } };
    },
    async revokeToken({ refreshToken }) {
      await tokens.retireRefreshToken(refreshToken);
      return true;
    },
  };
}

function expiry(at: Date | undefined): { accessTokenExpiresAt?: Date } {
  return at === undefined ? {} : { accessTokenExpiresAt: at };
}

function idOf(user: OAuth2Server.User): string {
  return String(user['id']);
}
