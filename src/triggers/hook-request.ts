import { PatchbayError, type HookRequest } from '#sdk';

/** The request as the web application hands it on: the body in the bytes that came. */
export interface RawHook {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly query: unknown;
  readonly body: unknown;
}

const noBytes = Buffer.alloc(0);

/**
 * What a trigger receives. JSON and forms are parsed, everything else stays text.
 *
 * @throws request.invalid when the body is not what its content type says
 */
export function hookRequestOf(request: RawHook): Omit<HookRequest, 'isAuthenticated'> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const rawBody = Buffer.isBuffer(request.body) ? request.body : noBytes;
  return {
    method: request.method,
    headers,
    query: (request.query ?? {}) as Record<string, string>,
    rawBody,
    body: parsed(rawBody, headers['content-type'] ?? 'application/json'),
  };
}

function parsed(bytes: Buffer, contentType: string): unknown {
  const text = bytes.toString('utf8');
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) return Object.fromEntries(new URLSearchParams(text));
  if (!/\bjson\b/i.test(contentType) || text === '') return text;
  try {
    // A reviver makes parsing several times slower, so only bodies that may need it pay for it.
    return text.includes('__proto__') ? JSON.parse(text, refusePrototypeKeys) : JSON.parse(text);
  } catch (error) {
    throw new PatchbayError('request.invalid', {
      detail: `The body is not valid JSON: ${error instanceof Error ? error.message : ''}`,
      fix: 'Send JSON, or name the content type of what you send.',
      cause: error,
    });
  }
}

/** Keys that could reach a prototype are refused rather than dropped: nobody sends them by accident. */
function refusePrototypeKeys(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new Error('the key __proto__ is not allowed');
  return value;
}
