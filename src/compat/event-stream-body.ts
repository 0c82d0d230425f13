import { checked } from '#gateway';
import { PatchbayError, z } from '#sdk';

/** What old clients call an event stream, in one form for both dialects. */
export interface OldStream {
  readonly name: string;
  readonly type: 'webhook' | 'websocket';
  /** How its batches look. */
  readonly format: 'ethconnect' | 'firefly';
  readonly batchSize: number;
  readonly batchTimeoutMs: number;
  readonly errorHandling: 'skip' | 'block';
  readonly retryTimeoutMs: number;
  readonly blockedRetryDelayMs: number;
  readonly webhook?: { readonly url: string; readonly requestTimeoutMs: number };
  /** Clients listen by it. */
  readonly topic?: string;
  readonly isBroadcast: boolean;
  readonly timestamps: boolean;
  readonly inputs: boolean;
  readonly isSuspended: boolean;
  readonly network?: string;
}

/** Of a webhook. */
export type OldHeaders = Readonly<Record<string, string>>;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds, or a text such as `1m30s`. */
const goDuration = z.union([z.number().min(0), z.string()]).transform((given, context) => {
  const text = String(given);
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text));
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text) {
    return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0));
  }
  context.addIssue('must be milliseconds, or a duration such as 1m30s');
  return z.NEVER;
});
const seconds = z.number().min(0).max(31_536_000);

const body = z
  .looseObject({
    name: z.string().max(200),
    type: z.enum(['webhook', 'websocket']),
    format: z.enum(['ethconnect', 'firefly']),
    batchSize: z.number().int().min(1).max(1_000),
    batchTimeoutMS: z.number().min(0).max(86_400_000),
    batchTimeout: goDuration,
    errorHandling: z.enum(['skip', 'block']),
    retryTimeoutSec: seconds,
    retryTimeout: goDuration,
    blockedRetryDelaySec: seconds,
    blockedReryDelaySec: seconds,
    blockedRetryDelay: goDuration,
    webhook: z
      .looseObject({
        url: z.url({ protocol: /^https?$/ }),
        headers: z.record(z.string(), z.string()),
        tlsSkipHostVerify: z.boolean(),
        tlsSkipHostVerity: z.boolean(),
        requestTimeoutSec: z.number().min(0).max(3_600),
        requestTimeout: goDuration,
      })
      .partial(),
    websocket: z
      .looseObject({
        topic: z.string().max(200),
        distributionMode: z.enum(['workloadDistribution', 'load_balance', 'broadcast']).or(z.literal('')),
      })
      .partial(),
    timestamps: z.boolean(),
    inputs: z.boolean(),
    suspended: z.boolean(),
    network: z.string(),
  })
  .partial();
type Body = z.output<typeof body>;

const usual = {
  ethconnect: { batchSize: 1, errorHandling: 'skip', retryTimeoutMs: 0, requestTimeoutMs: 120_000 },
  firefly: { batchSize: 50, errorHandling: 'block', retryTimeoutMs: 30_000, requestTimeoutMs: 30_000 },
} as const;

/**
 * A stream from what was sent; what is not mentioned stays as it was.
 *
 * @throws request.invalid
 */
export function readStream(
  given: unknown,
  before?: { readonly stream: OldStream; readonly headers: OldHeaders },
): { readonly stream: OldStream; readonly headers: OldHeaders } {
  const wish = checked(body, given);
  const type = wish.type ?? before?.stream.type;
  if (type === undefined) throw invalid('#/type', 'It is missing: webhook or websocket');
  if (before && type !== before.stream.type) throw invalid('#/type', 'It cannot change; create another stream');
  if (wish.webhook?.tlsSkipHostVerify === true || wish.webhook?.tlsSkipHostVerity === true) {
    throw invalid('#/webhook/tlsSkipHostVerify', 'Certificates are always verified; trust the authority instead');
  }
  const format = wish.format ?? before?.stream.format ?? dialectOf(wish);
  const defaults = usual[format];
  const { stream } = before ?? {};
  const url = wish.webhook?.url ?? stream?.webhook?.url;
  if (type === 'webhook' && url === undefined) throw invalid('#/webhook/url', 'It is missing');
  const topic = wish.websocket?.topic ?? stream?.topic;
  const mode = wish.websocket?.distributionMode;
  const network = wish.network ?? stream?.network;
  return {
    stream: {
      name: wish.name ?? stream?.name ?? '',
      type,
      format,
      batchSize: wish.batchSize ?? stream?.batchSize ?? defaults.batchSize,
      batchTimeoutMs: wish.batchTimeout ?? wish.batchTimeoutMS ?? stream?.batchTimeoutMs ?? 5_000,
      errorHandling: wish.errorHandling ?? stream?.errorHandling ?? defaults.errorHandling,
      retryTimeoutMs:
        wish.retryTimeout ?? ms(wish.retryTimeoutSec) ?? stream?.retryTimeoutMs ?? defaults.retryTimeoutMs,
      blockedRetryDelayMs:
        wish.blockedRetryDelay ??
        ms(wish.blockedRetryDelaySec ?? wish.blockedReryDelaySec) ??
        stream?.blockedRetryDelayMs ??
        30_000,
      ...(type === 'webhook' &&
        url !== undefined && { webhook: { url, requestTimeoutMs: timeoutOf(wish, stream, defaults) } }),
      ...(type === 'websocket' && topic !== undefined && topic !== '' && { topic }),
      isBroadcast: mode === undefined || mode === '' ? (stream?.isBroadcast ?? false) : mode === 'broadcast',
      timestamps: wish.timestamps ?? stream?.timestamps ?? format === 'firefly',
      inputs: wish.inputs ?? stream?.inputs ?? false,
      isSuspended: wish.suspended ?? stream?.isSuspended ?? false,
      ...(network !== undefined && { network }),
    },
    headers: keepHidden(wish.webhook?.headers, before?.headers ?? {}),
  };
}

export const hidden = '***';

function keepHidden(wish: OldHeaders | undefined, before: OldHeaders): OldHeaders {
  if (wish === undefined) return before;
  return Object.fromEntries(
    Object.entries(wish).map(([name, value]) => [name, value === hidden ? (before[name] ?? value) : value]),
  );
}

/** Who uses a word that only FireFly has, reads its events as well. */
function dialectOf({ batchTimeout, retryTimeout, blockedRetryDelay, webhook, websocket }: Body): OldStream['format'] {
  const words = [batchTimeout, retryTimeout, blockedRetryDelay, webhook?.requestTimeout];
  const isFirefly = words.some((word) => word !== undefined) || websocket?.distributionMode === 'load_balance';
  return isFirefly ? 'firefly' : 'ethconnect';
}

function timeoutOf({ webhook }: Body, stream: OldStream | undefined, defaults: { requestTimeoutMs: number }): number {
  const given = webhook?.requestTimeout ?? ms(webhook?.requestTimeoutSec);
  if (given !== undefined && given > 0) return given;
  return stream?.webhook?.requestTimeoutMs ?? defaults.requestTimeoutMs;
}

function ms(given: number | undefined): number | undefined {
  return given === undefined ? undefined : Math.round(given * 1_000);
}

function invalid(pointer: string, detail: string): PatchbayError {
  return new PatchbayError('request.invalid', {
    detail: `${pointer.slice(2)}: ${detail}`,
    faults: [{ pointer, detail }],
  });
}
