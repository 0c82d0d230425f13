import type { IncomingMessage, ServerResponse } from 'node:http';
import { KeySet } from './key-set.js';

export interface SinkReport {
  /** Every POST. */
  readonly received: number;
  /** Different idempotency keys: what a receiver that drops repeats has let through. */
  readonly distinct: number;
  /** POSTs that such a receiver drops. */
  readonly repeated: number;
  /** Different `id` of bodies. */
  readonly distinctIds: number;
  /** Let through although the body's `id` had been let through before: the same effect under a second key. */
  readonly doubledEffects: number;
  /** Let through with a `seq` that is not above the last one of the same `key`. */
  readonly orderViolations: number;
  /** The first hundred keys with such a fault. */
  readonly violationsByKey: Readonly<Record<string, number>>;
  readonly firstAt: string | undefined;
  readonly lastAt: string | undefined;
}

interface Delivery {
  readonly id?: unknown;
  readonly key?: unknown;
  readonly seq?: unknown;
}

const reportedKeys = 100;

/** Receives what flows send, and counts what was lost, doubled or out of order. */
export class Sink {
  readonly #keys = new KeySet();
  readonly #ids = new KeySet();
  readonly #lastSeq = new Map<string, number>();
  readonly #violations = new Map<string, number>();
  #received = 0;
  #distinct = 0;
  #doubled = 0;
  #outOfOrder = 0;
  #firstAtMs: number | undefined;
  #lastAtMs: number | undefined;

  /** @returns false for a repeat */
  take(idempotencyKey: string | undefined, body: Delivery, nowMs: number): boolean {
    this.#received += 1;
    this.#firstAtMs ??= nowMs;
    this.#lastAtMs = nowMs;
    if (idempotencyKey !== undefined && !this.#keys.add(idempotencyKey)) return false;
    this.#distinct += 1;
    if (body.id !== undefined && !this.#ids.add(textOf(body.id))) this.#doubled += 1;
    if (body.key !== undefined && body.seq !== undefined) this.#checkOrder(textOf(body.key), Number(body.seq));
    return true;
  }

  report(): SinkReport {
    return {
      received: this.#received,
      distinct: this.#distinct,
      repeated: this.#received - this.#distinct,
      distinctIds: this.#ids.size,
      doubledEffects: this.#doubled,
      orderViolations: this.#outOfOrder,
      violationsByKey: Object.fromEntries(this.#violations),
      firstAt: timeOf(this.#firstAtMs),
      lastAt: timeOf(this.#lastAtMs),
    };
  }

  #checkOrder(key: string, seq: number): void {
    const last = this.#lastSeq.get(key);
    if (last === undefined || seq > last) {
      this.#lastSeq.set(key, seq);
      return;
    }
    this.#outOfOrder += 1;
    if (this.#violations.size < reportedKeys || this.#violations.has(key)) {
      this.#violations.set(key, (this.#violations.get(key) ?? 0) + 1);
    }
  }
}

/** `/sink/<name>`: POST delivers, GET reports, DELETE starts anew. Made for many thousand requests a second. */
export class Sinks {
  readonly #sinks = new Map<string, Sink>();

  handle(request: IncomingMessage, response: ServerResponse): void {
    const name = nameOf(request.url ?? '');
    if (request.method === 'POST') {
      readText(request, (text) => {
        const key = request.headers['idempotency-key'];
        const isNew = this.get(name).take(typeof key === 'string' ? key : undefined, parse(text), Date.now());
        answer(response, isNew ? '{"status":"taken"}' : '{"status":"repeated"}');
      });
      return;
    }
    if (request.method === 'DELETE') this.#sinks.delete(name);
    answer(response, JSON.stringify(this.get(name).report()));
  }

  get(name: string): Sink {
    let sink = this.#sinks.get(name);
    if (sink === undefined) this.#sinks.set(name, (sink = new Sink()));
    return sink;
  }
}

function nameOf(url: string): string {
  const path = url.split('?', 1)[0] ?? '';
  return path.split('/')[2] ?? '';
}

function readText(request: IncomingMessage, done: (text: string) => void): void {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (text += chunk));
  request.on('end', () => done(text));
}

function parse(text: string): Delivery {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : {};
  } catch {
    return {};
  }
}

function answer(response: ServerResponse, json: string): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) });
  response.end(json);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
