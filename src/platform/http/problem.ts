import { PatchbayError, errorCodes, type ContractError, type ErrorCode, type Fault } from '#sdk';

/** RFC 9457, with our code, the request it belongs to, and what to do about it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ErrorCode;
  readonly requestId: string;
  readonly fix?: string;
  readonly errors?: readonly Fault[];
  /** What a contract refused with. */
  readonly error?: ContractError;
}

export interface ProblemReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

/** What happened and what to do about it, for those who are shown one text. */
export function explanationOf({ detail, fix }: { readonly detail: string; readonly fix?: string | undefined }): string {
  return fix === undefined ? detail : `${detail.replace(/[.:]?$/, '.')} ${fix}`;
}

/** How errors look below one address where somebody else's protocol says so. */
export interface ErrorShape {
  /** Begins with a slash, has none at its end. */
  readonly prefix: string;
  readonly replyOf: (error: PatchbayError) => { readonly status: number; readonly body?: unknown };
}

export interface ProblemPlace {
  readonly publicUrl: string;
  readonly requestId: string;
  /** As asked for, query included; only its path is shown. */
  readonly url: string;
}

/** What of Nest's and Fastify's own errors is known to be the caller's doing, by status. */
const codeByStatus: Readonly<Partial<Record<number, ErrorCode>>> = {
  404: 'request.notFound',
  405: 'request.notFound',
  409: 'request.conflict',
  413: 'request.tooLarge',
  415: 'request.unsupportedType',
};

export function problemReply(error: PatchbayError, { publicUrl, requestId, url }: ProblemPlace): ProblemReply {
  // What is not known may quote anything; the log has it, under the request id.
  const isInternal = error.code === 'internal';
  const body: Problem = {
    type: `${publicUrl}/errors/${error.code}`,
    title: error.title,
    status: error.status,
    detail: isInternal ? errorCodes.internal.title : error.detail,
    instance: url.split('?', 1)[0] ?? '/',
    code: error.code,
    requestId,
    ...(error.fix !== undefined && !isInternal && { fix: error.fix }),
    ...(error.faults.length > 0 && { errors: error.faults }),
    ...(error.contractError !== undefined && { error: error.contractError }),
  };
  const headers: Record<string, string> = { 'content-type': 'application/problem+json; charset=utf-8' };
  if (error.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000));
  if (error.status === 401) headers['www-authenticate'] = 'Bearer realm="patchbay"';
  return { status: error.status, headers, body };
}

/** In the shape that the address demands; as a problem where none does. */
export function errorReply(
  error: PatchbayError,
  place: ProblemPlace,
  shapes: readonly ErrorShape[],
): { readonly status: number; readonly headers: ProblemReply['headers']; readonly body: unknown } {
  const path = place.url.split('?', 1)[0] ?? '';
  const shape = shapes.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
  if (shape === undefined) return problemReply(error, place);
  const { status, body } = shape.replyOf(error);
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body };
}

/** Errors of the frameworks as ours; they tell the caller's faults by a status below 500. */
export function toPatchbayError(thrown: unknown): PatchbayError {
  if (thrown instanceof PatchbayError) return thrown;
  const status = statusOf(thrown);
  if (status === undefined || status < 400 || status >= 500) return PatchbayError.from(thrown);
  const code = codeByStatus[status] ?? 'request.invalid';
  const { message } = thrown as Error;
  return new PatchbayError(code, {
    detail: code === 'request.notFound' ? errorCodes[code].title : message,
    cause: thrown,
  });
}

function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { statusCode, getStatus } = thrown as Error & { statusCode?: unknown; getStatus?: () => number };
  if (typeof getStatus === 'function') return getStatus.call(thrown);
  return typeof statusCode === 'number' ? statusCode : undefined;
}
