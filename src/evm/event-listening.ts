import { setTimeout as delay } from 'node:timers/promises';
import { PatchbayError, type BackfillContext, type Heard, type ListenContext } from '#sdk';
import { formatBlock } from './checkpoint.js';
import type { ChainLog } from './chain-log.js';
import type { EventReader, ReadEvent } from './event-reader.js';
import { settledBlock } from './final-blocks.js';
import type { LogFilter } from './log-filter.js';
import type { Network } from './network.js';
import { readPastLogs } from './past-logs.js';
import type { Finality } from './subscription.js';

/** Events of one kind on one chain, with everything about them looked up once, and what they are to a trigger. */
export interface ListenedEvents<Event> {
  readonly network: Network;
  readonly filter: LogFilter;
  readonly reader: EventReader;
  /** Undefined: it does not concern the trigger. */
  readonly hear: (read: ReadEvent) => Pick<Heard<Event>, 'event' | 'subject' | 'refused'> | undefined;
}

type Listening<Event> = Pick<
  ListenContext<unknown, unknown, Event>,
  'cursor' | 'signal' | 'movesValue' | 'emit' | 'retract'
>;
type Backfilling<Event> = Pick<
  BackfillContext<unknown, unknown, Event>,
  'cursor' | 'signal' | 'movesValue' | 'from' | 'to' | 'emit' | 'progress'
>;

/** How often it is asked what has become final. */
const settledEveryMs = 2_000;

/** Emits what the chain has from the cursor on, and withdraws what a reorganisation removes, until the signal ends it. */
export async function listenForEvents<Event>(
  listened: ListenedEvents<Event>,
  context: Listening<Event>,
  { finality, fromBlock }: { readonly finality: Finality | undefined; readonly fromBlock: number | undefined },
): Promise<void> {
  const { network, filter, reader } = listened;
  await network.watcher.watch({
    filter,
    finality: network.finalityOf(finality, context),
    cursor: context.cursor,
    signal: context.signal,
    ...(fromBlock === undefined ? {} : { fromBlock }),
    deliver: (batch) => context.emit(heardOf(listened, batch.logs), { cursor: batch.cursor }),
    retract: async (retraction) => {
      await context.retract(retraction);
      reader.restart();
    },
  });
}

/**
 * Emits what the chain has between two blocks; to those who move value, and say nothing of how long to wait, the newest of
 * them once they are final.
 *
 * @throws request.invalid when these are no blocks
 */
export async function readPastEvents<Event>(
  listened: ListenedEvents<Event>,
  context: Backfilling<Event>,
  { finality }: { readonly finality: Finality | undefined },
): Promise<void> {
  const { cursor, from, to, signal, emit, progress } = context;
  const { network, filter } = listened;
  const { rpc } = network;
  const first = parseBlock(from);
  const last = to === undefined ? Number(await rpc.request('eth_blockNumber')) : parseBlock(to);
  let start = cursor === undefined ? first : Math.max(first, parseBlock(cursor));
  while (start <= last && !signal.aborted) {
    const settled =
      context.movesValue === true ? await settledBlock(rpc, network.finalityOf(finality, context), signal) : last;
    for await (const { logs, next } of readPastLogs(
      rpc,
      filter,
      { from: start, to: Math.min(settled, last) },
      signal,
    )) {
      await emit(heardOf(listened, logs), { cursor: formatBlock(next) });
      progress(next - first, last - first + 1);
      start = next;
    }
    if (start <= last) await delay(settledEveryMs, undefined, { signal });
  }
}

function heardOf<Event>({ reader, hear }: ListenedEvents<Event>, logs: readonly ChainLog[]): Heard<Event>[] {
  return reader.read(logs).flatMap((read) => {
    const heard = hear(read);
    if (heard === undefined) return [];
    const { timestamp, hash } = read.event.block;
    return [{ id: read.id, time: timestamp, position: read.position, place: hash, ...heard }];
  });
}

function parseBlock(text: string): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw new PatchbayError('request.invalid', { detail: `${JSON.stringify(text)} is no block number` });
  }
  return Number(text);
}
