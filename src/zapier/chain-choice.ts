import {
  EventReader,
  argumentNames,
  compileLogDecoder,
  filterTopics,
  findBlock,
  getFragment,
  parseEventDeclaration,
  parseUnits,
  readDecimals,
  readPastLogs,
  type AbiFragment,
  type ChainLog,
  type ContractEvent,
  type LogFilter,
  type Network,
} from '#evm';
import { PatchbayError } from '#sdk';
import { contractEventItem, transferItem, type Item } from './items.js';
import type { ChainInput } from './zapier.schema.js';

/** One event of one contract, with everything looked up once. */
export interface ChainChoice {
  readonly filter: LogFilter;
  /** With keys that a reorganisation does not change. What nobody asked for is left out. Logs come in order, in parts. */
  hear(logs: readonly ChainLog[]): readonly HeardItem[];
  /** The same blocks may come again. */
  restart(): void;
  /** Made up, where the chain has none to show. */
  example(): Item;
}

export interface HeardItem {
  readonly key: string;
  readonly position: string | null;
  readonly item: Item;
}

const transfer = parseEventDeclaration('event Transfer(address indexed from, address indexed to, uint256 value)');
const exampleAddress = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
/** How far back an editor is shown what happened. */
const pastBlocks = 2_000;
const pastTimeoutMs = 8_000;

/** @throws evm.unknownContract, evm.unknownFunction, evm.arguments */
export async function chooseOnChain(network: Network, input: ChainInput): Promise<ChainChoice> {
  if (input.trigger === 'contract_event') {
    const contract = await network.addressBook.get(input.contract);
    const fragment = getFragment(contract.abi, 'event', input.event);
    const hasDecimals = contract.abi.some(({ type, name }) => type === 'function' && name === 'decimals');
    const decimals = contract.decimals ?? (hasDecimals ? await readDecimals(network.rpc, contract.address) : 0);
    return choiceOf(network, {
      fragment,
      address: contract.address,
      name: contract.name,
      topics: fragment.anonymous ? [] : filterTopics(fragment, {}),
      itemOf: (event) => contractEventItem(event, fragment, decimals),
    });
  }
  const { address, name, decimals: known } = await tokenOf(network, input.contract);
  const decimals = known ?? (await readDecimals(network.rpc, address));
  const minimum = input.minimum === undefined ? undefined : parseUnits(input.minimum, decimals);
  const parties = { ...(input.from && { from: input.from }), ...(input.to && { to: input.to }) };
  return choiceOf(network, {
    fragment: transfer,
    address,
    name,
    topics: filterTopics(transfer, parties),
    itemOf: (event) => transferItem(event, decimals),
    isWanted: ({ args }) => minimum === undefined || BigInt(String(args['value'])) >= minimum,
  });
}

/** Where a subscription begins: with the block after the newest one. */
export async function headOf(network: Network): Promise<{ readonly next: number; readonly parentHash: string }> {
  const head = await findBlock(network.rpc, 'latest');
  if (head) return { next: head.number + 1, parentHash: head.hash };
  throw new PatchbayError('evm.rpc', { detail: `${network.name} has no newest block` });
}

/** The newest ones that the chain has, newest first; an unwilling node is no fault. */
export async function readNewest(network: Network, choice: ChainChoice, limit: number): Promise<readonly Item[]> {
  const { next } = await headOf(network);
  const signal = AbortSignal.timeout(pastTimeoutMs);
  const items: Item[] = [];
  try {
    const range = { from: Math.max(0, next - pastBlocks), to: next - 1 };
    for await (const { logs } of readPastLogs(network.rpc, choice.filter, range, signal)) {
      items.push(...choice.hear(logs).map(({ item }) => item));
      items.splice(0, items.length - limit);
    }
  } catch {
    // The example stands in.
  }
  return items.reverse();
}

interface Choosing {
  readonly fragment: AbiFragment;
  readonly address: string;
  readonly name: string | undefined;
  readonly topics: readonly (string | string[] | null)[];
  readonly itemOf: (event: ContractEvent) => Item;
  readonly isWanted?: (event: ContractEvent) => boolean;
}

function choiceOf(network: Network, choosing: Choosing): ChainChoice {
  const { fragment, address, name, itemOf, isWanted = () => true } = choosing;
  const reader = new EventReader({ network, decoder: compileLogDecoder(fragment), contractName: name });
  return {
    filter: {
      addresses: [address],
      topics: choosing.topics.map((topic) => (topic === null ? null : [topic].flat())),
    },
    hear: (logs) =>
      reader
        .read(logs)
        .filter(({ event }) => isWanted(event))
        .map(({ id, position, event }) => ({ key: id, position, item: itemOf(event) })),
    restart: () => reader.restart(),
    example: () =>
      itemOf({
        name: fragment.name ?? '',
        args: exampleArguments(fragment),
        contract: name === undefined ? { address } : { name, address },
        transaction: { hash: `0x${'ab'.repeat(32)}`, index: 0 },
        block: { number: 1, hash: `0x${'cd'.repeat(32)}`, timestamp: '2026-01-01T00:00:00.000Z' },
        log: { index: 0 },
        network: network.name,
        chainId: network.chainId,
      }),
  };
}

function exampleArguments({ inputs = [] }: AbiFragment): Record<string, unknown> {
  return Object.fromEntries(argumentNames(inputs).map((name, index) => [name, exampleOf(inputs[index]?.type ?? '')]));
}

function exampleOf(type: string): unknown {
  if (type.endsWith(']')) return [];
  if (type === 'address') return exampleAddress;
  if (type === 'bool') return true;
  if (type === 'string') return 'text';
  if (type.startsWith('bytes')) return `0x${'00'.repeat(Number(type.slice('bytes'.length) || '0'))}`;
  return type.startsWith('tuple') ? {} : '1000000';
}

async function tokenOf(
  network: Network,
  reference: string,
): Promise<{ address: string; name: string | undefined; decimals: number | undefined }> {
  if (!/^0x[0-9a-fA-F]{40}$/.test(reference)) return await network.addressBook.get(reference);
  const address = reference.toLowerCase();
  return { address, name: await network.addressBook.findName(address), decimals: undefined };
}
