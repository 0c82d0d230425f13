import { PatchbayError, type HttpClient } from '#sdk';
import type { Session } from './salesforce.login.js';

/** What the streaming endpoint sends: answers on `/meta/…`, events on any other channel. */
export interface BayeuxMessage {
  readonly channel: string;
  readonly clientId?: string;
  readonly subscription?: string;
  readonly successful?: boolean;
  readonly error?: string;
  readonly advice?: {
    readonly reconnect?: 'retry' | 'handshake' | 'none';
    readonly interval?: number;
    readonly timeout?: number;
  };
  readonly ext?: { readonly sfdc?: { readonly failureReason?: string } };
  readonly data?: unknown;
}

export interface BayeuxOptions {
  readonly http: HttpClient;
  readonly session: Session;
  readonly apiVersion: string;
}

const shortTimeoutMs = 20_000;
const maxAnswerBytes = 16 * 1024 * 1024;

/**
 * One client of the streaming endpoint, from handshake to the first thing that goes wrong: it is never mended, a new one
 * takes its place. An exchange that got no usable answer is thrown; what the server refuses is returned.
 */
export class BayeuxClient {
  readonly #options: BayeuxOptions;
  readonly #cookies = new Map<string, string>();
  #clientId = '';
  #nextId = 1;
  #hasPolled = false;
  /** How long the server waits for events before it answers a poll. */
  pollMs = 110_000;
  /** The clock of the org, as of its last answer. */
  serverTime = 0;

  constructor(options: BayeuxOptions) {
    this.#options = options;
  }

  async handshake(signal: AbortSignal): Promise<BayeuxMessage> {
    const message = {
      version: '1.0',
      minimumVersion: '1.0',
      supportedConnectionTypes: ['long-polling'],
      ext: { replay: true },
    };
    const answer = await this.#ask('/meta/handshake', message, signal);
    this.#clientId = answer.clientId ?? '';
    return answer;
  }

  /** Polls once; events come before the answer to the poll itself. */
  async connect(graceMs: number, signal: AbortSignal): Promise<readonly BayeuxMessage[]> {
    const message = { clientId: this.#clientId, connectionType: 'long-polling' };
    // The first poll is answered at once.
    const waitMs = this.#hasPolled ? this.pollMs : 0;
    const answers = await this.#post('/meta/connect', message, signal, waitMs + graceMs);
    this.#hasPolled = true;
    for (const { advice } of answers) this.pollMs = advice?.timeout ?? this.pollMs;
    return answers;
  }

  subscribe(channel: string, replayId: number, signal: AbortSignal): Promise<BayeuxMessage> {
    const ext = { replay: { [channel]: replayId } };
    return this.#ask('/meta/subscribe', { clientId: this.#clientId, subscription: channel, ext }, signal);
  }

  unsubscribe(channel: string, signal: AbortSignal): Promise<BayeuxMessage> {
    return this.#ask('/meta/unsubscribe', { clientId: this.#clientId, subscription: channel }, signal);
  }

  /** Frees the seat: an org has few of them. */
  disconnect(signal: AbortSignal): Promise<BayeuxMessage> {
    return this.#ask('/meta/disconnect', { clientId: this.#clientId }, signal);
  }

  async #ask(channel: string, message: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<BayeuxMessage> {
    const answers = await this.#post(channel, message, signal, shortTimeoutMs);
    const answer = answers.find((candidate) => candidate.channel === channel);
    if (answer === undefined) throw unreadable(channel, 'there is no answer in it');
    return answer;
  }

  async #post(
    channel: string,
    message: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<readonly BayeuxMessage[]> {
    const { http, session, apiVersion } = this.#options;
    const { status, headers, body } = await http.request({
      method: 'POST',
      url: `${session.instanceUrl}/cometd/${apiVersion}`,
      headers: {
        authorization: `Bearer ${session.accessToken}`,
        // Without its cookies a client is sent to a server that does not know it.
        ...(this.#cookies.size === 0 ? {} : { cookie: [...this.#cookies].map((pair) => pair.join('=')).join('; ') }),
      },
      body: [{ channel, id: String(this.#nextId++), ...message }],
      signal,
      timeoutMs,
      maxBytes: maxAnswerBytes,
      accept: () => true,
    });
    const serverTime = Date.parse(headers['date'] ?? '');
    this.serverTime = Number.isNaN(serverTime) ? Date.now() : serverTime;
    this.#keepCookies(headers['set-cookie'] ?? '');
    if (isMessages(body)) return body;
    if (status === 401) return [{ channel, successful: false, error: '401::Authentication invalid' }];
    if (status === 429 || status >= 500)
      throw new PatchbayError('salesforce.unavailable', { detail: `The stream of Salesforce answered ${status}` });
    throw unreadable(channel, `status ${status}`);
  }

  #keepCookies(header: string): void {
    // Several cookies arrive as one text; a comma inside a date is followed by a blank and no name.
    for (const cookie of header.split(/,\s*(?=[^\s;,=]+=)/)) {
      const [, name, value = ''] = /^\s*([^\s;,=]+)=([^;]*)/.exec(cookie) ?? [];
      if (name !== undefined) this.#cookies.set(name, value);
    }
  }
}

function isMessages(body: unknown): body is BayeuxMessage[] {
  return (
    Array.isArray(body) &&
    body.every((message) => typeof message === 'object' && message !== null && 'channel' in message)
  );
}

function unreadable(channel: string, why: string): PatchbayError {
  return new PatchbayError('http.unreadable', {
    detail: `The answer of Salesforce on ${channel} cannot be read: ${why}`,
  });
}
