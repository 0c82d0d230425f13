import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sandboxApp, sandboxFields } from '../../sandbox/salesforce/index.js';
import { runCli } from '../../src/cli/program.js';
import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { eventually } from '../builders/eventually.js';
import { startSalesforce, type SalesforceOrg } from '../builders/salesforce-org.js';
import { aTerminal, type Terminal } from '../builders/terminal.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';

const member = devAccounts[1].address;
const artefact = new URL('../../contracts/abi/MemberRegistry.json', import.meta.url);

let chain: DevChain;
let salesforce: SalesforceOrg;
let database: TestDatabase;
let hub: HubProcess;

beforeAll(async () => {
  [chain, salesforce, database] = await Promise.all([
    DevChain.start(),
    startSalesforce({ isStrict: true, customFields: sandboxFields }),
    createTestDatabase(),
  ]);
  hub = await HubProcess.create({
    databaseUrl: database.url,
    flows: {},
    env: { TREASURY: devAccounts[0].key },
    configuration: `
networks:
  local: { rpcUrl: "${chain.url}", chainId: 31337, confirmations: 0 }
signers:
  treasury: { privateKey: { env: TREASURY } }
`,
  });
  await hub.start();
  const { abi, bytecode } = JSON.parse(await readFile(artefact, 'utf8')) as { abi: unknown; bytecode: string };
  await hub.post('/api/interfaces', { name: 'MemberRegistry', abi, bytecode });
  await hub.post('/api/interfaces/MemberRegistry/deploy', { from: 'treasury', name: 'members', wait: 'mined' });
});

afterAll(async () => {
  await hub.remove();
  await salesforce.stop();
  await chain.stop();
  await database.drop();
});

/** With answers somebody sits at the terminal. */
async function patchbay(
  line: readonly string[],
  { answers, env = {} }: { answers?: readonly string[]; env?: Record<string, string> } = {},
): Promise<{ code: number; terminal: Terminal }> {
  const terminal = aTerminal({
    env: { PATCHBAY_HUB: hub.url, PATCHBAY_KEY: hub.key, PATCHBAY_FLOWS_DIR: join(hub.folder, 'flows'), ...env },
    ...(answers && { answers }),
  });
  return { code: await runCli(line, terminal), terminal };
}

const sync = (fields: readonly string[]): string[] => [
  ...['sync', 'new', '--name', 'members', '--object', 'Member__c', '--key', 'Wallet__c', '--contract', 'members'],
  ...['--read', 'memberOf', '--event', 'MemberSet', '--event', 'MemberRemoved', '--write', 'setMember'],
  ...['--remove', 'none', '--from', 'treasury', '--mark', 'Removed__c', '--try', member],
  ...fields.flatMap((field) => ['--field', field]),
];

describe('the tutorial of an admin', () => {
  it('given nobody to ask, when something is missing, then the flag is named', async () => {
    const { code, terminal } = await patchbay(['connection', 'add', 'salesforce', '--name', 'crm']);

    expect(code).toBe(2);
    expect(terminal.stderr()).toContain('--set loginUrl=');
  });

  it('given an admin at a terminal, when a connection is added, then it is tried and one record is shown', async () => {
    salesforce.org.create('Contact', { LastName: 'Example', Wallet__c: member });
    const answers = ['1', 'nonsense', salesforce.url, sandboxApp.clientId, 'env:SECRET', ''];
    const { code, terminal } = await patchbay(['connection', 'add', 'salesforce', '--name', 'crm'], {
      answers,
      env: { SECRET: sandboxApp.clientSecret ?? '' },
    });

    expect(terminal.stderr()).toContain('nonsense is no web address');
    expect(terminal.stderr()).toContain('crm works');
    expect(terminal.stdout()).toContain('external ids  Id, Wallet__c');
    expect(terminal.stdout()).toContain('Nothing was written');
    expect(`${terminal.stdout()}${terminal.stderr()}`).not.toContain(sandboxApp.clientSecret);
    expect(code).toBe(0);
  });

  it('given a sync with a slip of the fingers, when it is made, then nothing is written; without it both sides agree', async () => {
    const id = salesforce.org.create('Member__c', { Name: 'Ada', Wallet__c: member, Tier__c: 'gold', Points__c: 12.5 });
    const wrong = await patchbay(sync(['Name=name', 'Teir__c=tier']));
    expect(wrong.code).toBe(3);
    expect(wrong.terminal.stderr()).toContain('Did you mean Tier__c?');

    const right = await patchbay(sync(['Name=name', 'Tier__c=tier', 'Points__c=points:both:18']));
    expect(right.terminal.stderr()).toContain('would call setMember');
    expect(right.code).toBe(0);

    const entry = () =>
      hub.get<{ result: { name: string; tier: string; points: string } }>(
        `/api/contracts/members/memberOf?member=${member}`,
      );
    await eventually(async () => (await entry()).result.name === 'Ada', { what: 'The member on the chain' });
    expect((await entry()).result).toMatchObject({ tier: 'gold', points: '12500000000000000000' });
    salesforce.org.update('Member__c', id, { Tier__c: 'platinum' });
    await eventually(async () => (await entry()).result.tier === 'platinum', { what: 'The tier on the chain' });
  });
});
