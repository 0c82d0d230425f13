import { defineConnection, secret, z, type IftttServiceSettings } from '#sdk';
import { IftttClient } from './ifttt.client.js';

const webAddress = z.url({ protocol: /^https?$/ });

export const iftttAccount = defineConnection({
  title: 'IFTTT',
  summary: 'The Webhooks service ("Maker") of one account, a service of your own that the hub plays, or both.',
  settings: z
    .object({
      makerKey: secret()
        .optional()
        .meta({ title: 'Key of Webhooks', description: 'From ifttt.com/maker_webhooks, Documentation' }),
      baseUrl: webAddress.default('https://maker.ifttt.com').meta({ title: 'Address of Webhooks' }),
      serviceKey: secret()
        .optional()
        .meta({ title: 'Service key', description: 'From the API tab of your service; makes the hub that service' }),
      serviceId: z
        .string()
        .regex(/^[a-z0-9_]+$/, 'must be lower-case letters, digits and underscores')
        .optional()
        .meta({ title: 'Service id', description: 'As in ifttt.com/<id>; needed for sign-in by OAuth2' }),
      mode: z.enum(['key', 'oauth2']).default('key').meta({
        title: 'Sign-in',
        description: 'key: the service key opens everything. oauth2: each user signs in with an API key of the hub.',
      }),
      clientId: z
        .string()
        .min(1)
        .optional()
        .meta({ title: 'Client id', description: 'For oauth2; the one IFTTT shows' }),
      clientSecret: secret().optional().meta({ title: 'Client secret', description: 'For oauth2' }),
      redirectUrl: webAddress
        .optional()
        .meta({ title: 'Redirect address', description: 'Default: that of the service id at ifttt.com' }),
      refreshTokens: z.boolean().default(true).meta({
        title: 'Refresh tokens',
        description: 'As in the settings of the service. Without them access tokens never expire.',
      }),
      realtimeUrl: webAddress.default('https://realtime.ifttt.com').meta({ title: 'Address of Realtime' }),
    })
    .superRefine((settings, context) => {
      if (settings.makerKey === undefined && settings.serviceKey === undefined) {
        context.addIssue({ code: 'custom', message: 'Give makerKey, serviceKey or both.', path: ['makerKey'] });
      }
      if (settings.mode !== 'oauth2') return;
      for (const name of ['serviceKey', 'serviceId', 'clientId', 'clientSecret'] as const) {
        if (settings[name] !== undefined) continue;
        context.addIssue({ code: 'custom', message: `Sign-in by oauth2 needs ${name}.`, path: [name] });
      }
    }),
  open(settings, { http }) {
    const { baseUrl, makerKey, serviceKey, serviceId, realtimeUrl } = settings;
    const service: IftttServiceSettings | undefined = serviceKey && {
      key: serviceKey,
      id: serviceId,
      realtimeUrl: withoutSlash(realtimeUrl),
      oauth: oauthOf(settings),
    };
    return new IftttClient({ baseUrl: withoutSlash(baseUrl), makerKey, http }, service);
  },
});

interface OauthSettings {
  readonly mode: 'key' | 'oauth2';
  readonly serviceId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: ReturnType<ReturnType<typeof secret>['parse']> | undefined;
  readonly redirectUrl?: string | undefined;
  readonly refreshTokens: boolean;
}

function oauthOf(settings: OauthSettings): IftttServiceSettings['oauth'] {
  const { mode, serviceId, clientId, clientSecret, redirectUrl, refreshTokens } = settings;
  if (mode === 'key' || clientId === undefined || clientSecret === undefined) return undefined;
  return {
    clientId,
    clientSecret,
    redirectUrl: redirectUrl ?? `https://ifttt.com/channels/${serviceId ?? ''}/authorize`,
    isRefreshing: refreshTokens,
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
