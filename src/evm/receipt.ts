import { parseQuantity } from './block.js';
import { parseLogs, type ChainLog } from './chain-log.js';
import { resultOf } from './rpc-batch.js';
import type { Rpc } from './rpc-client.js';
import { RpcError } from './rpc-error.js';
import type { TransactionPlace } from './transaction-store.js';

export interface Receipt {
  readonly place: TransactionPlace;
  readonly isSuccess: boolean;
  readonly logs: readonly ChainLog[];
  /** Lower case. */
  readonly from: string;
  /** Of the contract that the transaction deployed. Lower case. */
  readonly contractAddress: string | undefined;
  /** Wei per gas that was paid; 0 where the node, being older than base fees, does not say it. */
  readonly effectiveGasPrice: bigint;
  readonly transactionIndex: number;
}

/** Undefined when the node does not know the transaction as mined. */
export async function findReceipt(rpc: Rpc, hash: string): Promise<Receipt | undefined> {
  return receiptOf(hash, await rpc.request('eth_getTransactionReceipt', [hash]));
}

/** Like {@link findReceipt} for each, in the order of the hashes. */
export async function findReceipts(rpc: Rpc, hashes: readonly string[]): Promise<readonly (Receipt | undefined)[]> {
  const results = await rpc.requestMany(
    hashes.map((hash) => ({ method: 'eth_getTransactionReceipt', params: [hash] })),
  );
  return hashes.map((hash, index) => receiptOf(hash, resultOf(results[index])));
}

/** The receipts of those that are mined. */
export async function findMined(rpc: Rpc, hashes: readonly string[]): Promise<readonly Receipt[]> {
  return (await findReceipts(rpc, hashes)).filter((receipt) => receipt !== undefined);
}

export function parseReceipt(answer: Readonly<Record<string, unknown>>): Receipt {
  const { blockHash, transactionHash, from, contractAddress, effectiveGasPrice } = answer;
  if (typeof blockHash !== 'string' || typeof transactionHash !== 'string' || typeof from !== 'string') {
    throw new RpcError('transport', 'The node answered something that is no receipt');
  }
  return {
    place: {
      hash: transactionHash.toLowerCase(),
      blockHash: blockHash.toLowerCase(),
      blockNumber: parseQuantity(answer['blockNumber']),
      gasUsed: String(parseQuantity(answer['gasUsed'])),
    },
    isSuccess: answer['status'] === '0x1',
    logs: parseLogs(answer['logs']),
    from: from.toLowerCase(),
    contractAddress: typeof contractAddress === 'string' ? contractAddress.toLowerCase() : undefined,
    effectiveGasPrice: typeof effectiveGasPrice === 'string' ? BigInt(effectiveGasPrice) : 0n,
    transactionIndex: parseQuantity(answer['transactionIndex']),
  };
}

function receiptOf(hash: string, answer: unknown): Receipt | undefined {
  if (answer === null) return undefined;
  const receipt = parseReceipt(answer as Readonly<Record<string, unknown>>);
  if (receipt.place.hash !== hash.toLowerCase()) {
    throw new RpcError('transport', 'The node answered another receipt than asked for');
  }
  return receipt;
}
