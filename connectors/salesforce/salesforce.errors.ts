import { PatchbayError, type ErrorCode } from '#sdk';

const secondMs = 1_000;
const minuteMs = 60_000;

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
  STRING_TOO_LONG: 'Shorten the value or lengthen the field.',
  INVALID_FIELD: 'Check the spelling of the field, with its __c, and that the run-as user may see it.',
  INVALID_TYPE: 'Check the spelling of the object, with its __c, and that the run-as user may see it.',
  INSUFFICIENT_ACCESS_OR_READONLY: 'Give the run-as user a permission set that may edit this.',
  DUPLICATES_DETECTED: 'A duplicate rule of the org stopped the record: match on its external id, or change the rule.',
  MULTIPLE_CHOICES: 'Several records hold this value: make the external id field unique.',
  UNSUPPORTED_API_VERSION: 'Set apiVersion of the connection to a version the org offers.',
};

interface RowError {
  readonly errorCode?: unknown;
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
  const code = classOfCode.get(theirs) ?? codeOfStatus(status);
  const fix = fixes[theirs];
  return new PatchbayError(code, {
    detail: `${action}: ${describe(error, theirs)}`,
    ...(fix === undefined ? {} : { fix }),
    ...(code === 'salesforce.limit' ? { retryAfterMs: limitWaitMs(error.message) } : {}),
    cause: error,
  });
}

function codeOfStatus(status: number | undefined): ErrorCode {
  if (status === undefined || status >= 500) return 'salesforce.unavailable';
  if (status === 401) return 'connection.unauthorised';
  return status === 403 ? 'salesforce.configuration' : 'salesforce.data';
}

function describe(error: Error, theirs: string): string {
  const rows = rowErrors(error);
  if (rows.length === 0) return `${theirs}: ${error.message.split('\n')[0] ?? ''}`;
  return rows
    .map(({ errorCode, message, fields }) => {
      const names = Array.isArray(fields) && fields.length > 0 ? ` (${fields.join(', ')})` : '';
      return `${String(errorCode ?? theirs)}: ${String(message)}${names}`;
    })
    .join('; ');
}

function rowErrors(error: Error): readonly RowError[] {
  const data = 'data' in error ? error.data : undefined;
  return [data].flat().filter((row): row is RowError => typeof row === 'object' && row !== null && 'errorCode' in row);
}

// The daily quota is a rolling window: it frees itself slowly. Concurrent calls end within seconds.
function limitWaitMs(message: string): number {
  return /concurrent/i.test(message) ? 5 * secondMs : 15 * minuteMs;
}
