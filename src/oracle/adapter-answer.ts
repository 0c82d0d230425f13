import { explanationOf } from '#platform';
import { PatchbayError, isReadExactly } from '#sdk';

/** As nodes and other callers of external adapters read it, in both of the customary styles. */
export interface AdapterAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export const pendingAnswer: AdapterAnswer = { status: 200, body: { pending: true } };

/**
 * What a flow said. Numbers that others may not read exactly become text.
 *
 * @throws oracle.adapter when it is not there: nobody may take nothing for an answer
 */
export function successOf(said: unknown, jobRunId: string | undefined): AdapterAnswer {
  const { result, data } = (isRecord(said) ? said : {}) as { readonly result?: unknown; readonly data?: unknown };
  if (result === undefined || result === null) {
    throw new PatchbayError('oracle.adapter', {
      detail: 'The run ended without an answer.',
      fix: 'Let every way through the flow end with a step oracle.answer.',
    });
  }
  const exactResult = exact(result);
  return {
    status: 200,
    body: {
      ...(jobRunId !== undefined && { jobRunID: jobRunId }),
      data: { ...(isRecord(data) && exactRecord(data)), result: exactResult },
      result: exactResult,
      statusCode: 200,
    },
  };
}

/** HTTP status 400 or higher and an error that is an object: anything less, nodes take for an answer that is null. */
export function failureOf(error: PatchbayError, jobRunId: string | undefined): AdapterAnswer {
  const status = error.status >= 400 ? error.status : 502;
  const { code, fix } = error;
  return {
    status,
    body: {
      ...(jobRunId !== undefined && { jobRunID: jobRunId }),
      status: 'errored',
      statusCode: status,
      error: { name: 'AdapterError', message: messageOf(error), code, ...(fix !== undefined && { fix }) },
    },
  };
}

/** What happened and what to do, in one text: callers show nothing else. */
export function messageOf(error: PatchbayError): string {
  // What is not known may quote anything; the log has it.
  return error.code === 'internal' ? error.title : explanationOf(error);
}

function exact(value: unknown): unknown {
  if (typeof value === 'number') return textUnlessExact(value);
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(exact);
  if (!isRecord(value)) return value;
  return exactRecord(value);
}

function exactRecord(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, exact(inner)]));
}

function textUnlessExact(value: number): number | string {
  // From 1e21 on a number is printed with an exponent, which hides its digits.
  if (isReadExactly(String(value)) && Math.abs(value) < 1e15) return value;
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
