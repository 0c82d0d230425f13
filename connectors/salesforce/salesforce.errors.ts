import { PatchbayError, type ErrorCode } from '#sdk';

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const codesByClass: Partial<Record<ErrorCode, readonly string[]>> = {
  'connection.unauthorised': ['INVALID_SESSION_ID', 'INVALID_AUTH_HEADER', 'ERROR_HTTP_401'],
  'salesforce.locked': ['UNABLE_TO_LOCK_ROW'],
  'salesforce.limit': ['REQUEST_LIMIT_EXCEEDED', 'LIMIT_EXCEEDED', 'ERROR_HTTP_420', 'ERROR_HTTP_429'],
  'salesforce.unavailable': [
    'SERVER_UNAVAILABLE',
    'UNKNOWN_EXCEPTION',
    'QUERY_TIMEOUT',
    'TXN_SECURITY_RUNTIME_ERROR',
    'PLATFORM_EVENT_PUBLISHING_UNAVAILABLE',
  ],
  'salesforce.policy': ['DUPLICATES_DETECTED', 'MULTIPLE_CHOICES', 'ERROR_HTTP_300'],
  'salesforce.notFound': ['NOT_FOUND', 'ENTITY_IS_DELETED', 'ERROR_HTTP_404'],
  'salesforce.configuration': [
    'INVALID_FIELD',
    'INVALID_TYPE',
    'INVALID_FIELD_FOR_INSERT_UPDATE',
    'INSUFFICIENT_ACCESS_OR_READONLY',
    'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
    'MALFORMED_QUERY',
    'API_DISABLED_FOR_ORG',
    'API_CURRENTLY_DISABLED',
    'UNSUPPORTED_API_VERSION',
    'ERROR_HTTP_403',
    'ERROR_HTTP_410',
  ],
};

const classOfCode = new Map(
  Object.entries(codesByClass).flatMap(([ours, theirs]) => theirs.map((code) => [code, ours as ErrorCode] as const)),
);

const fixes: Readonly<Record<string, string>> = {
  REQUIRED_FIELD_MISSING: 'Give every required field, or match a record that exists.',
  NUMBER_OUTSIDE_VALID_RANGE:
    'A number field holds 18 digits: keep an amount in wei in a text field, or format it in tokens.',
  INVALID_FIELD: 'Check the spelling of the field, with its __c, and that the run-as user may see it.',
  INVALID_TYPE: 'Check the spelling of the object, with its __c, and that the run-as user may see it.',
  INSUFFICIENT_ACCESS_OR_READONLY: 'Give the run-as user a permission set that may edit this.',
  DUPLICATES_DETECTED:
    'A duplicate rule of the org stopped the record: match on its external id, change the rule, or set allowDuplicates.',
  STRING_TOO_LONG: 'Make the text field longer: 42 characters hold an address, 66 a hash, 78 an amount in wei.',
  DUPLICATE_VALUE: 'Another record holds this value already: upsert by it, or give matchOn.',
  MULTIPLE_CHOICES: 'Several records hold this value: make the external id field unique.',
  UNSUPPORTED_API_VERSION: 'Set apiVersion of the connection to a version the org offers.',
};

/** One error of an answer. Rows of a collection say `statusCode` where single calls say `errorCode`. */
export interface RowError {
  readonly errorCode?: unknown;
  readonly statusCode?: unknown;
  readonly message?: unknown;
  readonly fields?: unknown;
}

/** The name Salesforce gave the error that jsforce threw; undefined when it did not come from Salesforce. */
export function salesforceCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errorCode' in error) || typeof error.errorCode !== 'string') return undefined;
  if (error.errorCode !== 'MULTIPLE_API_ERRORS') return error.errorCode;
  const [first] = rowErrors(error);
  return String(first?.errorCode ?? error.errorCode);
}

/** What jsforce threw, as one of our errors; `status` is the HTTP status of the answer, which jsforce does not keep. */
export function translateError(error: unknown, action: string, status: number | undefined): unknown {
  const theirs = salesforceCodeOf(error);
  if (theirs === undefined || !(error instanceof Error)) return error;
  const rows = rowErrors(error);
  const plain = [{ errorCode: theirs, message: error.message.split('\n')[0] }];
  return refusal(rows.length === 0 ? plain : rows, { action, status, cause: error });
}

/** What Salesforce said of a call or of one row of it, as one of our errors, whose code is the class of theirs. */
export function refusal(
  rows: readonly RowError[],
  {
    action,
    status,
    cause,
  }: { readonly action: string; readonly status?: number | undefined; readonly cause?: unknown },
): PatchbayError {
  const theirs = codeOfRow(rows[0]);
  const code = classOfCode.get(theirs) ?? codeOfStatus(status);
  const fix = fixes[theirs];
  const text = rows.map((row) => `${codeOfRow(row)}: ${String(row.message)}${fieldsOf(row)}`).join('; ');
  return new PatchbayError(code, {
    detail: `${action}: ${text}`,
    ...(fix === undefined ? {} : { fix }),
    ...(code === 'salesforce.limit' ? { retryAfterMs: limitWaitMs(theirs, text) } : {}),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The name Salesforce gave an error of an answer. */
export function codeOfRow(row: RowError | undefined): string {
  return String(row?.errorCode ?? row?.statusCode ?? 'UNKNOWN_EXCEPTION');
}

/**
 * Whether the call may have been carried out although no answer says so: it was sent, and then the line, the clock or a
 * gateway in between gave up. What Salesforce itself refused was not carried out.
 */
export function isAnswerLost(error: unknown): boolean {
  if (!(error instanceof PatchbayError)) return false;
  if (error.code === 'connection.timeout' || error.code === 'http.unreadable') return true;
  if (error.code === 'connection.refused') return !neverSent.test(error.detail);
  return error.code === 'salesforce.unavailable' && /ERROR_HTTP_50[024]/.test(error.detail);
}

const neverSent = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|cannot be resolved/;

function codeOfStatus(status: number | undefined): ErrorCode {
  if (status === undefined || status < 300) return 'salesforce.data';
  if (status >= 500) return 'salesforce.unavailable';
  if (status === 401) return 'connection.unauthorised';
  return status === 403 ? 'salesforce.configuration' : 'salesforce.data';
}

function fieldsOf({ fields }: RowError): string {
  return Array.isArray(fields) && fields.length > 0 ? ` (${fields.join(', ')})` : '';
}

function rowErrors(error: Error): readonly RowError[] {
  const data = 'data' in error ? error.data : undefined;
  return [data].flat().filter((row): row is RowError => typeof row === 'object' && row !== null && 'errorCode' in row);
}

// The daily quota is a rolling window: it frees itself slowly. Concurrent calls end within seconds, and what may be
// published is counted by the hour.
function limitWaitMs(theirs: string, message: string): number {
  if (/concurrent/i.test(message)) return 5 * secondMs;
  if (theirs === 'LIMIT_EXCEEDED') return hourMs - (Date.now() % hourMs);
  return theirs.startsWith('ERROR_HTTP_4') ? 30 * secondMs : 15 * minuteMs;
}
