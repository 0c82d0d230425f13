import { PatchbayError, type ErrorCode, type HttpRequest, type HttpResponse } from '#sdk';

const excerptLength = 300;
const longestRetryAfterMs = 86_400_000;

/** What an exchange without an answer means: unreachable, too slow, forbidden, or given up by the caller. */
export function exchangeError(wanted: HttpRequest, target: URL, thrown: unknown): PatchbayError {
  if (wanted.signal?.aborted) return abortError(wanted, target, wanted.signal.reason);
  const { code, message } = factsOf(thrown);
  if (thrown instanceof PatchbayError && thrown.code === 'target.forbidden') return thrown;
  const describe = (what: string) => ({ detail: masked(wanted, `${lineOf(wanted, target)}: ${what}`), cause: thrown });
  if (thrown instanceof PatchbayError) return new PatchbayError(thrown.code, describe(message));
  if (code === 'ETIMEDOUT' || code === 'ESOCKETTIMEDOUT')
    return new PatchbayError('connection.timeout', describe(message));
  if (code.startsWith('HPE_') || code.startsWith('Z_') || code.startsWith('ERR__ERROR_FORMAT')) {
    return new PatchbayError('http.unreadable', describe(message));
  }
  if (code.startsWith('ERR_INVALID') || code === 'ERR_UNESCAPED_CHARACTERS') {
    return new PatchbayError('http.rejected', {
      ...describe(message),
      fix: 'Check the headers and the address of the request.',
    });
  }
  return new PatchbayError('connection.refused', describe(message || code));
}

/** What an answer means whose status the caller does not accept. */
export function answerError(wanted: HttpRequest, target: URL, answer: HttpResponse): PatchbayError {
  const retryAfterMs = retryAfterOf(answer.headers['retry-after']);
  const excerpt = excerptOf(masked(wanted, answer.text));
  const line = `${masked(wanted, lineOf(wanted, target))} answered ${answer.status}`;
  return new PatchbayError(codeFor(answer.status, retryAfterMs), {
    detail: excerpt === '' ? line : `${line}: ${excerpt}`,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function codeFor(status: number, retryAfterMs: number | undefined): ErrorCode {
  if (status === 401 || status === 403) return 'connection.unauthorised';
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) return 'http.throttled';
  if (status === 408 || status === 425 || status >= 500) return 'http.failed';
  return 'http.rejected';
}

function abortError(wanted: HttpRequest, target: URL, reason: unknown): PatchbayError {
  if (reason instanceof PatchbayError) return reason;
  const isTimeout = factsOf(reason).name === 'TimeoutError';
  return new PatchbayError(isTimeout ? 'connection.timeout' : 'step.cancelled', {
    detail: masked(wanted, `${lineOf(wanted, target)} was ${isTimeout ? 'not answered in time' : 'given up'}`),
    cause: reason,
  });
}

/** What Node's errors say about themselves; asked by shape, because they need not be of this realm's classes. */
function factsOf(thrown: unknown): { name: string; code: string; message: string } {
  const { name, code, message } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Partial<
    Record<string, unknown>
  >;
  return { name: String(name ?? ''), code: String(code ?? ''), message: String(message ?? thrown) };
}

/** Method, host and path; the query is left out, because keys travel in it. */
function lineOf(wanted: HttpRequest, target: URL): string {
  return `${wanted.method ?? 'GET'} ${target.host}${target.pathname}`;
}

function masked(wanted: HttpRequest, text: string): string {
  let result = text;
  for (const hidden of wanted.redact ?? []) {
    if (hidden === '') continue;
    result = result.replaceAll(hidden, '***').replaceAll(encodeURIComponent(hidden), '***');
  }
  return result;
}

function excerptOf(text: string): string {
  // Control characters would let an answer forge lines in a log or a terminal.
  const line = text
    .slice(0, excerptLength * 4)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return line.length > excerptLength ? `${line.slice(0, excerptLength)}…` : line;
}

/** Seconds or a date, as RFC 9110 allows. */
function retryAfterOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const waitMs = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), longestRetryAfterMs);
}
