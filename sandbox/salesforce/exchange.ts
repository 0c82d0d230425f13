import type { IncomingMessage, ServerResponse } from 'node:http';
import { RestError } from './rest-error.js';

const maxBodyBytes = 6 * 1024 * 1024;

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
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new RestError(413, 'REQUEST_TOO_LARGE', 'The request body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
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
