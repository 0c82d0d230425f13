import type { Called, CallerOptions } from '../processes/caller.js';
import type { BareQueueOptions } from '../processes/bare-queue.js';
import type { Backend, Bench, Database } from './bench.js';
import type { BenchHub } from './hub.js';
import { Part } from './part.js';
import type { BenchSink } from './sink.js';

/** A webhook whose body goes through a template into a POST. */
export function orderFlow(sink: string, more = ''): string {
  return `
name: orders
trigger: { uses: webhook.received }
steps:
  - uses: http.request
    with:
      method: POST
      url: ${sink}
      body:
        id: "{{event.body.id}}"
        mark: "{{event.body.mark}}"
        text: "Order {{event.body.id}} of {{event.body.customer}}: {{event.body.amount}} pieces"
${more}`;
}

/** Calls from a process of their own. */
export async function callHooks(
  bench: Bench,
  target: { readonly url: string; readonly key: string },
  options: Omit<CallerOptions, 'url' | 'key'>,
): Promise<Called> {
  const part = Part.start('caller', { ...target, ...options }, bench.cleanup);
  try {
    return await part.next<Called>();
  } finally {
    await part.stop();
  }
}

export function hookOf(hub: BenchHub): { readonly url: string; readonly key: string } {
  return { url: `${hub.url}/hooks/orders`, key: hub.key };
}

/** The first events pay for compilation and connections; nobody measures those. */
export async function warmUp(bench: Bench, hub: BenchHub, sink: BenchSink, count: number): Promise<void> {
  bench.say(`warming up with ${count} webhooks`);
  await callHooks(bench, hookOf(hub), { count, callers: 50, prefix: 'warm' });
  await sink.settled(count);
  await sink.reset();
}

/** BullMQ alone on the same backend. @returns when it began; the sink knows when it ended */
export async function runBareQueue(
  bench: Bench,
  {
    backend,
    database,
    sink,
    ...load
  }: { backend: Backend; database: Database; sink: BenchSink } & Pick<
    BareQueueOptions,
    'count' | 'callers' | 'perSecond'
  >,
): Promise<Called> {
  const options: BareQueueOptions = {
    databaseUrl: database.url,
    dataDir: bench.folder,
    redisUrl: backend.redisUrl,
    target: sink.url,
    ...load,
  };
  const part = Part.start('bare-queue', options, bench.cleanup);
  await part.next();
  await sink.reset();
  const called = await part.next<Called>();
  await sink.received(load.count);
  await part.stop();
  return called;
}
