import { PatchbayError } from '#sdk';
import type { RpcCall } from './rpc-client.js';
import { RpcError, isThrottling, rpcErrorOf } from './rpc-error.js';
import type { HttpAnswer } from './rpc-transport.js';

/** What became of each call, in the order of the calls. */
export type RpcResults = readonly PromiseSettledResult<unknown>[];

/** Nobody takes more: providers cut at 100 to 1,000 calls and at 1 to 5 MB. */
export const mostCallsPerBatch = 100;
const mostBytesPerBatch = 1_000_000;

export interface RpcBatch {
  readonly calls: readonly RpcCall[];
  readonly ids: readonly number[];
  readonly body: string;
}

/** As many of the calls, beginning with one, as go into one request; at least that one. */
export function takeBatch(calls: readonly RpcCall[], from: number, limit: number, nextId: () => number): RpcBatch {
  const parts: string[] = [];
  const ids: number[] = [];
  let bytes = 0;
  for (const { method, params = [] } of calls.slice(from, from + limit)) {
    const id = nextId();
    const part = JSON.stringify({ jsonrpc: '2.0', id, method, params });
    bytes += part.length + 1;
    if (parts.length > 0 && bytes > mostBytesPerBatch) break;
    parts.push(part);
    ids.push(id);
  }
  return { calls: calls.slice(from, from + parts.length), ids, body: `[${parts.join(',')}]` };
}

/**
 * Answers matched by id. `tooLarge`, `refused`: the node takes no batches of this size, or none at all, and none of the
 * calls was done.
 *
 * @throws RpcError when nothing of the answer can be used
 */
export function readBatchAnswer(batch: RpcBatch, { status, json }: HttpAnswer): RpcResults | 'tooLarge' | 'refused' {
  if (Array.isArray(json)) {
    const entries = json.filter((entry): entry is Entry => typeof entry === 'object' && entry !== null);
    return refusalOfAll(entries) ?? matched(batch, entries);
  }
  if (typeof json === 'object' && json !== null && 'error' in json && json.error) {
    const error = rpcErrorOf('a batch', json.error);
    if (isAboutSize(error.rpcMessage)) return 'tooLarge';
    if (error.kind === 'throttled' && isThrottling(error.rpcMessage)) throw error;
    return 'refused';
  }
  if (status === 413) return 'tooLarge';
  if (status >= 400 && status < 500 && !statusesOfNoRefusal.has(status)) return 'refused';
  throw new RpcError('transport', `The node answered something unreadable with status ${String(status)} to a batch`);
}

/** @throws the reason when it was refused or not answered */
export function resultOf(result: PromiseSettledResult<unknown> | undefined): unknown {
  if (result?.status === 'fulfilled') return result.value;
  throw PatchbayError.from(result?.reason);
}

interface Entry {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown } | null;
}

/** They say that nothing is answered, whether alone or together. */
const statusesOfNoRefusal = new Set([401, 402, 403, 407, 408]);
const invalidRequest = -32_600;

function isAboutSize(text: string): boolean {
  return /batch.{0,40}(too (large|big|many)|limit|exceed|size|maximum)|(exceed|limit|maximum|too many).{0,40}batch/i.test(
    text,
  );
}

/** Some refuse with a list: one error for the first call, or the same error for each. */
function refusalOfAll(entries: readonly Entry[]): 'tooLarge' | 'refused' | undefined {
  if (entries.length === 0) return undefined;
  const messages = entries.map(({ error }) => (typeof error?.message === 'string' ? error.message : ''));
  if (messages.every((message) => isAboutSize(message))) return 'tooLarge';
  return entries.every(({ error }) => error?.code === invalidRequest) ? 'refused' : undefined;
}

function matched({ calls, ids }: RpcBatch, entries: readonly Entry[]): RpcResults {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  return calls.map(({ method }, index): PromiseSettledResult<unknown> => {
    const entry = byId.get(ids[index]);
    if (entry?.error) return { status: 'rejected', reason: rpcErrorOf(method, entry.error) };
    if (entry && 'result' in entry) return { status: 'fulfilled', value: entry.result };
    return {
      status: 'rejected',
      reason: new RpcError('transport', `The node did not answer ${method} of a batch`),
    };
  });
}
