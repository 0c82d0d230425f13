import { parse } from 'lossless-json';
import { PatchbayError, exactNumber, type HttpResponse } from '#sdk';
import { findAt, type JsonPath } from './json-path.js';

/** What an external adapter said. */
export type AdapterReply =
  | { readonly kind: 'pending' }
  | { readonly kind: 'answered'; readonly result: unknown; readonly data: Readonly<Record<string, unknown>> };

export interface ReadReplyOptions {
  /** Names of an adapter and what was asked of it, for errors. */
  readonly adapter: string;
  /** Where the result is. Default: `data,result`, else `result`. */
  readonly path: JsonPath | undefined;
}

/**
 * Reads the reply as nodes do where they agree that it is an error, and stricter where they take nothing for an answer: a
 * status other than 200 without an error object, an error beside HTTP 200, a result that is null.
 *
 * @throws oracle.adapter when trying again may help, http.rejected when it cannot, connection.unauthorised
 */
export function readReply(response: HttpResponse, options: ReadReplyOptions): AdapterReply {
  const { status } = response;
  const body = documentOf(response.text);
  if (status === 401 || status === 403)
    throw new PatchbayError('connection.unauthorised', problem(options, status, body));
  if (status >= 400) throw failure(status, options, body);
  if (status !== 200) {
    throw failed(options, `it answered ${status}, which nodes take for an answer that is null`, 'It must answer 200.');
  }
  if (body === undefined) throw failed(options, `it answered no JSON object: ${excerpt(response.text)}`);
  if (isPending(response, body)) return { kind: 'pending' };
  return answered(body, options);
}

/** The same for what an adapter sends later. */
export function readLaterAnswer(value: unknown, options: ReadReplyOptions): AdapterReply & { kind: 'answered' } {
  // Adapters send the result alone, or all that they would have answered at once.
  return answered(isRecord(value) ? value : { result: value }, options);
}

function answered(
  body: Readonly<Record<string, unknown>>,
  options: ReadReplyOptions,
): AdapterReply & { kind: 'answered' } {
  const own = Number(body['statusCode'] ?? 200);
  if (own !== 200) throw failure(own, options, body);
  const provider = Number(body['providerStatusCode'] ?? 200);
  if (provider !== 200) throw failed(options, `its provider answered ${provider}: ${reasonOf(body)}`);
  if (isGiven(body['error']) || body['status'] === 'errored' || isGiven(body['errorMessage'])) {
    throw failed(options, reasonOf(body));
  }
  const data = isRecord(body['data']) ? body['data'] : {};
  const result = options.path === undefined ? (data['result'] ?? body['result']) : valueAt(body, options.path);
  if (isNothing(result)) {
    const where = options.path === undefined ? 'data.result or result' : options.path.join('.');
    throw failed(
      options,
      `it gave no ${where}`,
      'Look at what it answers, and give path where the result is elsewhere.',
    );
  }
  return { kind: 'answered', result, data };
}

/** Statuses by which the other side says that the same request cannot succeed. */
function failure(
  status: number,
  options: ReadReplyOptions,
  body: Readonly<Record<string, unknown>> = {},
): PatchbayError {
  const isOurs = status >= 400 && status < 500 && ![408, 425, 429].includes(status);
  return new PatchbayError(isOurs ? 'http.rejected' : 'oracle.adapter', problem(options, status, body));
}

function problem({ adapter }: ReadReplyOptions, status: number, body: Readonly<Record<string, unknown>> = {}) {
  return { detail: `The adapter ${adapter} failed with ${status}: ${reasonOf(body)}` };
}

function failed({ adapter }: ReadReplyOptions, why: string, fix?: string): PatchbayError {
  return new PatchbayError('oracle.adapter', {
    detail: `The adapter ${adapter} cannot be used: ${why}.`,
    ...(fix !== undefined && { fix }),
  });
}

/** In any of the styles of adapters. */
function reasonOf({ error, errorMessage }: Readonly<Record<string, unknown>>): string {
  const said = isRecord(error) ? (error['message'] ?? error['name']) : (error ?? errorMessage);
  return typeof said === 'string' && said !== '' ? excerpt(said) : 'it does not say why';
}

function isPending({ headers }: HttpResponse, body: Readonly<Record<string, unknown>>): boolean {
  return body['pending'] === true || isGiven(headers['x-chainlink-pending']);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== false;
}

function isNothing(value: unknown): boolean {
  if (typeof value === 'string') return /^\s*(null|undefined|nan)?\s*$/i.test(value);
  return value === undefined || value === null;
}

function valueAt(body: unknown, path: JsonPath): unknown {
  const found = findAt(body, path);
  return 'value' in found ? found.value : undefined;
}

const exactly = {
  parseNumber: exactNumber,
  onDuplicateKey: ({ newValue }: { readonly newValue: unknown }) => newValue,
};

function documentOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const document = parse(text.replace(/^\uFEFF/, ''), null, exactly);
    return isRecord(document) ? document : undefined;
  } catch {
    // Whatever else it is, a page for people as a rule.
    return undefined;
  }
}

function excerpt(text: string): string {
  const line = text
    .slice(0, 1_000)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
