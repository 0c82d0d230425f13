import type {
  AfterResponseMiddleware,
  BeforeRequestMiddleware,
  Bundle,
  HttpRequestOptionsWithUrl,
  ZObject,
} from 'zapier-platform-core';

export interface Question {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Begins with a slash. */
  readonly path: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Asks the hub of this connection. */
export async function askHub<Answer>(
  z: ZObject,
  bundle: Bundle,
  { method = 'GET', path, params = {}, body }: Question,
): Promise<Answer> {
  const given = Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const response = await z.request<Answer>({
    method,
    url: `${baseUrlOf(z, bundle)}${path}`,
    params: Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
    ...(body && { body: { ...body } }),
  });
  return response.data;
}

/** The key goes to the address that was given with it, and nowhere else. */
export const addKey: BeforeRequestMiddleware = (request: HttpRequestOptionsWithUrl, z: ZObject, bundle?: Bundle) => {
  const { apiKey } = bundle?.authData ?? {};
  if (!bundle || apiKey === undefined || apiKey === '') return request;
  if (new URL(request.url).origin !== new URL(baseUrlOf(z, bundle)).origin) return request;
  return { ...request, headers: { ...request.headers, Authorization: `Bearer ${apiKey}` } };
};

/** What the hub says is wrong, in its own words, and as what Zapier should take it. */
export const explainFailure: AfterResponseMiddleware = (response, z) => {
  if (response.status < 400) return response;
  const message = messageOf(response.content) ?? `The hub answered ${String(response.status)}`;
  switch (response.status) {
    case 401:
      throw new z.errors.ExpiredAuthError(`The hub does not know the key any more. ${message}`);
    // A paused flow, a condition that does not hold: nothing is broken, and the Zap stays on.
    case 409:
      throw new z.errors.HaltedError(message);
    case 503:
      throw new z.errors.ThrottledError(message, Number(response.getHeader('retry-after') ?? '') || 60);
    default:
      throw new z.errors.Error(message, codeOf(response.content), response.status);
  }
};

function baseUrlOf(z: ZObject, bundle: Bundle): string {
  const text = (bundle.authData['baseUrl'] ?? '').trim().replace(/\/+$/, '');
  if (!URL.canParse(text)) {
    throw new z.errors.Error('The address of the hub is not a web address.', 'BadAddress', 400);
  }
  const { protocol, hostname, username } = new URL(text);
  const isHere = hostname === '127.0.0.1' || hostname === 'localhost';
  if (username === '' && (protocol === 'https:' || (protocol === 'http:' && isHere))) return text;
  throw new z.errors.Error('The address of the hub must begin with https:// and carry no name.', 'BadAddress', 400);
}

function messageOf(content: string): string | undefined {
  const { message, detail } = parsed(content);
  return typeof message === 'string' ? message : typeof detail === 'string' ? detail : undefined;
}

function codeOf(content: string): string {
  const { code } = parsed(content);
  return typeof code === 'string' ? code : 'HubError';
}

function parsed(content: string): { message?: unknown; detail?: unknown; code?: unknown } {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
