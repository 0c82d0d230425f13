import { setTimeout as delay } from 'node:timers/promises';
import { createHttpClient, createLog, createQueues, loadConfig, openStore, parseEgress } from '#platform';
import type { Called } from './caller.js';
import { nowMs, optionsOf, say, untilStopped } from './part-process.js';

export interface BareQueueOptions {
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly redisUrl: string | undefined;
  readonly target: string;
  readonly count: number;
  readonly callers: number;
  readonly perSecond?: number;
}

interface Work {
  readonly id: string;
  readonly mark: number;
}

// BullMQ with nothing around it: a job per event, whose worker makes the call. The same backend, connections and client as
// in the hub; no webhook, no ledger, no journal.
const { databaseUrl, dataDir, redisUrl, target, count, callers, perSecond } = optionsOf<BareQueueOptions>();
const config = loadConfig({
  DATABASE_URL: databaseUrl,
  PATCHBAY_DATA_DIR: dataDir,
  ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
});
const log = createLog({ level: 'warn', format: 'json' });
const store = await openStore({ config, log });
const queues = await createQueues({ config, store, log });
const http = createHttpClient({ egress: parseEgress(['127.0.0.1:1-65535']) });
const queue = queues.queue<Work>('bare');
queues.worker<Work>(
  'bare',
  async ({ data }) => {
    await http.request({ method: 'POST', url: target, headers: { 'idempotency-key': data.id }, body: data });
  },
  { concurrency: callers },
);
// The first connections are not part of what is measured.
await queue.add([{ name: 'bare', data: { id: 'first', mark: nowMs() } }]);
await delay(500);
say({ ready: true });

let next = 0;
const startedAtMs = nowMs();
if (perSecond === undefined) await Promise.all(Array.from({ length: callers }, addOn));
else {
  while (next < count) {
    await delay(startedAtMs + (next * 1_000) / perSecond - nowMs());
    await add((next += 1));
  }
}
const called: Called = { startedAtMs, endedAtMs: nowMs(), accepted: count, failed: 0 };
say(called);
await untilStopped();
await queues.close();
await store.close();
process.exit(0);

async function addOn(): Promise<void> {
  while (next < count) await add((next += 1));
}

async function add(number: number): Promise<void> {
  await queue.add([{ name: 'bare', data: { id: `q${number}`, mark: nowMs() } }]);
}
