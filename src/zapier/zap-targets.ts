import { createHash } from 'node:crypto';
import { PatchbayError, type HttpClient } from '#sdk';

/**
 * Where the hub may be asked to post to: what its egress rules allow, and encrypted. Only on this very machine, where a
 * sandbox plays Zapier, it need not be.
 *
 * @throws target.forbidden, request.invalid
 */
export async function assertTarget(targetUrl: string, http: HttpClient): Promise<void> {
  if (!URL.canParse(targetUrl)) {
    throw new PatchbayError('request.invalid', {
      detail: 'The target is not a web address.',
      fix: 'Send the address that Zapier gave.',
      faults: [{ pointer: '#/targetUrl', detail: 'It must be an address beginning with https://' }],
    });
  }
  const { protocol, hostname } = new URL(targetUrl);
  if (protocol === 'http:' && !/^(127(\.\d{1,3}){3}|localhost|\[::1\])$/.test(hostname)) {
    throw new PatchbayError('target.forbidden', {
      detail: `The target at ${hostname} is not encrypted.`,
      fix: 'Use an address beginning with https://.',
    });
  }
  await http.assertAllowed(targetUrl);
}

/** Of whatever can be written as JSON; the order of keys does not matter. */
export function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(ordered(value)))
    .digest('hex');
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)).map(([k, v]) => [k, ordered(v)]));
}
