import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from './part-process.js';

/** How many calls are made, and when. */
export interface CallPlan {
  readonly count: number;
  /** How many call at the same time, each again as soon as it has its answer. */
  readonly callers: number;
  /** Instead: a call at a time, at this pace, whether or not the one before was answered. */
  readonly perSecond?: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Makes call 1 to `count`. @returns when the first began and the last had its answer */
export async function makeCalls(
  { count, callers, perSecond }: CallPlan,
  call: (number: number) => Promise<void>,
): Promise<{ startedAtMs: number; endedAtMs: number }> {
  let next = 0;
  const startedAtMs = nowMs();
  if (perSecond === undefined) {
    const callOn = async (): Promise<void> => {
      while (next < count) await call((next += 1));
    };
    await Promise.all(Array.from({ length: Math.min(callers, count) }, callOn));
  } else {
    const calls: Promise<void>[] = [];
    while (next < count) {
      await delay(startedAtMs + (next * 1_000) / perSecond - nowMs());
      calls.push(call((next += 1)));
    }
    await Promise.all(calls);
  }
  return { startedAtMs, endedAtMs: nowMs() };
}

/** POSTs JSON over connections that are kept. */
export function createPoster(
  url: string,
  { key, callers, perSecond }: { readonly key: string } & Pick<CallPlan, 'callers' | 'perSecond'>,
): (body: string, idempotencyKey?: string) => Promise<Answer> {
  const target = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: perSecond === undefined ? callers : 50 });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return (body, idempotencyKey) =>
    new Promise((resolve, reject) => {
      const call = request(
        target,
        {
          method: 'POST',
          agent,
          headers: {
            ...headers,
            'content-length': Buffer.byteLength(body),
            ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
          },
          timeout: 30_000,
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.once('error', reject);
        },
      );
      call.once('timeout', () => call.destroy(new Error('no answer')));
      call.once('error', reject);
      call.end(body);
    });
}
