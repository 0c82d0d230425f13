import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { RpcClient, compileLogDecoder, getFragment, type Abi } from '#evm';
import { nowMs, optionsOf, say, untilStopped } from './part-process.js';

export interface BareBackfillOptions {
  readonly url: string;
  readonly databaseUrl: string;
  readonly token: string;
  readonly from: number;
  readonly to: number;
  readonly blocksAtOnce: number;
}

interface Log {
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

// Fetches, decodes with the compiled decoder and inserts the rows the hub would, a range at a time while the next one is being
// fetched. No reorganisations, no cursor, no recognising of what is there already.
const { url, databaseUrl, token, from, to, blocksAtOnce } = optionsOf<BareBackfillOptions>();
const { abi } = JSON.parse(await readFile('contracts/abi/DemoToken.json', 'utf8')) as { readonly abi: Abi };
const decoder = compileLogDecoder(getFragment(abi, 'event', 'Transfer'));
const rpc = new RpcClient({ urls: [url], chainId: 31_337 });
const client = new pg.Client({ connectionString: databaseUrl });
await client.connect();
await client.query('create table bare_event (like event including all)');

const startedAtMs = nowMs();
let rows = 0;
let fetching = fetchFrom(from);
for (let start = from; start <= to; start += blocksAtOnce) {
  const logs = await fetching;
  fetching = fetchFrom(start + blocksAtOnce);
  await insert(logs);
  rows += logs.length;
}
say({ rows, ms: nowMs() - startedAtMs });
await client.end();
await untilStopped();
process.exit(0);

async function fetchFrom(first: number): Promise<readonly Log[]> {
  if (first > to) return [];
  const last = Math.min(to, first + blocksAtOnce - 1);
  const query = { address: token, topics: [decoder.topic], fromBlock: hex(first), toBlock: hex(last) };
  return rpc.request<Log[]>('eth_getLogs', [query]);
}

async function insert(logs: readonly Log[]): Promise<void> {
  await client.query({
    name: 'insert',
    text: `
      insert into bare_event (id, source, key, type, subject, place, position, time, data)
      select id, source, key, type, subject, place, position, time, data
      from json_to_recordset($1::json) as heard
        (id uuid, source text, key text, type text, subject text, place text, position text, time timestamptz, data jsonb)`,
    values: [JSON.stringify(logs.map(rowOf))],
  });
}

function rowOf(log: Log): object {
  const time = new Date(Number(log.blockTimestamp) * 1_000).toISOString();
  const block = Number(log.blockNumber);
  const index = Number(log.logIndex);
  return {
    id: randomUUID(),
    source: 'bare',
    key: `31337-${log.transactionHash}-${index}`,
    type: 'evm.contractEvent',
    subject: log.address,
    place: log.blockHash,
    position: `${String(block).padStart(12, '0')}-${String(index).padStart(6, '0')}`,
    time,
    data: {
      name: 'Transfer',
      ...decoder.decode(log),
      contract: { name: 'usdc', address: log.address },
      transaction: { hash: log.transactionHash, index: Number(log.transactionIndex) },
      block: { number: block, hash: log.blockHash, timestamp: time },
      log: { index },
      network: 'local',
      chainId: 31_337,
    },
  };
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
