import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Sink, type SinkReport } from '../../sandbox/sink.js';
import { nowMs, optionsOf, say, untilStopped } from './part-process.js';

export interface SinkState extends SinkReport {
  /** As `nowMs` tells it. */
  readonly firstAtMs: number | undefined;
  readonly lastAtMs: number | undefined;
  /** POSTs that were refused with 503. */
  readonly refused: number;
}

/** Marks of bodies (a time, a block number) with the time of their arrival, flat: mark, at, mark, at … */
export type Samples = readonly number[];

interface SinkOptions {
  /** Every so many-th POST is answered with 503 and does not count. 0: none. */
  readonly refuseEvery?: number;
  /** Requests are read and never answered. */
  readonly isSilent?: boolean;
}

interface Body {
  readonly id?: unknown;
  readonly mark?: unknown;
}

/** One of a batch that a stream delivers. */
interface StreamedEvent {
  readonly id: string;
  readonly source: string;
  readonly data: {
    readonly block?: { readonly number: number };
    readonly log?: { readonly index: number };
  };
}

const maxSamples = 200_000;
const options = optionsOf<SinkOptions>();

let sink = new Sink();
let samples: number[] = [];
let posts = 0;
let refused = 0;
let firstAtMs: number | undefined;
let lastAtMs: number | undefined;

const server = createServer((request, response) => {
  if (request.method === 'POST') return receive(request, response);
  if (request.method === 'DELETE') reset();
  if (request.url === '/samples') return answer(response, 200, samples);
  const state: SinkState = { ...sink.report(), firstAtMs, lastAtMs, refused };
  answer(response, 200, state);
});
server.keepAliveTimeout = 65_000;
server.listen(0, '127.0.0.1', () => say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
await untilStopped();
process.exit(0);

function receive(request: IncomingMessage, response: ServerResponse): void {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (text += chunk));
  request.on('end', () => {
    if (options.isSilent === true) return;
    posts += 1;
    if (options.refuseEvery && posts % options.refuseEvery === 0) {
      refused += 1;
      return answer(response, 503, { status: 'refused' });
    }
    const body = JSON.parse(text) as Body | readonly StreamedEvent[];
    if (!Array.isArray(body)) take(request.headers['idempotency-key'], body as Body);
    else for (const event of body as readonly StreamedEvent[]) takeStreamed(request.headers['webhook-id'], event);
    answer(response, 200, { status: 'taken' });
  });
}

function take(key: string | string[] | undefined, body: Body): void {
  const now = nowMs();
  const isNew = sink.take(typeof key === 'string' ? key : undefined, body, now);
  if (!isNew) return;
  firstAtMs ??= now;
  lastAtMs = now;
  if (body.mark !== undefined && samples.length < 2 * maxSamples) samples.push(Number(body.mark), now);
}

/** A batch that comes again under its id is dropped; its events in another batch are not. All of them have one order. */
function takeStreamed(batch: string | string[] | undefined, { id, source, data }: StreamedEvent): void {
  const seq = (data.block?.number ?? 0) * 100_000 + (data.log?.index ?? 0);
  const body: Body & { readonly key: string; readonly seq: number } = { id, key: source, seq };
  take(`${String(batch)} ${id}`, body);
}

function reset(): void {
  sink = new Sink();
  samples = [];
  posts = refused = 0;
  firstAtMs = lastAtMs = undefined;
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  const json = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) });
  response.end(json);
}
