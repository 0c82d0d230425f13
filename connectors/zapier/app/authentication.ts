import type { Authentication, Bundle, ZObject } from 'zapier-platform-core';
import { askHub } from './hub.js';

export const authentication: Authentication = {
  type: 'custom',
  fields: [
    {
      key: 'baseUrl',
      label: 'Address of the Hub',
      type: 'string',
      required: true,
      isNoSecret: true,
      placeholder: 'https://hub.example.com',
      helpText: 'Where your Patchbay hub can be reached from the internet, beginning with https.',
    },
    {
      key: 'apiKey',
      label: 'API Key',
      type: 'password',
      required: true,
      helpText:
        'A key with the scope `zapier:use`: see [how to make one](https://github.com/patchbay/patchbay/blob/main/docs/zapier.md).',
    },
  ],
  test: (z: ZObject, bundle: Bundle) => askHub(z, bundle, { path: '/zapier/me' }),
  connectionLabel: '{{name}} at {{instance}}',
};
