import { createHttpClient, parseEgress } from '#platform';
import { nowMs, optionsOf, say, untilStopped } from './part-process.js';

export interface BarePostsOptions {
  readonly targets: readonly string[];
  readonly count: number;
}

export interface BarePosted {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

const warmUp = 20;

// Posts to all targets at once, to each one after another, with the hub's HTTP client. It keeps no ledger, knows no pace and
// tries nothing again.
const { targets, count } = optionsOf<BarePostsOptions>();
const http = createHttpClient({ egress: parseEgress(['127.0.0.1:1-65535']) });

await postAll(warmUp, 'warm');
const startedAtMs = nowMs();
await postAll(Math.ceil(count / targets.length), 'bare');
const posted: BarePosted = { startedAtMs, endedAtMs: nowMs() };
say(posted);
await untilStopped();
process.exit(0);

async function postAll(each: number, prefix: string): Promise<void> {
  await Promise.all(
    targets.map(async (url, target) => {
      for (let number = 0; number < each; number += 1) {
        const id = `${prefix}-${target}-${number}`;
        const time = new Date().toISOString();
        const body = JSON.stringify({ id, event: `topic_${target}`, time, customer: `customer ${number}`, amount: id });
        await http.request({ method: 'POST', url, headers: { 'content-type': 'application/json' }, body });
      }
    }),
  );
}
