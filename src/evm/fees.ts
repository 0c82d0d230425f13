import { toQuantity } from './block.js';
import { findBlock } from './block.js';
import type { RpcClient } from './rpc-client.js';
import { RpcError } from './rpc-error.js';
import type { Fee } from './signer.js';

/** Paid when the node suggests nothing. */
const usualTip = 1_000_000_000n;

/** What a transaction needs to pay now; the base fee may double before it is mined. */
export async function currentFee(rpc: RpcClient): Promise<Fee> {
  return await rpc.pass(async (node) => {
    const [block, tip] = await Promise.all([
      findBlock(node, 'latest'),
      node.request<string>('eth_maxPriorityFeePerGas').catch((error: unknown) => {
        if (error instanceof RpcError && error.kind === 'rejected') return toQuantity(usualTip);
        throw error;
      }),
    ]);
    if (block?.baseFeePerGas === undefined)
      return { max: BigInt(await node.request<string>('eth_gasPrice')), tip: undefined };
    return { max: 2n * block.baseFeePerGas + BigInt(tip), tip: BigInt(tip) };
  });
}

/** A replacement is taken by nodes only when each part is at least an eighth higher; never below the present fee. */
export function raisedFee(before: Fee, now: Fee): Fee {
  const max = larger(eighthMore(before.max), now.max);
  if (before.tip === undefined) return { max, tip: undefined };
  return { max, tip: larger(eighthMore(before.tip), now.tip ?? 0n) };
}

function eighthMore(amount: bigint): bigint {
  return amount + amount / 8n + 1n;
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
