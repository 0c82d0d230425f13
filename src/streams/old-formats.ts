import { isEventDeclaration, parseEventDeclaration, signatureOf } from '#evm';
import type { EventWish } from './stream.schema.js';
import type { StreamBatch, StreamEvent } from './stream.js';

/** What the shapes of older gateways take from a contract event. */
interface Heard {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly decodeError?: string;
  readonly contract: { readonly address: string };
  readonly transaction: {
    readonly hash: string;
    readonly index: number;
    readonly from?: string;
    readonly call?: { readonly function?: string; readonly args?: Readonly<Record<string, unknown>> };
  };
  readonly block: { readonly number: number; readonly hash: string; readonly timestamp: string };
  readonly log: { readonly index: number };
  readonly chainId: number;
  readonly reverted?: string;
}

export interface OldFormatAbout {
  readonly events: readonly EventWish[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Two gateways before this one sent the same facts under these names; `id` and `reverted` are ours. */
type OldEvent = Readonly<Record<string, unknown>>;

/** Events as ethconnect sends them. `logIndex` is the chain's, not the place in an answer of the node. */
export function ethconnectEvents(batch: StreamBatch, { events }: OldFormatAbout): OldEvent[] {
  const signatures = signaturesOf(events);
  return batch.events.map((event) => {
    const heard = heardIn(event);
    return {
      ...commonOf(event, heard, signatures),
      subId: batch.stream,
      transactionIndex: `0x${heard.transaction.index.toString(16)}`,
      timestamp: String(Math.floor(Date.parse(heard.block.timestamp) / 1_000)),
    };
  });
}

/** Events as FireFly's transaction manager sends them. */
export function fireflyEvents(batch: StreamBatch, { events, labels }: OldFormatAbout): OldEvent[] {
  const signatures = signaturesOf(events);
  const { stream, name } = labels;
  return batch.events.map((event) => {
    const heard = heardIn(event);
    return {
      ...commonOf(event, heard, signatures),
      listenerId: batch.stream,
      subId: batch.stream,
      ...(stream !== undefined && { streamId: stream }),
      ...(name !== undefined && { listenerName: name }),
      listenerType: 'events',
      transactionIndex: String(heard.transaction.index),
      timestamp: heard.block.timestamp,
      chainId: String(heard.chainId),
    };
  });
}

function commonOf(event: StreamEvent, heard: Heard, signatures: ReadonlyMap<string, string>): OldEvent {
  const { contract, transaction, block, log, args, decodeError } = heard;
  const { from, call } = transaction;
  const signature = signatures.get(`${heard.name} ${Object.keys(args).length}`) ?? heard.name;
  return {
    id: event.id,
    address: contract.address,
    blockNumber: String(block.number),
    blockHash: block.hash,
    transactionHash: transaction.hash,
    logIndex: String(log.index),
    // Who dispatches by the signature and has never heard of events that are gone must not count this one again.
    signature: heard.reverted === undefined ? signature : `reverted:${signature}`,
    data: decodeError === undefined ? args : null,
    ...(decodeError !== undefined && { decodeError }),
    ...(from !== undefined && { inputSigner: from }),
    ...(call?.function !== undefined && { inputMethod: call.function.split('(', 1)[0], inputArgs: call.args ?? {} }),
    ...(heard.reverted !== undefined && { reverted: true, revertedId: heard.reverted }),
  };
}

/** By name and number of arguments: what a stream declares itself. */
function signaturesOf(events: readonly EventWish[]): ReadonlyMap<string, string> {
  return new Map(
    events
      .filter(({ event }) => isEventDeclaration(event))
      .map(({ event }) => parseEventDeclaration(event))
      .map((fragment) => [`${fragment.name ?? ''} ${fragment.inputs?.length ?? 0}`, signatureOf(fragment)]),
  );
}

function heardIn({ data }: StreamEvent): Heard {
  // Such a format goes with contract events only, see `parseStream`.
  return data as unknown as Heard;
}
