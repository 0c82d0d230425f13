import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../../src/cli/program.js';
import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { ScriptedServer } from '../builders/scripted-server.js';
import { aTerminal } from '../builders/terminal.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';

let chain: DevChain;
let database: TestDatabase;
let hub: HubProcess;
let source: ScriptedServer;
let job: string;

beforeAll(async () => {
  [chain, database, source] = await Promise.all([DevChain.start(), createTestDatabase(), ScriptedServer.start()]);
  source.answer = () => ({ body: { data: { price: '1234.56' } } });
  hub = await HubProcess.create({
    databaseUrl: database.url,
    flows: {},
    configuration: `
networks:
  local: { rpcUrl: "${chain.url}", chainId: 31337, confirmations: 0 }
signers:
  treasury: { privateKey: "${devAccounts[0].key}" }
`,
  });
  await hub.start();
});

afterAll(async () => {
  await source.stop();
  await hub.remove();
  await chain.stop();
  await database.drop();
});

async function patchbay(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const terminal = aTerminal({
    env: { PATCHBAY_HUB: hub.url, PATCHBAY_KEY: hub.key, PATCHBAY_FLOWS_DIR: 'flows' },
    cwd: hub.folder,
  });
  const status = await runCli(args, terminal);
  return { status, stdout: terminal.stdout(), stderr: terminal.stderr() };
}

describe('the tutorial of the oracle', () => {
  it('given a network without LINK, when an oracle is deployed, then contracts, connection and job are there', async () => {
    const deployed = await patchbay('--json', 'oracle', 'deploy', '--signer', 'treasury', '--job', 'price');

    expect(deployed.status).toBe(0);
    const result = JSON.parse(deployed.stdout) as { job: { id: string; specId: string } };
    job = result.job.id;
    expect(result.job.specId).toBe(`0x${Buffer.from(job.replaceAll('-', '')).toString('hex')}`);
    expect(await readFile(join(hub.folder, 'flows/price.yaml'), 'utf8')).toContain(`job: ${job}`);
    expect(await hub.get('/api/connections')).toMatchObject({
      connections: expect.arrayContaining([
        expect.objectContaining({
          name: 'oracle',
          settings: expect.objectContaining({ contract: 'operator', signer: 'treasury' }),
        }),
      ]),
    });
  });

  it('given the same command again, then nothing is deployed twice', async () => {
    const before = await chain.call('eth_getTransactionCount', [devAccounts[0].address, 'latest']);
    expect(await patchbay('oracle', 'deploy', '--signer', 'treasury')).toMatchObject({ status: 0 });
    expect(await chain.call('eth_getTransactionCount', [devAccounts[0].address, 'latest'])).toBe(before);
  });

  it('given the job, when it is asked with a payment, then the answer is shown', async () => {
    await hub.untilListening();
    const params = { get: `${source.url}/eth`, path: 'data,price', times: '100' };
    const given = Object.entries(params).flatMap(([key, value]) => ['--param', `${key}=${value}`]);

    const asked = await patchbay('--json', 'oracle', 'ask', 'oracle', '--job', job, '--payment', '5', ...given);

    expect(asked).toMatchObject({ status: 0 });
    expect(JSON.parse(asked.stdout)).toMatchObject({ number: '123456' });
  });

  it('given a job that no flow has, when it is asked, then the dead letter of the request is told instead of waiting', async () => {
    const asked = await patchbay('oracle', 'ask', 'oracle', '--job', 'nope');

    const { items } = await hub.get<{ items: readonly { id: string }[] }>('/api/dead-letters');
    expect(items).toHaveLength(1);
    expect(asked).toMatchObject({ status: 1, stdout: '' });
    expect(asked.stderr).toContain(
      `the dead letter ${items[0]?.id}: oracle.unknownJob  No flow of oracle has the job nope.`,
    );
    expect(asked.stderr).toContain('Fix: Add a flow with job: nope');
    expect(asked.stderr).toContain(`npx patchbay dead-letters show ${items[0]?.id}`);
  });

  it.each([
    [['deploy', '--signer', 'nobody'], 4, 'There is no signer nobody'],
    [['deploy', '--signer', 'treasury', '--job', 'price'], 7, 'flows/price.yaml exists already'],
    [['deploy', '--signer', 'treasury', '--name', 'Other Name'], 2, 'no name'],
    [['deploy', '--signer', 'treasury', '--network', 'main'], 4, 'There is no network main'],
    [['ask', 'nope', '--job', 'price'], 4, 'There is no oracle connection nope'],
    [['ask', 'oracle', '--job', 'x'.repeat(33)], 2, 'at most 32 bytes'],
    [['ask', 'oracle', '--job', 'price', '--param', 'url'], 2, 'no key=value'],
  ])('given %j, then it is refused with what to do', async (args, status, said) => {
    const refused = await patchbay('oracle', ...args);
    expect(refused.status).toBe(status);
    expect(refused.stderr).toContain(said);
  });
});
