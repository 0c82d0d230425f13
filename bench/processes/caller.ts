import { setTimeout as delay } from 'node:timers/promises';
import { createPoster, makeCalls, type CallPlan } from './calls.js';
import { nowMs, optionsOf, say } from './part-process.js';

export interface CallerOptions extends CallPlan {
  readonly url: string;
  readonly key: string;
  /** Begins the ids, so that no two rounds share one. */
  readonly prefix: string;
  /** What was refused or cut off is sent again under its key, as a careful sender does. */
  readonly isPatient?: boolean;
  /** To so many hooks in turn, whose addresses end in 0, 1, 2 …; absent: to the one. */
  readonly hooks?: number;
}

export interface Called {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly accepted: number;
  readonly failed: number;
}

const options = optionsOf<CallerOptions>();
const { prefix, isPatient, hooks } = options;
const urls = hooks === undefined ? [options.url] : Array.from({ length: hooks }, (_, hook) => `${options.url}${hook}`);
const posters = urls.map((url) => createPoster(url, options));

let accepted = 0;
let failed = 0;
const times = await makeCalls(options, callWith);
const called: Called = { ...times, accepted, failed };
say(called);
process.exit(0);

async function callWith(number: number): Promise<void> {
  const id = `${prefix}${number}`;
  const post = posters[number % posters.length]!;
  for (;;) {
    const body = JSON.stringify({ id, mark: nowMs(), customer: `customer ${number % 500}`, amount: number });
    const { status } = await post(body, id).catch(() => ({ status: 0 }));
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
