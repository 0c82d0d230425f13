import { createHash } from 'node:crypto';
import { parse } from 'lossless-json';
import { assertShallow } from '#platform';
import { PatchbayError, exactNumber, type HookRequest } from '#sdk';
import { hookRequestOf, type RawHook } from '#triggers';

export interface AdapterRequest {
  readonly hook: Omit<HookRequest, 'isAuthenticated'>;
  /** What the caller calls this request; told back as `jobRunID`. */
  readonly id: string | undefined;
  /** Where the answer may be sent later. */
  readonly responseUrl: string | undefined;
  /** Of everything but where the answer goes: the same for a repeat. */
  readonly fingerprint: string;
}

/** Of a key that is there twice the last one counts, as for most readers. */
const exactly = {
  parseNumber: exactNumber,
  onDuplicateKey: ({ newValue }: { readonly newValue: unknown }) => newValue,
};
const longestUrl = 2_000;

/**
 * Numbers of more digits than others read exactly become text.
 *
 * @throws request.invalid when it is not a JSON object
 */
export function adapterRequestOf(raw: RawHook): AdapterRequest {
  const hook = hookRequestOf(raw);
  const text = hook.rawBody.toString('utf8');
  if (typeof hook.body !== 'object' || hook.body === null || Array.isArray(hook.body)) {
    throw new PatchbayError('request.invalid', {
      detail: 'The body is no JSON object.',
      fix: 'Send content-type: application/json and {"id": "…", "data": {…}}.',
    });
  }
  assertShallow(hook.body);
  const body = (/[\d.]{16,}/.test(text) ? parse(text, null, exactly) : hook.body) as Record<string, unknown>;
  const { responseURL: responseUrl, ...asked } = body;
  return {
    hook: { ...hook, body: asked },
    id: idOf(asked['id']),
    responseUrl: urlOf(responseUrl),
    fingerprint: createHash('sha256')
      .update(JSON.stringify(sorted(asked)))
      .digest('base64url'),
  };
}

function idOf(id: unknown): string | undefined {
  if (typeof id === 'number') return String(id);
  if (typeof id !== 'string' || id === '') return undefined;
  // It is told back as it came, also later; PostgreSQL keeps no U+0000.
  if (!id.includes('\0')) return id;
  throw new PatchbayError('request.invalid', {
    detail: 'The id has the character U+0000 in it.',
    fix: 'Send an id of visible characters.',
  });
}

function urlOf(given: unknown): string | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  if (typeof given === 'string' && given.length <= longestUrl && URL.canParse(given)) return given;
  throw new PatchbayError('request.invalid', {
    detail: 'responseURL is not a web address.',
    fix: 'A Chainlink node makes it of BridgeResponseURL; leave it out for an answer at once.',
    faults: [{ pointer: '#/responseURL', detail: 'It must be an address that begins with https:// or http://' }],
  });
}

/** The order of keys does not matter. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}
