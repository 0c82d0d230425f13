import { Axios } from 'axios';

import { PatchbayError, type HttpClient, type HttpRequest, type HttpResponse, type Logger } from '#sdk';

import type { EgressPolicy } from './egress-policy.js';
import { createGuardedAgents } from './guarded-agents.js';
import { answerError, exchangeError } from './http-error.js';
import { createSocketAdapter, Exchange, type Answer, type ExchangeConfig } from './socket-adapter.js';

export interface HttpClientOptions {
  readonly egress: EgressPolicy;
  readonly log?: Logger;
  readonly defaultTimeoutMs?: number;
}

const defaultMaxBytes = 65_536;

/** The one way out of the hub over HTTP; what it promises stands at {@link HttpClient}. */
export function createHttpClient({ egress, log, defaultTimeoutMs = 15_000 }: HttpClientOptions): HttpClient {
  const agents = createGuardedAgents(egress);
  // Not `axios.create`: the global defaults it brings along are merged anew for every request.
  const client = new Axios({ adapter: createSocketAdapter(agents) });
  const publicOnly = egress.restricted();
  const publicClient = new Axios({ adapter: createSocketAdapter(createGuardedAgents(publicOnly)) });

  async function request(wanted: HttpRequest): Promise<HttpResponse> {
    const target = parseTarget(wanted.url);
    (wanted.onlyPublic === true ? publicOnly : egress).checkUrl(target);
    if (wanted.signal?.aborted) throw exchangeError(wanted, target, wanted.signal.reason);
    const answer = toResponse(await exchangeAnswer(wanted, target));
    const isAccepted = wanted.accept?.(answer.status) ?? (answer.status >= 200 && answer.status < 300);
    if (!isAccepted) throw answerError(wanted, target, answer);
    return answer;
  }

  async function exchangeAnswer(wanted: HttpRequest, target: URL): Promise<Answer> {
    const exchange = new Exchange({
      target,
      method: wanted.method ?? 'GET',
      headers: headersFor(wanted),
      body: bodyOf(wanted.body),
      timeoutMs: wanted.timeoutMs ?? defaultTimeoutMs,
      maxBytes: wanted.maxBytes ?? defaultMaxBytes,
      signal: wanted.signal,
    });
    const config: ExchangeConfig = { url: wanted.url, method: exchange.method, exchange };
    try {
      const { data } = await (wanted.onlyPublic === true ? publicClient : client).request<Answer>(config);
      return data;
    } catch (error) {
      const translated = exchangeError(wanted, target, error);
      if (translated.code === 'target.forbidden')
        log?.warn('A call was refused by the egress policy', { detail: translated.detail });
      throw translated;
    }
  }

  return { request, agents, assertAllowed: (url) => egress.assertAllowed(url) };
}

function parseTarget(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new PatchbayError('target.forbidden', {
      detail: 'The target is not a web address',
      fix: 'Use an address that starts with https:// or http://.',
    });
  }
}

function headersFor(wanted: HttpRequest): Record<string, string> {
  const headers: Record<string, string> = {
    accept: '*/*',
    'accept-encoding': 'gzip, deflate, br',
    'user-agent': 'Patchbay',
  };
  if (wanted.body !== undefined) headers['content-type'] = contentTypeOf(wanted.body);
  for (const name in wanted.headers) headers[name.toLowerCase()] = wanted.headers[name] ?? '';
  return headers;
}

function contentTypeOf(body: unknown): string {
  if (typeof body === 'string') return 'text/plain; charset=utf-8';
  return body instanceof Uint8Array ? 'application/octet-stream' : 'application/json';
}

function bodyOf(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return body;
  return JSON.stringify(body);
}

function toResponse({ status, headers, text }: Answer): HttpResponse {
  return {
    status,
    headers: plainHeaders(headers),
    text,
    // Parsed only when somebody looks: many callers are content with the status.
    get body() {
      const value = parsed(text);
      Object.defineProperty(this, 'body', { value, enumerable: true });
      return value;
    },
  };
}

function plainHeaders(headers: Answer['headers']): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) plain[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return plain;
}

function parsed(text: string): unknown {
  if (text === '') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
