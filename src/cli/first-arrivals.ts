import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import { z } from '#sdk';

interface StandIn {
  readonly name: string;
  readonly title: string;
  /** Whether a request is an arrival, and not a login or a look-up. */
  readonly isArrival: (url: string) => boolean;
}

const standIns: readonly StandIn[] = [
  { name: 'salesforce', title: 'Salesforce', isArrival: (url) => url.includes('/sobjects/Contact') },
  { name: 'ifttt', title: 'IFTTT', isArrival: (url) => url.includes('/trigger/') },
  { name: 'zapier', title: 'Zapier', isArrival: (url) => url.includes('/hooks/catch/') },
];

const received = z.array(
  z.looseObject({
    at: z.string(),
    method: z.string(),
    url: z.string(),
    body: z.unknown(),
    status: z.number().default(0),
  }),
);

const everyMs = 200;
const patienceMs = 60_000;

const triggers = z.object({ triggers: z.array(z.object({ cursor: z.string().nullable() })) });

/** Lets the demo begin once somebody listens: what happened before would be nobody's event. */
export async function beginActivity(options: {
  readonly sandboxUrl: string;
  readonly hubUrl: string;
  readonly key: string;
}): Promise<void> {
  const headers = { authorization: `Bearer ${options.key}` };
  for (const until = Date.now() + 10_000; Date.now() < until; await delay(everyMs)) {
    const response = await fetch(`${options.hubUrl}/api/triggers`, { headers }).catch(() => undefined);
    const parsed = triggers.safeParse(await response?.json());
    if (parsed.success && parsed.data.triggers.every(({ cursor }) => cursor !== null)) break;
  }
  await switchAppletOn(options);
  await fetch(`${options.sandboxUrl}/_demo/activity`, { method: 'POST', body: '{"running":true}' });
}

/** IFTTT as the sandbox plays it gets to know the hub, and somebody wants a text when a whale moves. */
async function switchAppletOn({ sandboxUrl, hubUrl }: { sandboxUrl: string; hubUrl: string }): Promise<void> {
  const tell = (path: string, body: object) =>
    fetch(`${sandboxUrl}${path}`, { method: 'POST', body: JSON.stringify(body) }).catch(() => undefined);
  await tell('/_ifttt/service', { url: hubUrl });
  await tell('/_ifttt/applets', { name: 'Text me when a whale moves', trigger: 'whale_alert' });
}

/** Shows the newcomer what just happened: the first transfer, as each stand-in received it. */
export async function tellFirstArrivals(options: {
  readonly sandboxUrl: string;
  readonly out: (text: string) => void;
  readonly since: Date;
}): Promise<void> {
  const { sandboxUrl, out, since } = options;
  out('  Waiting for the first transfer on the chain …');
  const missing = new Set(standIns);
  const until = Date.now() + patienceMs;
  while (missing.size > 0 && Date.now() < until) {
    for (const standIn of missing) {
      const arrival = await firstArrival(sandboxUrl, standIn, since);
      if (arrival === undefined) continue;
      missing.delete(standIn);
      out(`  ${styleText('green', '→')} ${standIn.title.padEnd(10)} ${arrival}`);
    }
    await delay(everyMs);
  }
  const next = 'Make another: npx patchbay demo transfer 25000     See the runs: npx patchbay runs';
  out(missing.size === 0 ? `\n  ${next}\n` : '\n  Nothing has arrived yet. What is in the way: npx patchbay doctor\n');
}

async function firstArrival(sandboxUrl: string, standIn: StandIn, since: Date): Promise<string | undefined> {
  const response = await fetch(`${sandboxUrl}/_received?standIn=${standIn.name}`).catch(() => undefined);
  const parsed = received.safeParse(await response?.json());
  if (!parsed.success) return undefined;
  const arrival = parsed.data.find(
    ({ at, method, url, status }) =>
      method !== 'GET' && new Date(at) >= since && standIn.isArrival(url) && status >= 200 && status < 300,
  );
  if (arrival === undefined) return undefined;
  const body = typeof arrival.body === 'string' ? arrival.body : JSON.stringify(arrival.body);
  const path = new URL(arrival.url, sandboxUrl).pathname.replace(/with\/key\/.*/, 'with/key/***');
  return `${arrival.method} ${path}\n${' '.repeat(15)}${body.slice(0, 200)}`;
}
