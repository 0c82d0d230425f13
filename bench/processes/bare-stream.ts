import { createHttpClient, parseEgress } from '#platform';
import { readTransfers, transferOf, type Log, type LogRange } from './bare-logs.js';
import { nowMs, optionsOf, say, untilStopped } from './part-process.js';

export interface BareStreamOptions extends LogRange {
  readonly target: string;
  readonly batchSize: number;
  /** What is timed: the POSTs alone, of bodies that are ready, or everything from the first call to the node on. */
  readonly timed: 'posts' | 'everything';
}

export interface BareStreamed {
  readonly events: number;
  readonly ms: number;
}

const warmUp = 20;

// One batch after another, while the next range of blocks is being fetched. No cursor, no ids that survive a reorganisation, no
// retry: what fails or comes while it is down is lost.
const options = optionsOf<BareStreamOptions>();
const http = createHttpClient({ egress: parseEgress(['127.0.0.1:1-65535']) });

const streamed = options.timed === 'posts' ? await postReady() : await postRead();
say(streamed);
await untilStopped();
process.exit(0);

async function postReady(): Promise<BareStreamed> {
  const bodies: string[] = [];
  let events = 0;
  for await (const batch of batches()) {
    bodies.push(bodyOf(batch));
    events += batch.length;
  }
  // As warm as the stream, whose first batches are not measured either.
  for (const [number, body] of bodies.slice(0, warmUp).entries()) await post(number, body);
  const startedAtMs = nowMs();
  for (const [number, body] of bodies.entries()) await post(number, body);
  return { events, ms: nowMs() - startedAtMs };
}

async function postRead(): Promise<BareStreamed> {
  const startedAtMs = nowMs();
  let events = 0;
  let number = 0;
  for await (const batch of batches()) {
    await post((number += 1), bodyOf(batch));
    events += batch.length;
  }
  return { events, ms: nowMs() - startedAtMs };
}

async function* batches(): AsyncGenerator<readonly Log[]> {
  let waiting: Log[] = [];
  for await (const logs of readTransfers(options)) {
    waiting.push(...logs);
    let start = 0;
    for (; waiting.length - start >= options.batchSize; start += options.batchSize) {
      yield waiting.slice(start, start + options.batchSize);
    }
    waiting = waiting.slice(start);
  }
  if (waiting.length > 0) yield waiting;
}

/** As long as what the hub posts. */
function bodyOf(batch: readonly Log[]): string {
  return JSON.stringify(
    batch.map((log) => ({
      specversion: '1.0',
      id: `31337:${log.transactionHash}:${log.blockHash.slice(2, 34)}:${Number(log.logIndex)}`,
      source: '/networks/local',
      type: 'evm.contractEvent',
      subject: log.address,
      ...transferOf(log),
    })),
  );
}

async function post(number: number, body: string): Promise<void> {
  const headers = { 'content-type': 'application/cloudevents-batch+json', 'webhook-id': `bare-${number}` };
  await http.request({ method: 'POST', url: options.target, headers, body });
}
