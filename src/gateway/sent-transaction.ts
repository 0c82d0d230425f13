import {
  compileLogDecoder,
  findReceipt,
  hasReached,
  replayRevert,
  topicOf,
  type Abi,
  type ChainLog,
  type LogDecoder,
  type Network,
  type TransactionRecord,
  type Wait,
} from '#evm';
import { PatchbayError } from '#sdk';

export interface EmittedEvent {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly logIndex: number;
}

/** A transaction as far as its sender has waited for it. */
export interface SentTransaction {
  readonly record: TransactionRecord;
  readonly network: Network;
  /** False when the time was over before it was as far as was asked for, and when nothing was waited for. */
  readonly isReached: boolean;
  /** What the contract emitted, once it is mined. */
  readonly events: readonly EmittedEvent[] | undefined;
}

export interface Following {
  /** Default `accepted`. */
  readonly wait?: Wait;
  /** How long at most. Default 30 s. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal;
}

const usualWaitMs = 30_000;

/**
 * Waits as long as is wished for and reads what came of it.
 *
 * @throws what it failed with, e.g. evm.reverted with the contract's own words, or evm.cancelled
 */
export async function followTransaction(
  network: Network,
  sent: TransactionRecord,
  contract: { readonly address: string; readonly abi: Abi },
  { wait = 'accepted', waitMs = usualWaitMs, signal = new AbortController().signal }: Following,
): Promise<SentTransaction> {
  if (wait === 'accepted') return { record: sent, network, isReached: false, events: undefined };
  const until = wait === 'mined' ? 'mined' : 'final';
  const record = await network.transactions.waitFor(sent.id, until, { withinMs: waitMs, signal });
  const isMined = hasReached(record, 'mined');
  // One that was given up may be mined all the same.
  const isGivenUp = record.failure !== undefined && !isMined;
  if (isGivenUp || record.status === 'failed' || record.status === 'cancelled') throw failureOf(record);
  if (!isMined || record.place === undefined) return { record, network, isReached: false, events: undefined };
  const receipt = await findReceipt(network.rpc, record.place.hash);
  if (receipt?.isSuccess === false) throw await explainRevert(network, record, contract.abi);
  return {
    record,
    network,
    isReached: hasReached(record, until),
    events: receipt && eventsOf(contract.abi, contract.address, receipt.logs),
  };
}

const decoders = new WeakMap<Abi, ReadonlyMap<string, LogDecoder>>();

function eventsOf(abi: Abi, address: string, logs: readonly ChainLog[]): EmittedEvent[] {
  let byTopic = decoders.get(abi);
  if (byTopic === undefined) {
    const events = abi.filter((fragment) => fragment.type === 'event' && fragment.anonymous !== true);
    byTopic = new Map(events.map((event) => [topicOf(event), compileLogDecoder(event)]));
    decoders.set(abi, byTopic);
  }
  return logs.flatMap((log) => {
    const decoder = log.address === address ? byTopic.get(log.topics[0] ?? '') : undefined;
    if (decoder === undefined) return [];
    return [{ name: decoder.event.name ?? '', args: decoder.decode(log).args, logIndex: log.logIndex }];
  });
}

function failureOf(record: TransactionRecord): PatchbayError {
  return new PatchbayError(record.failure?.code ?? 'evm.cancelled', {
    detail: record.failure?.detail ?? `The transaction ${record.id} was cancelled`,
    fix: `Its history is at /api/transactions/${record.id}`,
    contractError: record.failure?.error,
  });
}

async function explainRevert(network: Network, record: TransactionRecord, abi: Abi): Promise<PatchbayError> {
  const reason = await replayRevert(network.rpc, { ...record, blockNumber: record.place?.blockNumber ?? 0 }, abi);
  return new PatchbayError('evm.reverted', {
    detail: `The contract reverted the call after it was accepted: ${reason?.words ?? 'it gives no reason'}`,
    contractError: reason?.error,
    fix: `Its history is at /api/transactions/${record.id}`,
  });
}
