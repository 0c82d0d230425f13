import { explanationOf } from '#platform';
import { PatchbayError } from '#sdk';

/** One request as IFTTT sends it. */
export interface IftttRequest {
  readonly method: string;
  /** Below `/ifttt/v1`; begins with a slash. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly requestId: string;
}

export interface IftttReply {
  readonly status: number;
  /** Absent: there is no body. */
  readonly body?: unknown;
}

export function succeeded(data: unknown, more: Readonly<Record<string, unknown>> = {}): IftttReply {
  return { status: 200, body: { data, ...more } };
}

/** How whatever fails before a request reaches the service is told to IFTTT. */
export const iftttErrors = { prefix: '/ifttt/v1', replyOf } as const;

/** The statuses that IFTTT knows: everything else is one of these. */
export function replyOf(thrown: unknown): IftttReply {
  const error = PatchbayError.from(thrown);
  const status = statusOf(error);
  const message = error.code === 'internal' ? error.title : explanationOf(error);
  return {
    status,
    body: { errors: [error.code === 'ifttt.field' ? { status: 'SKIP', message } : { message }] },
  };
}

/** What can succeed later without anybody changing the request. */
const later = new Set(['flow.disabled', 'ifttt.notConfigured', 'connection.invalid']);

function statusOf({ code, status, retry }: PatchbayError): number {
  if (later.has(code)) return 503;
  if (status === 401 || status === 404) return status;
  if (status === 403) return 401;
  if (code === 'internal') return 500;
  if (status >= 500 || retry !== 'never') return 503;
  return 400;
}

/**
 * An empty body is an empty object, whatever its content type says.
 *
 * @throws request.invalid
 */
export function parseBody(body: Buffer): Readonly<Record<string, unknown>> {
  if (body.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new PatchbayError('request.invalid', { detail: 'The body is not valid JSON', cause: error });
  }
  if (isRecord(parsed)) return parsed;
  throw new PatchbayError('request.invalid', { detail: 'The body must be a JSON object' });
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const usualLimit = 50;

/** @throws request.invalid – it is no whole number from 0 on */
export function limitOf(body: Readonly<Record<string, unknown>>, most: number): number {
  const { limit } = body;
  if (limit === undefined || limit === null) return usualLimit;
  const count = typeof limit === 'string' && /^\d+$/.test(limit) ? Number(limit) : limit;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 0) {
    throw new PatchbayError('request.invalid', { detail: 'limit must be a whole number from 0 on' });
  }
  return Math.min(count, most);
}
