import { describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { ObjectDescriptions } from './object-descriptions.js';
import type { RestCall, SalesforceRest } from './salesforce.rest.js';

describe('descriptions of objects', () => {
  it('given two who share a request, when the first is cancelled, then the second still gets its answer', async () => {
    const asked: string[] = [];
    const rest = {
      json: ({ url }: RestCall, signal: AbortSignal) =>
        new Promise((resolve, reject) => {
          asked.push(url);
          if (asked.length > 1) return resolve({ name: 'Contact' });
          signal.addEventListener('abort', () => reject(new PatchbayError('step.cancelled')));
        }),
    } as unknown as SalesforceRest;
    const objects = new ObjectDescriptions(rest);
    const first = new AbortController();

    const cancelled = objects.of('Contact', first.signal);
    const others = [1, 2].map(() => objects.of('Contact', new AbortController().signal));
    first.abort();

    await expect(cancelled).rejects.toMatchObject({ code: 'step.cancelled' });
    expect(await Promise.all(others)).toEqual([{ name: 'Contact' }, { name: 'Contact' }]);
    expect(asked).toHaveLength(2);
  });

  it('given a request that fails, when several share it, then all fail and the next asks anew', async () => {
    let asked = 0;
    const rest = {
      json: () =>
        ++asked === 1
          ? Promise.reject(new PatchbayError('salesforce.unavailable'))
          : Promise.resolve({ name: 'Contact' }),
    } as unknown as SalesforceRest;
    const objects = new ObjectDescriptions(rest);
    const { signal } = new AbortController();

    const results = await Promise.allSettled([objects.of('Contact', signal), objects.of('contact', signal)]);

    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await objects.of('Contact', signal)).toEqual({ name: 'Contact' });
    expect(asked).toBe(2);
  });
});
