import { readFile } from 'node:fs/promises';
import { RpcClient, compileLogDecoder, getFragment, type Abi } from '#evm';

export interface LogRange {
  readonly url: string;
  readonly token: string;
  readonly from: number;
  readonly to: number;
  readonly blocksAtOnce: number;
}

export interface Log {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly blockTimestamp: string;
  readonly transactionHash: string;
  readonly transactionIndex: string;
  readonly logIndex: string;
}

const { abi } = JSON.parse(await readFile('contracts/abi/DemoToken.json', 'utf8')) as { readonly abi: Abi };
const decoder = compileLogDecoder(getFragment(abi, 'event', 'Transfer'));

/** Transfers, a range of blocks at a time while the next one is being fetched. No reorganisations, no cursor. */
export async function* readTransfers({ url, token, from, to, blocksAtOnce }: LogRange): AsyncGenerator<readonly Log[]> {
  const rpc = new RpcClient({ urls: [url], chainId: 31_337 });
  const fetchFrom = async (first: number): Promise<readonly Log[]> => {
    if (first > to) return [];
    const last = Math.min(to, first + blocksAtOnce - 1);
    const query = { address: token, topics: [decoder.topic], fromBlock: hex(first), toBlock: hex(last) };
    return rpc.request<Log[]>('eth_getLogs', [query]);
  };
  let fetching = fetchFrom(from);
  for (let start = from; start <= to; start += blocksAtOnce) {
    const logs = await fetching;
    fetching = fetchFrom(start + blocksAtOnce);
    yield logs;
  }
}

/** A transfer in the words of the hub. */
export function transferOf(log: Log): { readonly time: string; readonly data: object } {
  const time = new Date(Number(log.blockTimestamp) * 1_000).toISOString();
  return {
    time,
    data: {
      name: 'Transfer',
      ...decoder.decode(log),
      contract: { name: 'usdc', address: log.address },
      transaction: { hash: log.transactionHash, index: Number(log.transactionIndex) },
      block: { number: Number(log.blockNumber), hash: log.blockHash, timestamp: time },
      log: { index: Number(log.logIndex) },
      network: 'local',
      chainId: 31_337,
    },
  };
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
