import { PatchbayError, defineConnection, parseSigningSecret, secret, z, type HttpClient, type Secret } from '#sdk';

export interface WebhookEndpoint {
  readonly url: string | undefined;
  /** The newest first. */
  readonly keys: readonly Buffer[];
  readonly toleranceMs: number;
  readonly http: HttpClient;
}

export const webhookEndpoint = defineConnection({
  title: 'Webhook endpoint',
  summary: 'The secret that signs webhooks between the hub and one other system, in either direction.',
  settings: z.object({
    signingSecret: secret().meta({
      title: 'Signing secret',
      description: 'whsec_ and 24 to 64 random bytes in base64',
    }),
    previousSecret: secret()
      .meta({ title: 'Previous signing secret', description: 'Valid beside the new one while the secret is changed' })
      .optional(),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .meta({ title: 'Address to send to', examples: ['https://crm.example.com/hooks/patchbay'] }),
    toleranceSeconds: z.number().int().min(1).max(86_400).default(300).meta({
      title: 'Tolerance (seconds)',
      description: 'How old the timestamp of a received webhook may be',
    }),
  }),
  open(settings, { name, http }): WebhookEndpoint {
    const secrets = [settings.signingSecret, settings.previousSecret].filter((given) => given !== undefined);
    return {
      url: settings.url,
      keys: secrets.map((given) => keyOf(given, name)),
      toleranceMs: settings.toleranceSeconds * 1_000,
      http,
    };
  },
});

function keyOf(given: Secret, connection: string): Buffer {
  const key = parseSigningSecret(given.reveal());
  if (key !== undefined) return key;
  throw new PatchbayError('connection.invalid', {
    detail: `A signing secret of the connection ${connection} is not whsec_ followed by 24 to 64 bytes in base64.`,
    fix: 'Make one with: echo "whsec_$(openssl rand -base64 32)"',
  });
}
