import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSalesforceStandIn } from '../../sandbox/salesforce/index.js';
import { nowMs, optionsOf, say, untilStopped } from './part-process.js';

export interface OrgState {
  /** Different records that were written. */
  readonly distinctIds: number;
  /** Rows that were written although they had been before. */
  readonly doubled: number;
  readonly rows: number;
  readonly calls: number;
}

interface OrgOptions {
  /** How long an answer takes after the work is done. */
  readonly answerMs: number;
}

interface Written {
  readonly Key__c?: string;
  readonly Block__c?: string;
}

const options = optionsOf<OrgOptions>();
const org = createSalesforceStandIn({
  dailyRequests: 1_000_000_000,
  customFields: {
    Transfer__c: {
      Key__c: { type: 'string', length: 80, externalId: true, unique: true },
      ...{ Block__c: 'string', To__c: 'string', Amount__c: 'string' },
    },
  },
});
if (options.answerMs > 0) {
  org.addFault({ kind: 'delayAnswer', ms: options.answerMs, method: 'PATCH', times: Number.MAX_SAFE_INTEGER });
}

let keys = new Set<string>();
let samples: number[] = [];
let rows = 0;
let calls = 0;

const server = createServer((request, response) => {
  if (request.url === '/bench') {
    if (request.method === 'DELETE') reset();
    const state: OrgState = { distinctIds: keys.size, doubled: rows - keys.size, rows, calls };
    return void response.end(JSON.stringify(request.method === 'DELETE' ? {} : state));
  }
  if (request.url === '/bench/samples') return void response.end(JSON.stringify(samples));
  if (request.method === 'PATCH') watch(request);
  org.handle(request, response);
});
server.keepAliveTimeout = 65_000;
server.listen(0, '127.0.0.1', () => say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
await untilStopped();
process.exit(0);

/** Takes down what a call writes; it is written as soon as the whole of it has come. */
function watch(request: IncomingMessage): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const now = nowMs();
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Written & { readonly records?: readonly Written[] };
    // A single upsert names its key in the address.
    const single = { ...body, Key__c: decodeURIComponent(request.url?.split('/').at(-1) ?? '') };
    calls += 1;
    for (const { Key__c: key = '', Block__c: block } of body.records ?? [single]) {
      rows += 1;
      if (!keys.has(key)) samples.push(Number(block), now);
      keys.add(key);
    }
  });
}

function reset(): void {
  keys = new Set();
  samples = [];
  rows = calls = 0;
}
