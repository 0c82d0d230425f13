import { parseQuantity } from './block.js';
import { parseLogs, type ChainLog } from './chain-log.js';
import type { Rpc } from './rpc-client.js';
import { RpcError } from './rpc-error.js';
import type { TransactionPlace } from './transaction-store.js';

export interface Receipt {
  readonly place: TransactionPlace;
  readonly isSuccess: boolean;
  readonly logs: readonly ChainLog[];
}

/** Undefined when the node does not know the transaction as mined. */
export async function findReceipt(rpc: Rpc, hash: string): Promise<Receipt | undefined> {
  const answer = await rpc.request<Readonly<Record<string, unknown>> | null>('eth_getTransactionReceipt', [hash]);
  if (answer === null) return undefined;
  const { blockHash, transactionHash, status } = answer;
  if (typeof blockHash !== 'string' || transactionHash !== hash) {
    throw new RpcError('transport', 'The node answered another receipt than asked for');
  }
  return {
    place: {
      hash,
      blockHash,
      blockNumber: parseQuantity(answer['blockNumber']),
      gasUsed: String(parseQuantity(answer['gasUsed'])),
    },
    isSuccess: status === '0x1',
    logs: parseLogs(answer['logs']),
  };
}
