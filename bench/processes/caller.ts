import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { nowMs, optionsOf, say } from './part-process.js';

export interface CallerOptions {
  readonly url: string;
  readonly key: string;
  readonly count: number;
  /** How many call at the same time, each again as soon as it has its answer. */
  readonly callers: number;
  /** Instead: a call at a time, at this pace, whether or not the one before was answered. */
  readonly perSecond?: number;
  /** Begins the ids, so that no two rounds share one. */
  readonly prefix: string;
  /** What was refused or cut off is sent again under its key, as a careful sender does. */
  readonly isPatient?: boolean;
}

export interface Called {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly accepted: number;
  readonly failed: number;
}

const { url, key, count, callers, perSecond, prefix, isPatient } = optionsOf<CallerOptions>();
const target = new URL(url);
const agent = new Agent({ keepAlive: true, maxSockets: perSecond === undefined ? callers : 50 });
const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };

let next = 0;
let accepted = 0;
let failed = 0;
const startedAtMs = nowMs();
if (perSecond === undefined) await Promise.all(Array.from({ length: Math.min(callers, count) }, callOn));
else await callAtPace(1_000 / perSecond);
const called: Called = { startedAtMs, endedAtMs: nowMs(), accepted, failed };
say(called);
process.exit(0);

async function callOn(): Promise<void> {
  while (next < count) await callWith((next += 1));
}

async function callAtPace(everyMs: number): Promise<void> {
  const calls: Promise<void>[] = [];
  while (next < count) {
    await delay(startedAtMs + next * everyMs - nowMs());
    calls.push(callWith((next += 1)));
  }
  await Promise.all(calls);
}

async function callWith(number: number): Promise<void> {
  const id = `${prefix}${number}`;
  for (;;) {
    const body = JSON.stringify({ id, mark: nowMs(), customer: `customer ${number % 500}`, amount: number });
    const status = await post(id, body).catch(() => 0);
    if (status >= 200 && status < 300) {
      accepted += 1;
      return;
    }
    if (isPatient !== true) {
      failed += 1;
      return;
    }
    await delay(20);
  }
}

function post(id: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(
      target,
      {
        method: 'POST',
        agent,
        headers: { ...headers, 'idempotency-key': id, 'content-length': Buffer.byteLength(body) },
        timeout: 30_000,
      },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
        response.once('error', reject);
      },
    );
    call.once('timeout', () => call.destroy(new Error('no answer')));
    call.once('error', reject);
    call.end(body);
  });
}
