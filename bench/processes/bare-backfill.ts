import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { readTransfers, transferOf, type Log, type LogRange } from './bare-logs.js';
import { nowMs, optionsOf, say, untilStopped } from './part-process.js';

export interface BareBackfillOptions extends LogRange {
  readonly databaseUrl: string;
}

// Fetches, decodes with the compiled decoder and inserts the rows the hub would, a range at a time while the next one is being
// fetched. No reorganisations, no cursor, no recognising of what is there already.
const options = optionsOf<BareBackfillOptions>();
const client = new pg.Client({ connectionString: options.databaseUrl });
await client.connect();
await client.query('create table bare_event (like event including all)');

const startedAtMs = nowMs();
let rows = 0;
for await (const logs of readTransfers(options)) {
  await insert(logs);
  rows += logs.length;
}
say({ rows, ms: nowMs() - startedAtMs });
await client.end();
await untilStopped();
process.exit(0);

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
    ...transferOf(log),
  };
}
