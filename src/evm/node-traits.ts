import { parseHeader } from './block.js';
import { resultOf } from './rpc-batch.js';
import type { Rpc, RpcCall } from './rpc-client.js';
import { RpcError } from './rpc-error.js';

/** What the node of a network can do, as it has shown itself. */
export interface NodeTraits {
  /** In its own words; empty when it does not say. */
  readonly client: string;
  /** It gives all receipts of a block at once. */
  readonly blockReceipts: boolean;
  /** Its blocks have a base fee (EIP-1559). */
  readonly baseFee: boolean;
  /** It suggests a tip. */
  readonly tipSuggestion: boolean;
  readonly finalizedTag: boolean;
  readonly safeTag: boolean;
  /** Transactions cost nothing, as on most private networks. */
  readonly zeroGasPrice: boolean;
  /** It takes several calls in one request. */
  readonly batch: boolean;
}

const questions = {
  head: { method: 'eth_getBlockByNumber', params: ['latest', false] },
  client: { method: 'web3_clientVersion' },
  finalized: { method: 'eth_getBlockByNumber', params: ['finalized', false] },
  safe: { method: 'eth_getBlockByNumber', params: ['safe', false] },
  gasPrice: { method: 'eth_gasPrice' },
  tip: { method: 'eth_maxPriorityFeePerGas' },
  receipts: { method: 'eth_getBlockReceipts', params: ['latest'] },
} as const satisfies Readonly<Record<string, RpcCall>>;

/**
 * Asks one node what it can do. What it does not know, refuses or does not answer, it cannot do.
 *
 * @throws evm.rpc when it does not even answer what its newest block is
 * @throws evm.rpcThrottled because a node that wants to be left alone has shown nothing
 */
export async function probeNode(rpc: Rpc): Promise<NodeTraits> {
  const results = await rpc.requestMany(Object.values(questions));
  const answers = new Map(Object.keys(questions).map((name, index) => [name, results[index]]));
  const head = parseHeader(resultOf(answers.get('head')));
  const find = (name: keyof typeof questions): unknown => {
    const result = answers.get(name);
    if (result?.status === 'fulfilled') return result.value;
    if (result?.reason instanceof RpcError && result.reason.kind === 'throttled') throw result.reason;
    return undefined;
  };
  const client = find('client');
  const baseFee = head?.baseFeePerGas;
  return {
    client: typeof client === 'string' ? client : '',
    blockReceipts: Array.isArray(find('receipts')),
    baseFee: baseFee !== undefined,
    tipSuggestion: isQuantity(find('tip')),
    finalizedTag: isBlock(find('finalized')),
    safeTag: isBlock(find('safe')),
    zeroGasPrice: isZero(find('gasPrice')) && (baseFee ?? 0n) === 0n,
    batch: rpc.batchLimit > 1,
  };
}

function isBlock(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null;
}

function isQuantity(answer: unknown): answer is string {
  return typeof answer === 'string' && /^0x[0-9a-f]+$/i.test(answer);
}

function isZero(answer: unknown): boolean {
  return isQuantity(answer) && BigInt(answer) === 0n;
}
