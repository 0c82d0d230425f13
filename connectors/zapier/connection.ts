import { defineConnection, secret, z } from '#sdk';
import { CatchHookClient } from './zapier.client.js';

export const catchHook = defineConnection({
  title: 'Zapier hook',
  summary: 'One Catch Hook of a Zap, or one REST hook subscription.',
  settings: z.object({
    hookUrl: secret().meta({
      title: 'Hook address',
      description: 'From "Webhooks by Zapier", Catch Hook. Whoever knows it can start the Zap.',
    }),
  }),
  open: (settings, { name, http }) => new CatchHookClient(name, settings.hookUrl, http),
});
