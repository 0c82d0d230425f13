import { defineConnection, secret, z } from '#sdk';
import { MakerClient } from './ifttt.client.js';

export const makerWebhooks = defineConnection({
  title: 'IFTTT Webhooks',
  summary: 'The Webhooks service ("Maker") of one IFTTT account.',
  settings: z.object({
    makerKey: secret().meta({ title: 'Key', description: 'From ifttt.com/maker_webhooks, Documentation' }),
    baseUrl: z
      .url({ protocol: /^https?$/ })
      .default('https://maker.ifttt.com')
      .meta({ title: 'Address of the service' }),
  }),
  open: (settings, { http }) => new MakerClient(settings.baseUrl.replace(/\/+$/, ''), settings.makerKey, http),
});
