import { describe, expect, it } from '@jest/globals';
import { PatchbayError, Secret, type HttpClient, type HttpRequest } from '#sdk';
import { SalesforceLogin, type LoginSettings } from './salesforce.login.js';

const settings: LoginSettings = {
  loginUrl: 'https://acme.my.salesforce.com',
  auth: 'web',
  clientId: 'app',
  refreshToken: new Secret('r1'),
};

/** An org that gives another refresh token once, and from then on takes that one only. */
function rotatingOrg(): { readonly http: HttpClient; readonly given: string[] } {
  const given: string[] = [];
  const request = ({ body }: HttpRequest) => {
    const token = new URLSearchParams(String(body)).get('refresh_token') ?? '';
    given.push(token);
    const isSpent = token === 'r1' && given.length > 1;
    return Promise.resolve({
      status: isSpent ? 400 : 200,
      headers: {},
      text: '',
      body: isSpent
        ? { error: 'invalid_grant', error_description: 'expired access/refresh token' }
        : {
            access_token: `00D000000000001!${given.length}`,
            instance_url: settings.loginUrl,
            id: 'https://login.salesforce.com/id/00D000000000001/005000000000001',
            ...(token === 'r1' && { refresh_token: 'r2' }),
          },
    });
  };
  return { http: { request } as unknown as HttpClient, given };
}

describe('a refresh token that was exchanged for another', () => {
  it('given a store that is away when the new one comes, when it is back, then the new one is kept all the same', async () => {
    const { http, given } = rotatingOrg();
    const kept: unknown[] = [];
    let failures = 2;
    const login = new SalesforceLogin(settings, http, {
      keep: (changed) => {
        if (failures > 0) {
          failures -= 1;
          return Promise.reject(new PatchbayError('store.unavailable'));
        }
        kept.push(changed);
        return Promise.resolve();
      },
    });

    await expect(login.current()).rejects.toMatchObject({ code: 'store.unavailable' });
    await expect(login.current()).rejects.toMatchObject({ code: 'store.unavailable' });
    await login.current();

    expect(kept).toEqual([{ refreshToken: 'r2' }]);
    // What is not kept yet costs no further logins: Salesforce counts them.
    expect(given).toEqual(['r1', 'r2']);

    await login.renew(await login.current());
    expect(kept).toHaveLength(1);
  });
});
