import { createHash } from 'node:crypto';
import { PatchbayError } from '#sdk';
import { formatDecimal, isDecimal } from '../../decimal.js';
import { formatExactJson, parseExactJson, toMap } from '../exact-json.js';
import { parseGoDuration } from '../duration.js';
import type { HttpAnswer } from '../ports.js';
import type { TaskCall, TaskType } from '../task-type.js';
import { isMap, mapOf, refusal, toBoolean, toText, type Value } from '../value.js';
import { assertReadWhole, headersOf, mostBytes, timeoutOf } from './http.js';

const longestCacheMs = 30 * 60_000;
const askAgainMs = 5_000;

/** Calls an external adapter; its whole answer is the result, as text. */
export const bridge: TaskType = {
  attributes: ['name', 'requestData', 'includeInputAtKey', 'async', 'cacheTTL', 'headers', 'checkRequired'],
  required: ['name'],
  problems(textOf) {
    const cache = textOf('cacheTTL');
    if (cache === undefined || /^\d+$/.test(cache) || parseGoDuration(cache) !== undefined) return [];
    return [{ attribute: 'cacheTTL', detail: `cacheTTL must be a duration such as 30s, not ${cache}.` }];
  },
  async run(call) {
    const isAsync = toBoolean(call.params.find('async') ?? false, 'async');
    return isAsync ? askForLater(call) : askNow(call);
  },
};

async function askNow(call: TaskCall): Promise<string> {
  const body = bodyOf(call);
  const name = nameOf(call);
  const cacheMs = cacheOf(call);
  const key = createHash('sha256').update(`${name}\n${body}`).digest('hex');
  const { cache } = call.ports.bridges;
  try {
    const answer = await post(call, body);
    judge(answer, name);
    if (cacheMs > 0) cache.set(key, answer.text);
    return answer.text;
  } catch (error) {
    const known = cacheMs > 0 && !call.signal.aborted ? cache.get(key, cacheMs) : undefined;
    if (known === undefined) throw error;
    return known;
  }
}

/** Once the adapter has taken the question it is not asked again. It may answer at once all the same. */
async function askForLater(call: TaskCall): Promise<Value> {
  const name = nameOf(call);
  const later = await call.ports.bridges.later(call.task.id);
  if (later.answer) return laterValue(later.answer, name);
  if (!later.isAsked) {
    const answer = await post(call, bodyOf(call, later.responseUrl));
    if (!isPending(answer)) {
      judge(answer, name);
      return answer.text;
    }
    await later.markAsked();
  }
  throw new PatchbayError('oracle.pending', {
    detail: `The bridge ${name} has not answered yet`,
    retryAfterMs: askAgainMs,
  });
}

function laterValue(answer: { readonly value: Value } | { readonly error: string }, name: string): Value {
  if ('value' in answer) return answer.value;
  throw new PatchbayError('oracle.adapter', { detail: `The bridge ${name} answered with an error: ${answer.error}` });
}

async function post(call: TaskCall, body: string): Promise<HttpAnswer> {
  const { url, headers } = call.ports.bridges.find(nameOf(call));
  const answer = await call.ports.http.call({
    method: 'POST',
    url,
    // What the operator set up for the bridge cannot be replaced by a job.
    headers: { ...headersOf(call.params), ...headers, 'content-type': 'application/json' },
    body,
    isUnrestricted: true,
    timeoutMs: timeoutOf(call),
    maxBytes: mostBytes + 1,
    signal: call.signal,
  });
  assertReadWhole(answer);
  return answer;
}

function bodyOf({ params, meta }: TaskCall, responseUrl?: string): string {
  const data = params.findJson('requestData');
  const key = params.find('includeInputAtKey');
  const input = key === undefined ? undefined : params.input();
  return formatExactJson(
    mapOf([
      ...Object.entries(data === undefined || data === null ? {} : toMap(data, 'requestData')),
      ...(meta === undefined ? [] : [['meta', meta] as const]),
      ...(key === undefined || input === undefined ? [] : [[toText(key, 'includeInputAtKey'), input] as const]),
      ...(responseUrl === undefined ? [] : [['responseURL', responseUrl] as const]),
    ]),
  );
}

/** Nodes fold names of bridges to lower case. */
function nameOf({ params }: TaskCall): string {
  return toText(params.get('name'), 'name').toLowerCase();
}

/** A bare number is seconds. */
function cacheOf({ params }: TaskCall): number {
  const given = params.find('cacheTTL');
  if (given === undefined) return 0;
  const text = toText(given, 'cacheTTL');
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : parseGoDuration(text);
  if (ms === undefined) throw refusal(`cacheTTL must be a duration, not ${text}`);
  return Math.min(ms, longestCacheMs);
}

function isPending({ headers, text }: HttpAnswer): boolean {
  if (headers['x-chainlink-pending'] !== undefined) return true;
  return contentOf(text)?.['pending'] === true;
}

/**
 * An adapter says in its body how it went, and that counts more than the status. Where a node would go on with an empty
 * value, because there is neither success nor a proper error, this is an error.
 */
function judge({ status, text }: HttpAnswer, name: string): void {
  const content = contentOf(text);
  const said = statusIn(content?.['statusCode']);
  const provider = said === 200 ? statusIn(content?.['providerStatusCode']) : undefined;
  const error = content?.['error'];
  const hasError = error !== undefined && error !== null;
  const found = status !== 200 ? status : (provider ?? said ?? status);
  if (found === 200 && !hasError) return;
  const detail = `The bridge ${name} answered with status ${String(hasError && found === 200 ? 500 : found)}: ${
    messageOf(error) ?? messageOf(content?.['errorMessage']) ?? JSON.stringify(text.slice(0, 100))
  }`;
  throw new PatchbayError(found === 429 ? 'http.throttled' : 'oracle.adapter', { detail });
}

function contentOf(text: string): Readonly<Record<string, Value>> | undefined {
  try {
    const parsed = parseExactJson(text);
    return isMap(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function statusIn(value: Value | undefined): number | undefined {
  return value !== undefined && isDecimal(value) ? Number(formatDecimal(value)) : undefined;
}

function messageOf(error: Value | undefined): string | undefined {
  if (typeof error === 'string') return error;
  const message = error !== undefined && isMap(error) ? error['message'] : undefined;
  return typeof message === 'string' ? message : undefined;
}
