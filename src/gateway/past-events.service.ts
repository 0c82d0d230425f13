import {
  compileLogDecoder,
  contractEventOf,
  filterTopics,
  formatPosition,
  getFragment,
  readPastLogs,
  type AbiFragment,
  type ContractEvent,
  type LogFilter,
  type Network,
} from '#evm';
import { PatchbayError } from '#sdk';
import type { CallableContract } from './contracts.service.js';

export interface PastEventsWish {
  readonly event: AbiFragment;
  /** Values of indexed arguments by name. */
  readonly where: Readonly<Record<string, unknown>>;
  readonly fromBlock: number;
  /** Up to now when it is not given. */
  readonly toBlock: number | undefined;
  /** Of the answer before. */
  readonly cursor: string | undefined;
  readonly limit: number;
}

export interface PastEventsPage {
  readonly events: readonly ContractEvent[];
  /** To go on with; undefined at the end. A page may be shorter than its limit, or empty, before the end. */
  readonly cursor: string | undefined;
}

/** A long empty stretch of a chain is read over several answers. */
const patienceMs = 5_000;

/** The event as its ABI has it. @throws evm.unknownFunction */
export function findEvent({ contract }: CallableContract, nameOrSignature: string): AbiFragment {
  return getFragment(contract.abi, 'event', nameOrSignature);
}

/** What a contract emitted, oldest first, in pages. */
export async function readPastEvents(
  { network, contract }: CallableContract,
  wish: PastEventsWish,
): Promise<PastEventsPage> {
  const decoder = compileLogDecoder(wish.event);
  const filter: LogFilter = {
    addresses: [contract.address],
    topics: filterTopics(wish.event, wish.where, '#').map((topic) => (typeof topic === 'string' ? [topic] : topic)),
  };
  const start = wish.cursor === undefined ? { block: wish.fromBlock, log: -1 } : parseCursor(wish.cursor);
  const last = Math.min(wish.toBlock ?? Infinity, await headOf(network));
  const events: ContractEvent[] = [];
  const stop = new AbortController();
  const giveUpAt = Date.now() + patienceMs;
  try {
    const range = { from: start.block, to: last };
    for await (const { logs, next } of readPastLogs(network.rpc, filter, range, stop.signal)) {
      for (const log of logs) {
        if (log.blockNumber === start.block && log.logIndex <= start.log) continue;
        const event = contractEventOf({
          log,
          decoder,
          contractName: contract.name,
          network: network.name,
          chainId: network.chainId,
        });
        if (event === undefined) continue;
        if (events.length === wish.limit) {
          const { block, log: at } = events.at(-1) ?? event;
          return { events, cursor: formatPosition(block.number, at.index) };
        }
        events.push(event);
      }
      if (Date.now() > giveUpAt && next <= last) return { events, cursor: afterAll(events, next) };
    }
  } finally {
    stop.abort();
  }
  return { events, cursor: undefined };
}

async function headOf(network: Network): Promise<number> {
  return Number(await network.rpc.request<string>('eth_blockNumber', []));
}

/** A part may end inside a block, whose first logs are then not given again. */
function afterAll(events: readonly ContractEvent[], next: number): string {
  const last = events.at(-1);
  if (last?.block.number === next) return formatPosition(next, last.log.index);
  return formatPosition(next - 1, 999_999);
}

function parseCursor(cursor: string): { readonly block: number; readonly log: number } {
  const match = /^(\d{12}):(\d{6})$/.exec(cursor);
  if (match) return { block: Number(match[1]), log: Number(match[2]) };
  throw new PatchbayError('request.invalid', {
    detail: `${JSON.stringify(cursor.slice(0, 50))} is no cursor of this list`,
    fix: 'Give the cursor of the answer before, as it was.',
    faults: [{ pointer: '#/cursor', detail: 'Not a cursor' }],
  });
}
