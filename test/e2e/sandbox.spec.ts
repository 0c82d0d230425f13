import { readFile, readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { recipients } from '../../sandbox/demo.js';
import { eventually } from '../builders/eventually.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { silentLog } from '../environment/silent-log.js';

let database: TestDatabase;
let sandbox: Sandbox;
let hub: HubProcess;

const counted = `
name: counted
trigger:
  uses: evm.contractEvent
  with: { contract: usdc, event: Transfer }
  where: { event.args.value: { lt: 1000 } }
steps:
  - uses: http.request
    with: { method: POST, url: "{{env.COUNT_URL}}", body: { id: "{{event.transaction.hash}}" } }
`;
const ticking = `
name: ticking
trigger: { uses: schedule.cron, with: { cron: "* * * * * *" } }
steps:
  - uses: http.request
    with: { method: POST, url: "{{env.TICK_URL}}", body: { id: "{{event.scheduledFor}}" } }
`;

beforeAll(async () => {
  [database, sandbox] = await Promise.all([
    createTestDatabase(),
    startSandbox({ port: 0, chainPort: 0, blockTimeSeconds: 1, log: silentLog }),
  ]);
  // Before anybody listened: what only a backfill finds.
  for (const amount of ['0.0001', '0.0002', '0.0003']) await sandbox.demo.transfer(amount);
  hub = await HubProcess.create({
    databaseUrl: database.url,
    flows: { ...(await exampleFlows()), 'counted.yaml': counted, 'ticking.yaml': ticking },
    configuration: await readFile('patchbay.yaml', 'utf8'),
    env: {
      ...sandbox.env,
      PATCHBAY_FLOW_ENV: 'COUNT_URL,TICK_URL',
      COUNT_URL: `${sandbox.url}/sink/counted`,
      TICK_URL: `${sandbox.url}/sink/ticks`,
    },
  });
  await hub.start();
  // Those of the examples that listen: to the chain, the gateway, oracles and Salesforce.
  await hub.untilListening(10);
});

afterAll(async () => {
  await hub.remove();
  await sandbox.stop();
  await database.drop();
});

async function exampleFlows(): Promise<Record<string, string>> {
  const names = (await readdir('flows')).filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'));
  const texts = await Promise.all(names.map((name) => readFile(`flows/${name}`, 'utf8')));
  return Object.fromEntries(names.map((name, i) => [name, texts[i] ?? '']));
}

const received = (standIn: string, part: string) =>
  sandbox.received.list(standIn).filter((request) => request.body.includes(part));
const records = (object: string) => sandbox.salesforce.state().records[object] ?? [];

describe('the example flows in the sandbox', () => {
  it('given large-transfer, when a large transfer is mined, then Salesforce, IFTTT and Zapier each learn of it once', async () => {
    const { transactionHash, to } = await sandbox.demo.transfer('25000', recipients[1]);

    await eventually(() => received('zapier', '25000').length > 0, { what: 'the Zapier hook' });

    const contact = records('Contact').find((record) => record['Wallet__c'] === to);
    expect(contact).toMatchObject({ Last_Transfer__c: '25000', Last_Transfer_Tx__c: transactionHash });
    expect(received('ifttt', '25000 USDC')).toHaveLength(1);
    expect(JSON.parse(received('zapier', '25000')[0]?.body ?? '')).toEqual({
      contactId: contact?.['Id'],
      amount: '25000',
    });
  });

  it('given loyalty-points, when an opportunity is won, then points are minted and the transaction is written back', async () => {
    const { id } = sandbox.demo.winOpportunity({ amount: 1_200, wallet: recipients[2] });

    const opportunity = await eventually(
      () => records('Opportunity').find((record) => record['Id'] === id && record['Mint_Tx__c'] !== undefined),
      { withinMs: 30_000, what: 'the minting' },
    );

    const receipt = await sandbox.chain.rpc<{ status: string }>('eth_getTransactionReceipt', opportunity['Mint_Tx__c']);
    expect(receipt.status).toBe('0x1');
    const { items } = await hub.get<{ items: { status: string; signer: string }[] }>('/api/transactions');
    // The oracle of the examples sends too, by the clock.
    expect(items.filter(({ signer }) => signer !== 'demo-oracle')).toMatchObject([{ signer: 'treasury' }]);
  });

  it('given shipped-order, when the org publishes that an order was shipped, then the order has a receipt and the org hears of it', async () => {
    sandbox.salesforce.publish('Order_Shipped__e', { Number__c: 'A-17', Tracking__c: 'KX-2201' });

    const issued = await eventually(() => sandbox.salesforce.events('/event/Receipt_Issued__e')[0], {
      what: 'the receipt',
    });

    const [order] = records('Shop_Order__c');
    const [file] = records('ContentVersion');
    expect(order).toMatchObject({ Number__c: 'A-17', Tracking__c: 'KX-2201' });
    expect(file).toMatchObject({ Title: 'receipt-A-17', FirstPublishLocationId: order?.['Id'] });
    expect(issued).toMatchObject({
      data: { payload: { Number__c: 'A-17', Document__c: file?.['ContentDocumentId'] } },
    });
  });

  it('given zap-lead, when one entry of a form is posted twice, then there is one lead', async () => {
    const entry = { id: 'entry-31', name: 'Lovelace', email: 'Ada@example.com' };

    for (let time = 0; time < 2; time += 1) await hub.post('/hooks/zap-lead', entry);
    await eventually(() => records('Lead').length > 0, { what: 'the lead' });

    expect(records('Lead')).toMatchObject([{ Form_Entry__c: 'entry-31', LastName: 'Lovelace', Company: 'unknown' }]);
  });

  it('given every example, when the hub asks the other sides, then they have all that it names', async () => {
    const examples = await exampleFlows();
    const { flows } = await hub.get<{ flows: { name: string; faults: object[] }[] }>('/api/flows');

    expect(flows.map(({ name }) => `${name}.yaml`)).toEqual(expect.arrayContaining(Object.keys(examples)));
    expect(flows.flatMap(({ faults }) => faults)).toEqual([]);
    for (const document of Object.values(examples)) {
      expect(await hub.post('/api/flows/lint', { document })).toEqual({ faults: [], warnings: [] });
    }
  });

  it('given Salesforce that loses its answer, when the step is tried again, then there is one contact and the run completes', async () => {
    sandbox.salesforce.addFault({ kind: 'loseAnswer', on: 'rest', times: 1, method: 'PATCH' });

    await sandbox.demo.transfer('31000', recipients[3]);
    await eventually(() => received('zapier', '31000').length > 0, { what: 'the Zapier hook' });

    expect(records('Contact').filter((record) => record['Wallet__c'] === recipients[3])).toHaveLength(1);
  });
});

describe('the past', () => {
  it('given transfers from before, when a backfill reads them, then they are stored without runs, and a replay starts those', async () => {
    const backfill = await hub.post<{ id: string }>('/api/flows/counted/backfills', { from: 0, startRuns: false });
    const done = await eventually(async () => {
      const view = await hub.get<{ state: string; events: number; done: number; total: number }>(
        `/api/backfills/${backfill.id}`,
      );
      return view.state === 'running' ? undefined : view;
    });
    const runsBefore = sandbox.sinks.get('counted').report().received;

    const dry = await hub.post<{ calls: object; runs: string[] }>('/api/flows/counted/replay', { dryRun: true });
    const real = await hub.post<{ runs: string[] }>('/api/flows/counted/replay', { dryRun: false });
    await eventually(() => sandbox.sinks.get('counted').report().distinctIds >= 3, { what: 'the replayed runs' });

    expect(done).toMatchObject({ state: 'completed', events: 3 });
    expect(done.done).toBe(done.total);
    expect(runsBefore).toBe(0);
    expect(dry).toMatchObject({ calls: { 'http.request': 3 }, runs: [] });
    expect(real.runs).toHaveLength(3);
  });
});

describe('the clock', () => {
  it('given a flow for every second, when seconds pass, then each starts one run', async () => {
    const report = await eventually(() => {
      const ticks = sandbox.sinks.get('ticks').report();
      return ticks.distinctIds >= 3 ? ticks : undefined;
    });

    expect(report.doubledEffects).toBe(0);
  });
});

describe('what an operator reads', () => {
  it('given a hub at work, when its metrics are read, then they count runs, events and silence', async () => {
    const response = await fetch(`${hub.url}/metrics`, { headers: { authorization: `Bearer ${hub.key}` } });
    const text = await response.text();

    expect(text).toMatch(/patchbay_runs_total\{flow="large-transfer",outcome="completed"\} [1-9]/);
    expect(text).toMatch(/patchbay_events_ingested_total\{uses="evm.contractEvent"\} [1-9]/);
    expect(text).toMatch(/patchbay_trigger_silence_seconds\{uses="evm.contractEvent",connection="local"\}/);
  });

  it('given every connection of the sandbox, when it is tested, then it works', async () => {
    const { connections } = await hub.get<{ connections: { name: string }[] }>('/api/connections');
    for (const { name } of connections) {
      expect(await hub.post(`/api/connections/${name}/test`, {})).toMatchObject({ works: true });
    }
    expect(JSON.stringify(connections)).not.toContain(sandbox.env['SANDBOX_SALESFORCE_SECRET']);
  });
});
