import { findBlock } from './block.js';
import type { NodeTraits } from './node-traits.js';
import type { Rpc, RpcClient } from './rpc-client.js';
import { RpcError } from './rpc-error.js';
import type { Fee } from './signer.js';

/** `free`: a network where gas costs nothing, as most private ones. */
export type FeeMode = 'eip1559' | 'legacy' | 'free';

/** What an operator decides about fees; the rest follows from what the node can do. Wei. */
export interface FeeSettings {
  readonly mode?: FeeMode | undefined;
  /** No offer and no raise goes above this price per gas. */
  readonly max?: bigint | undefined;
  /** Offered instead of what the node suggests. */
  readonly tip?: bigint | undefined;
  /** Default, and least that nodes take: 12.5. */
  readonly raisePercent?: number | undefined;
  /** Of the base fee, by default 2, or of the gas price on a chain without base fees, by default 1. */
  readonly multiplier?: number | undefined;
}

type FeeTraits = Pick<NodeTraits, 'baseFee' | 'zeroGasPrice' | 'tipSuggestion'>;

/** Paid when the node suggests nothing. */
const usualTip = 1_000_000_000n;
const leastRaisePercent = 12.5;

export function feeMode(traits: FeeTraits, settings: FeeSettings = {}): FeeMode {
  if (settings.mode) return settings.mode;
  if (traits.zeroGasPrice) return 'free';
  return traits.baseFee ? 'eip1559' : 'legacy';
}

/** What a transaction needs to pay now, never above the cap; by default the base fee may double before it is mined. */
export async function currentFee(rpc: RpcClient, traits: FeeTraits, settings: FeeSettings = {}): Promise<Fee> {
  const mode = feeMode(traits, settings);
  if (mode === 'free') return { max: 0n, tip: undefined };
  const fee = await rpc.pass(async (node) => {
    const baseFee = mode === 'legacy' ? undefined : (await findBlock(node, 'latest'))?.baseFeePerGas;
    if (baseFee === undefined) return { max: times(await gasPrice(node), settings.multiplier ?? 1), tip: undefined };
    const tip = settings.tip ?? (await suggestedTip(node, traits));
    return { max: times(baseFee, settings.multiplier ?? 2) + tip, tip };
  });
  return capped(fee, settings.max);
}

/**
 * A replacement is taken by nodes only when each part is higher by an eighth; never below the present fee. Undefined when the
 * cap forbids that. Where nothing costs anything it is nothing, whatever was offered before: some such networks take only that.
 */
export function raisedFee(before: Fee, now: Fee, settings: FeeSettings = {}): Fee | undefined {
  if (now.max === 0n) return now;
  const percent = Math.max(leastRaisePercent, settings.raisePercent ?? leastRaisePercent);
  const least = raised(before.max, percent);
  if (settings.max !== undefined && least > settings.max) return undefined;
  const max = larger(least, now.max);
  const tip = before.tip === undefined ? undefined : larger(raised(before.tip, percent), now.tip ?? 0n);
  return capped({ max, tip }, settings.max);
}

async function gasPrice(node: Rpc): Promise<bigint> {
  return BigInt(await node.request<string>('eth_gasPrice'));
}

async function suggestedTip(node: Rpc, traits: FeeTraits): Promise<bigint> {
  if (!traits.tipSuggestion) return usualTip;
  try {
    return BigInt(await node.request<string>('eth_maxPriorityFeePerGas'));
  } catch (error) {
    if (error instanceof RpcError && error.kind === 'rejected') return usualTip;
    throw error;
  }
}

/** Nodes refuse a tip above the whole price. */
function capped({ max, tip }: Fee, cap: bigint | undefined): Fee {
  const price = cap === undefined || max < cap ? max : cap;
  return { max: price, tip: tip === undefined || tip < price ? tip : price };
}

function raised(amount: bigint, percent: number): bigint {
  return amount + (amount * BigInt(Math.ceil(percent * 10))) / 1_000n + 1n;
}

function times(amount: bigint, factor: number): bigint {
  return (amount * BigInt(Math.round(factor * 1_000))) / 1_000n;
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
