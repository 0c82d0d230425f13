import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../server.js';
import { RestError } from './rest-error.js';

const maxBodyBytes = 150 * 1024 * 1024;

/** What was asked of the stand-in, for tests and the console. */
export interface ReceivedCall {
  readonly at: string;
  readonly method: string;
  /** As it was sent, undecoded. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Absent while unanswered, and when the connection was cut. */
  status?: number;
}

/** One HTTP request and where its answer goes. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly rawBody: Buffer;
}

export function readRawBody(request: IncomingMessage): Promise<Buffer> {
  const tooLong = () => new RestError(413, 'REQUEST_TOO_LARGE', 'The request body is too large');
  return readBody(request, maxBodyBytes, tooLong);
}

export function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new RestError(400, 'JSON_PARSER_ERROR', 'Unexpected character in the request body');
  }
}

export function singleHeaders(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]));
}

/** The fields of a row that came with a file in several parts, the file in base64. */
export function parseMultipart(rawBody: Buffer, contentType: string): Record<string, unknown> {
  const [, boundary = ''] = /boundary="?([^";]+)"?/.exec(contentType) ?? [];
  // One byte is one letter in this encoding, so a file survives being cut out of the text.
  const parts = rawBody.toString('latin1').split(`--${boundary}`).slice(1, -1);
  const fields: Record<string, unknown> = {};
  for (const part of parts) {
    const end = part.indexOf('\r\n\r\n');
    const head = part.slice(0, end);
    const content = part.slice(end + 4, -2);
    const [, name = ''] = /name="([^"]+)"/.exec(head) ?? [];
    if (/content-type:\s*application\/json/i.test(head)) {
      Object.assign(fields, parseBody(Buffer.from(content, 'latin1').toString('utf8')));
    } else fields[name] = Buffer.from(content, 'latin1').toString('base64');
  }
  return fields;
}
