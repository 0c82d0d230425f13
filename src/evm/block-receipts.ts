import { parseHeader, toQuantity, type BlockHeader } from './block.js';
import type { NodeTraits } from './node-traits.js';
import { findMined, parseReceipt, type Receipt } from './receipt.js';
import type { Rpc } from './rpc-client.js';
import { RpcError, isUnknownMethod } from './rpc-error.js';

export interface BlockReceipts {
  readonly block: BlockHeader;
  /** In the order of the block. */
  readonly receipts: readonly Receipt[];
}

/** Receipts asked one by one, together in one request, are cheaper than all of a block this many times as large. */
const fewOfMany = 16;

/**
 * The receipts of the wanted transactions that are in a block; all of them, and all from this block. Undefined when the node
 * does not have the block yet. One node must answer: give what `RpcClient.pass` gives.
 *
 * @param wanted hashes in lower case
 * @throws evm.rpc when the node has the block and not yet its receipts, or a reorganisation came in between; ask again
 */
export async function findReceiptsInBlock(
  rpc: Rpc,
  blockNumber: number,
  wanted: ReadonlySet<string>,
  traits: Pick<NodeTraits, 'blockReceipts'>,
): Promise<BlockReceipts | undefined> {
  const answer = await rpc.request<Readonly<Record<string, unknown>> | null>('eth_getBlockByNumber', [
    toQuantity(blockNumber),
    false,
  ]);
  const block = parseHeader(answer);
  if (!answer || !block) return undefined;
  if (block.number !== blockNumber) throw new RpcError('transport', 'The node answered another block than asked for');
  const mined = hashesOf(answer['transactions']);
  const hashes = mined.filter((hash) => wanted.has(hash));
  if (hashes.length === 0) return { block, receipts: [] };
  const isWhole = traits.blockReceipts && mined.length < hashes.length * fewOfMany;
  const receipts =
    (isWhole ? await readWhole(rpc, block, new Set(hashes)) : undefined) ?? (await findMined(rpc, hashes));
  if (receipts.length !== hashes.length) throw new RpcError('transport', 'The node lacks receipts of the block');
  if (receipts.some(({ place }) => place.blockHash !== block.hash)) {
    throw new RpcError('transport', 'The node answered receipts of another block');
  }
  return { block, receipts };
}

/** Undefined when the node, against its traits, does not know the method: another one stands behind the address now. */
async function readWhole(
  rpc: Rpc,
  block: BlockHeader,
  wanted: ReadonlySet<string>,
): Promise<readonly Receipt[] | undefined> {
  const answer = await rpc.request<unknown>('eth_getBlockReceipts', [block.hash]).catch((error: unknown) => {
    if (isUnknownMethod(error)) return undefined;
    throw error;
  });
  if (answer === undefined) return undefined;
  if (!Array.isArray(answer)) throw new RpcError('transport', 'The node does not have the receipts of the block');
  return (answer as readonly Readonly<Record<string, unknown>>[])
    .filter(({ transactionHash }) => typeof transactionHash === 'string' && wanted.has(transactionHash.toLowerCase()))
    .map((receipt) => parseReceipt(receipt));
}

function hashesOf(transactions: unknown): readonly string[] {
  if (!Array.isArray(transactions)) throw new RpcError('transport', 'The node answered a block without transactions');
  return (transactions as readonly unknown[]).map((hash) => String(hash).toLowerCase());
}
