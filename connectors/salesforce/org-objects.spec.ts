import { describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { orgObjects } from './org-objects.js';
import type { SalesforceClient } from './salesforce.client.js';

describe('the objects of an org', () => {
  it('given a name that is misspelt, when the object is described, then the refusal says which was meant', async () => {
    const objects = {
      now: () => Promise.reject(new PatchbayError('salesforce.notFound', { detail: 'NOT_FOUND' })),
      names: () => Promise.resolve(['Account', 'Contact']),
    };
    const client = { objects } as unknown as SalesforceClient;

    await expect(orgObjects.describe(client, 'Contct', AbortSignal.timeout(1_000))).rejects.toMatchObject({
      code: 'salesforce.notFound',
      fix: 'Did you mean Contact?',
    });
  });
});
