import { describe, expect, it } from '@jest/globals';
import { asyncApiPage } from '../../scripts/pages/asyncapi-page.js';

interface Description {
  readonly asyncapi: string;
  readonly channels: Readonly<Record<string, { readonly address: string; readonly messages: Record<string, object> }>>;
  readonly operations: Readonly<Record<string, { readonly action: string }>>;
}

describe('the description of sockets and deliveries', () => {
  const { path, content } = asyncApiPage();
  const description = JSON.parse(content) as Description;

  it('lies beside that of the routes, in AsyncAPI 3', () => {
    expect(path).toBe('docs/asyncapi.json');
    expect(description.asyncapi).toBe('3.0.0');
  });

  it('names every namespace, the plain WebSocket and both kinds of webhooks', () => {
    expect(Object.values(description.channels).map(({ address }) => address)).toEqual([
      '/runs',
      '/transactions',
      '/streams',
      '/api/streams/ws',
      '/',
      '/',
    ]);
  });

  it('refers to nothing that is not there', () => {
    const references = [...content.matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, pointer = '']) => pointer);

    expect(references.length).toBeGreaterThan(20);
    for (const pointer of references) {
      const found = pointer
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], description);
      expect({ pointer, isThere: found !== undefined }).toEqual({ pointer, isThere: true });
    }
  });

  it('leaves the type out where the name of the event says it', () => {
    expect(description.channels['streamsSocketio']?.messages['hub.batch']).not.toHaveProperty(
      'payload.properties.type',
    );
    expect(description.channels['streamsWebSocket']?.messages['hub.batch']).toHaveProperty('payload.properties.type');
  });
});
