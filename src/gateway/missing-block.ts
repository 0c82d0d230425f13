import { RpcError, findBlock, type Network } from '#evm';
import { PatchbayError } from '#sdk';

/**
 * The error of a read as of a block that the chain has not got; undefined when it is something else. Nodes say it in words of
 * their own, so the chain is asked how far it is.
 *
 * @param block as the node was asked
 */
export async function asMissingBlock(
  error: unknown,
  network: Pick<Network, 'name' | 'rpc'>,
  block: string | undefined,
): Promise<PatchbayError | undefined> {
  if (!isRejected(error)) return undefined;
  const detail = await whyMissing(network, block);
  if (detail === undefined) return undefined;
  return new PatchbayError('request.invalid', { detail, cause: error, faults: [{ pointer: '#/block', detail }] });
}

async function whyMissing(
  { name, rpc }: Pick<Network, 'name' | 'rpc'>,
  block: string | undefined,
): Promise<string | undefined> {
  if (block === 'safe' || block === 'finalized') {
    // Nodes that do not know the word refuse it here too.
    const found = await findBlock(rpc, block).catch((error: unknown) => (isRejected(error) ? undefined : error));
    return found === undefined ? `${name} has no ${block} block` : undefined;
  }
  if (block?.startsWith('0x') !== true) return undefined;
  const head = await findBlock(rpc, 'latest').catch(() => undefined);
  if (head === undefined || Number(block) <= head.number) return undefined;
  return `${name} has no block ${Number(block)} yet: its newest is ${head.number}`;
}

function isRejected(error: unknown): boolean {
  return error instanceof RpcError && error.kind === 'rejected';
}
