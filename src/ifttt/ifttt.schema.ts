import { z } from '#sdk';

export const iftttAnswer = z.object({
  isConfigured: z.boolean(),
  mode: z.enum(['key', 'oauth2']),
  identities: z.number().int().meta({ description: 'Triggers that somebody polls' }),
  watched: z.number().int().meta({ description: 'Of these, those that the hub watches for itself' }),
  untold: z.number().int().meta({ description: 'Of these, those that have news which IFTTT was not told of' }),
  failing: z.number().int().meta({ description: 'Of these, those that cannot be watched for now' }),
  webhooks: z
    .array(z.object({ type: z.string(), event: z.string(), body: z.unknown(), at: z.iso.datetime() }))
    .meta({ description: 'What IFTTT reported of connections, newest first' }),
});
