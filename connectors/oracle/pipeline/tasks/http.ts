import { PatchbayError } from '#sdk';
import { parseExactJson, formatExactJson, toList, toMap } from '../exact-json.js';
import type { Params } from '../params.js';
import type { HttpAnswer, HttpCall } from '../ports.js';
import type { TaskCall, TaskType } from '../task-type.js';
import { refusal, toBoolean, toText } from '../value.js';
import { onlyVariable } from '../variable.js';

/** What nodes read of an answer, in bytes. */
export const mostBytes = 32_768;
const usualTimeoutMs = 15_000;
/** A task that may take for ever takes as long as a node lets a run. */
const longestMs = 600_000;
const mostRedirects = 10;

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'] as const;
type Method = (typeof methods)[number];

/** The body of the answer as text; a status of 400 and above is an error. */
export const http: TaskType = {
  attributes: ['method', 'url', 'requestData', 'allowUnrestrictedNetworkAccess', 'headers'],
  required: ['url'],
  problems(textOf) {
    const method = textOf('method');
    if (method === undefined || isMethod(method.toUpperCase())) return [];
    return [
      { attribute: 'method', detail: `${method} is no method of HTTP.`, fix: `Use one of ${methods.join(', ')}.` },
    ];
  },
  async run(call) {
    const { params } = call;
    const method = toText(params.find('method') ?? 'GET', 'method').toUpperCase();
    if (!isMethod(method)) throw refusal(`${method} is no method of HTTP`);
    const data = params.findJson('requestData');
    const answer = await follow(
      {
        method,
        url: toText(params.get('url'), 'url'),
        headers: { 'content-type': 'application/json', ...headersOf(params) },
        body: data === undefined || data === null ? undefined : formatExactJson(toMap(data, 'requestData')),
        isUnrestricted: isUnrestricted(params),
        timeoutMs: timeoutOf(call),
        maxBytes: mostBytes + 1,
        signal: call.signal,
      },
      call,
    );
    if (answer.status >= 400) throw statusError(answer);
    return answer.text;
  },
};

/** Of several limits the smallest counts; 0 means none. */
export function timeoutOf({ timeoutMs, job }: TaskCall): number {
  if (timeoutMs === undefined) return smallest(job.maxTaskDurationMs, usualTimeoutMs);
  return smallest(timeoutMs, job.maxTaskDurationMs, longestMs);
}

/** A list of names and values in turn. */
export function headersOf(params: Params): Readonly<Record<string, string>> {
  const given = params.findJson('headers');
  if (given === undefined || given === null) return {};
  const list = toList(given, 'headers').map((item) => toText(item, 'An item of headers'));
  if (list.length % 2 !== 0) throw refusal('headers must be a list of names and values in turn');
  const headers: Record<string, string> = {};
  for (let index = 0; index < list.length; index += 2) headers[list[index]!.toLowerCase()] = list[index + 1]!;
  return headers;
}

export function assertReadWhole({ text }: HttpAnswer): void {
  if (Buffer.byteLength(text) <= mostBytes) return;
  throw new PatchbayError('http.rejected', {
    detail: `The answer is longer than the ${mostBytes.toLocaleString('en')} bytes that a task reads`,
    fix: 'Ask the source for less.',
  });
}

function statusError({ status, text }: HttpAnswer): PatchbayError {
  const detail = `The source answered with status ${String(status)}: ${messageIn(text) ?? JSON.stringify(text.slice(0, 100))}`;
  if (status === 429) return new PatchbayError('http.throttled', { detail });
  return new PatchbayError(status >= 500 || status === 408 ? 'http.failed' : 'http.rejected', { detail });
}

/** Every address on the way is checked like the first one; what is secret goes to the first one only. */
async function follow(first: HttpCall, { ports }: TaskCall): Promise<HttpAnswer> {
  let call = first;
  for (let redirects = 0; ; redirects++) {
    const answer = await ports.http.call(call);
    const location = answer.headers['location'];
    if (answer.status < 300 || answer.status >= 400 || location === undefined) {
      assertReadWhole(answer);
      return answer;
    }
    if (redirects >= mostRedirects) {
      throw new PatchbayError('http.rejected', { detail: `${first.url} leads in circles` });
    }
    call = redirected(call, answer.status, location);
  }
}

function redirected(call: HttpCall, status: number, location: string): HttpCall {
  if (!URL.canParse(location, call.url)) {
    throw new PatchbayError('http.rejected', {
      detail: `The source leads to ${location.slice(0, 100)}, which is no address`,
    });
  }
  const url = new URL(location, call.url);
  const isSameHost = url.origin === new URL(call.url).origin;
  const keepsMethod = status === 307 || status === 308 || call.method === 'GET' || call.method === 'HEAD';
  return {
    ...call,
    url: url.href,
    headers: isSameHost ? call.headers : { 'content-type': 'application/json' },
    ...(!keepsMethod && { method: 'GET' as const, body: undefined }),
  };
}

/** Nodes trust an address that the job itself spells out, and none that a request brings. */
function isUnrestricted(params: Params): boolean {
  const given = params.find('allowUnrestrictedNetworkAccess');
  if (given !== undefined) return toBoolean(given, 'allowUnrestrictedNetworkAccess');
  return onlyVariable(params.text('url') ?? '') === undefined;
}

function messageIn(text: string): string | undefined {
  try {
    const parsed = toMap(parseExactJson(text), 'The answer');
    const error = parsed['error'] ?? parsed['errorMessage'];
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

function isMethod(text: string): text is Method {
  return (methods as readonly string[]).includes(text);
}

function smallest(...limits: readonly (number | undefined)[]): number {
  return Math.min(...limits.filter((limit) => limit !== undefined && limit > 0).map(Number), longestMs);
}
