import { asRevert, decodeOutputs, encodeCall, type AbiFragment, type Network } from '#evm';
import { PatchbayError } from '#sdk';
import { priceFeedErrors } from './feed-abi.js';

export interface AskOptions {
  /** Number as a quantity, or a word. Default: the latest block. */
  readonly block?: string;
  readonly signal?: AbortSignal;
}

/** By name in the address book, or as it is. @throws evm.unknownContract */
export async function contractAddress({ addressBook }: Network, contract: string): Promise<string> {
  if (/^0x[0-9a-fA-F]{40}$/.test(contract)) return contract.toLowerCase();
  return (await addressBook.get(contract)).address;
}

/**
 * What a view function answers, by name.
 *
 * @throws evm.unknownFunction when nothing fitting answers, evm.reverted when the contract refuses
 */
export async function ask(
  { rpc }: Network,
  to: string,
  fragment: AbiFragment,
  args: Readonly<Record<string, unknown>> = {},
  { block = 'latest', signal }: AskOptions = {},
): Promise<Readonly<Record<string, unknown>>> {
  const call = { to, data: encodeCall(fragment, args) };
  const answer = await rpc.request<string>('eth_call', [call, block], signal).catch((error: unknown) => {
    throw asRevert(error, priceFeedErrors) ?? error;
  });
  return decodeOutputs(fragment, answer);
}

/** Like {@link ask}; undefined when the contract has no such function, or refuses. */
export async function askIfThere(
  network: Network,
  to: string,
  fragment: AbiFragment,
  args?: Readonly<Record<string, unknown>>,
  options?: AskOptions,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  return await ask(network, to, fragment, args, options).catch((error: unknown) => {
    if (isNothingThere(error)) return undefined;
    throw error;
  });
}

function isNothingThere(error: unknown): boolean {
  return error instanceof PatchbayError && (error.code === 'evm.unknownFunction' || error.code === 'evm.reverted');
}
