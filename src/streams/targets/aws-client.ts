import { PatchbayError, type HttpClient, type HttpRequest, type HttpResponse } from '#sdk';
import type { KinesisSettings, LambdaSettings } from './aws-settings.js';

/** What an SDK client is made with, so that it goes out through the hub's one way out and never repeats by itself. */
export function awsClientConfig(settings: LambdaSettings | KinesisSettings, http: HttpClient) {
  const { region, endpoint, credentials, timeout } = settings;
  return {
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && {
      credentials: {
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: credentials.secretAccessKey.reveal(),
        ...(credentials.sessionToken !== undefined && { sessionToken: credentials.sessionToken.reveal() }),
      },
    }),
    // The stream tries again, and remembers that it did.
    maxAttempts: 1,
    requestHandler: new GuardedHandler(http, timeout),
  };
}

/** The part of the SDK's signed request that goes over the wire. */
interface SignedRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const longestAnswer = 4 * 1_048_576;

/**
 * Carries the SDK's requests. The SDK's own handlers would open HTTP/2 sessions that no guard sees, and close the hub's
 * agents together with their client.
 */
class GuardedHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };

  constructor(
    private readonly http: HttpClient,
    private readonly timeoutMs: number,
  ) {}

  async handle(request: SignedRequest, options: { readonly abortSignal?: unknown } = {}) {
    const { abortSignal } = options;
    const answer = await this.http.request({
      // The SDK's methods are those of HTTP.
      method: request.method as NonNullable<HttpRequest['method']>,
      url: urlOf(request),
      headers: request.headers,
      ...(request.body !== undefined && { body: request.body }),
      ...(abortSignal instanceof AbortSignal && { signal: abortSignal }),
      timeoutMs: this.timeoutMs,
      maxBytes: longestAnswer,
      accept: () => true,
    });
    return { response: toSdkResponse(answer) };
  }

  updateHttpClientConfig(): void {
    // Nothing of it can be changed from outside.
  }

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {
    // The agents are the hub's.
  }
}

function urlOf({ protocol, hostname, port, path, query = {} }: SignedRequest): string {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`);
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value ?? ''].flat()) url.searchParams.append(name, one);
  }
  return url.href;
}

function toSdkResponse({ status, headers, text }: HttpResponse) {
  const { 'content-encoding': _decoded, ...rest } = headers;
  return { statusCode: status, headers: rest, body: Buffer.from(text) };
}

const throttles = /Throttl|TooManyRequests|ThroughputExceeded|LimitExceeded|SlowDown/;
const refusals =
  /AccessDenied|Unrecognized?Client|InvalidSignature|ExpiredToken|InvalidClientTokenId|Credentials|MissingAuthenticationToken|IncompleteSignature|NotAuthorized/;
const briefPauseMs = 1_000;

/**
 * What the SDK throws, in our words. Credentials and names can be put right while the stream waits, so only what is wrong
 * with the batch itself is not tried again.
 */
export function awsError(thrown: unknown, what: string): PatchbayError {
  if (thrown instanceof PatchbayError) return thrown;
  const { name = 'Error', message, $metadata, retryAfterSeconds } = thrown as SdkError;
  const status = $metadata?.httpStatusCode;
  const facts = { detail: `${what}: ${name}: ${message ?? String(thrown)}`, cause: thrown };
  if (status === 429 || throttles.test(name)) {
    return new PatchbayError('http.throttled', {
      ...facts,
      retryAfterMs: Number(retryAfterSeconds ?? 0) * 1_000 || briefPauseMs,
    });
  }
  if (status === 401 || status === 403 || refusals.test(name)) {
    return new PatchbayError('stream.refused', {
      ...facts,
      fix: 'Check the credentials, and what their owner may do.',
    });
  }
  if (name === 'ResourceNotFoundException') {
    return new PatchbayError('stream.refused', { ...facts, fix: 'Create it, or correct its name and region.' });
  }
  if (status === undefined) return new PatchbayError('connection.refused', facts);
  return new PatchbayError(status >= 500 || status < 400 ? 'http.failed' : 'http.rejected', facts);
}

type SdkError = Partial<Error> & {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly retryAfterSeconds?: string;
};
