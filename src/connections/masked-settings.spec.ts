import { describe, expect, it } from '@jest/globals';
import { secret, z } from '#sdk';
import { maskSettings } from './masked-settings.js';

describe('settings that are shown', () => {
  it('given secrets at any depth, when they are shown, then each is starred out, and nothing else is', () => {
    const schema = z.object({
      url: z.union([z.url(), z.array(z.url())]),
      key: secret().optional(),
      adapters: z
        .record(z.string(), z.object({ url: z.string(), headers: z.record(z.string(), secret()).default({}) }))
        .default({}),
      node: z.object({ url: z.string(), secret: secret() }).optional(),
      keys: z.array(z.object({ name: z.string(), key: secret() })),
      login: z.union([z.string(), z.object({ password: secret() })]),
      fees: z.object({ max: z.number() }).optional(),
    });

    const shown = maskSettings(schema, {
      url: ['https://a.example'],
      key: 'k',
      adapters: { prices: { url: 'https://b.example', headers: { authorization: 'Bearer s' } } },
      node: { url: 'https://c.example', secret: 's', unknown: 'u' },
      keys: [{ name: 'one', key: 'k' }],
      login: { password: 'p' },
      fees: { max: 3 },
      typo: 'perhaps a secret',
    });

    expect(shown).toEqual({
      url: ['https://a.example'],
      key: '***',
      adapters: { prices: { url: 'https://b.example', headers: { authorization: '***' } } },
      node: { url: 'https://c.example', secret: '***', unknown: '***' },
      keys: [{ name: 'one', key: '***' }],
      login: '***',
      fees: { max: 3 },
      typo: '***',
    });
  });
});
