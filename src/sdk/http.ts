import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text and bytes are sent as they are; anything else as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Refuses addresses inside a network also where the operator allows them. For addresses that strangers choose. */
  readonly onlyPublic?: boolean;
  /** For one whole exchange, in milliseconds. Default 15,000. */
  readonly timeoutMs?: number;
  /** Longest answer that is read, in bytes; the rest is cut off. Default 65,536. */
  readonly maxBytes?: number;
  /** Statuses that are returned rather than thrown. Default: 2xx only. */
  readonly accept?: (status: number) => boolean;
  /** Text that must not appear in errors, e.g. a key that is part of the URL. */
  readonly redact?: readonly string[];
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The parsed answer when it is JSON, else the text. */
  readonly body: unknown;
}

/**
 * The way out: keep-alive, no redirects, time-outs, and a guard that resolves the host once, refuses addresses which the
 * operator does not allow, and connects to the address it checked. Errors arrive with codes:
 * `connection.refused`, `connection.timeout`, `connection.unauthorised`, `target.forbidden`, `http.rejected`, `http.failed`, `http.throttled`.
 */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>;
  /**
   * For libraries with a transport of their own: agents that apply the same guard.
   */
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  /** @throws target.forbidden when the address may not be called from this hub */
  assertAllowed(url: string): Promise<void>;
}
