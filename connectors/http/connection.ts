import { defineConnection, secret, z, type HttpClient } from '#sdk';

export interface HttpEndpoint {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  /** Path of the base address, without a slash at the end. */
  readonly basePath: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What must not appear in an error. */
  readonly secrets: readonly string[];
  readonly http: HttpClient;
}

export const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be the name of an HTTP header');

export const httpEndpoint = defineConnection({
  title: 'HTTP endpoint',
  summary: 'A base address and the credentials that every request to it carries.',
  settings: z
    .object({
      baseUrl: z
        .url({ protocol: /^https?$/ })
        .meta({ title: 'Base address', examples: ['https://api.example.com/v1'] }),
      token: secret().meta({ title: 'Bearer token' }).optional(),
      username: z.string().optional().meta({ title: 'User name (basic authentication)' }),
      password: secret().meta({ title: 'Password (basic authentication)' }).optional(),
      headerName: headerName.optional().meta({ title: 'Name of a secret header', examples: ['x-api-key'] }),
      headerValue: secret().meta({ title: 'Value of the secret header' }).optional(),
    })
    .refine((settings) => settings.token === undefined || settings.username === undefined, {
      message: 'Give a bearer token or a user name, not both: both become the authorization header.',
      path: ['token'],
    })
    .refine((settings) => (settings.headerName === undefined) === (settings.headerValue === undefined), {
      message: 'A secret header needs a name and a value.',
      path: ['headerName'],
    }),
  open(settings, { http }): HttpEndpoint {
    const headers: Record<string, string> = {};
    const secrets: string[] = [];
    if (settings.token !== undefined) {
      headers['authorization'] = `Bearer ${settings.token.reveal()}`;
      secrets.push(settings.token.reveal());
    }
    if (settings.username !== undefined) {
      const password = settings.password?.reveal() ?? '';
      const credentials = Buffer.from(`${settings.username}:${password}`).toString('base64');
      headers['authorization'] = `Basic ${credentials}`;
      secrets.push(credentials, password);
    }
    if (settings.headerName !== undefined && settings.headerValue !== undefined) {
      headers[settings.headerName.toLowerCase()] = settings.headerValue.reveal();
      secrets.push(settings.headerValue.reveal());
    }
    const baseUrl = settings.baseUrl.replace(/\/+$/, '');
    return {
      baseUrl,
      basePath: new URL(baseUrl).pathname.replace(/\/$/, ''),
      headers,
      secrets: secrets.filter((text) => text !== ''),
      http,
    };
  },
  // Only refused credentials and an unreachable host count: many APIs have nothing under their base address.
  async test(endpoint, signal) {
    await endpoint.http.request({
      url: endpoint.baseUrl,
      headers: endpoint.headers,
      redact: endpoint.secrets,
      accept: (status) => status !== 401 && status !== 403 && status < 500,
      signal,
    });
  },
});
