import { findBlock } from './block.js';
import type { BlockWindow } from './block-window.js';
import type { Checkpoint } from './checkpoint.js';
import { tooDeep } from './head-follower.js';
import type { RpcClient } from './rpc-client.js';
import { RpcError } from './rpc-error.js';

export interface Fork extends Checkpoint {
  /** False: it lies there or later, and what comes first may never have left the chain. */
  readonly isExact: boolean;
}

/**
 * Where the chain goes on for one who has read up to a block that may have left it: walks back over the blocks it knows
 * until one is in the chain. When it knows none of them, a whole window is read again; that finds the same events anew.
 *
 * @throws evm.reorgTooDeep
 */
export async function measureFork(
  rpc: RpcClient,
  window: BlockWindow,
  place: Checkpoint,
  signal?: AbortSignal,
): Promise<Fork> {
  let { next, parentHash } = place;
  const lowest = Math.max(0, place.next - window.size);
  while (parentHash !== undefined && next > 0) {
    const isAboveTip = next - 1 > (window.tip?.number ?? next);
    if (!isAboveTip && (await hashAt(rpc, window, next - 1, signal)) === parentHash) {
      return { next, parentHash, isExact: true };
    }
    if (next <= lowest) throw tooDeep(window.size, next);
    const abandoned = window.find(parentHash);
    if (!abandoned) {
      const before = lowest > 0 ? await hashAt(rpc, window, lowest - 1, signal) : undefined;
      return { next: lowest, parentHash: before, isExact: false };
    }
    parentHash = abandoned.parentHash;
    next -= 1;
  }
  return { next: 0, parentHash: undefined, isExact: true };
}

async function hashAt(rpc: RpcClient, window: BlockWindow, number: number, signal?: AbortSignal): Promise<string> {
  const known = window.get(number)?.hash ?? (await findBlock(rpc, number, signal))?.hash;
  if (known === undefined) throw new RpcError('transport', `The node does not have block ${String(number)}`);
  return known;
}
