import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startOracleStage, type OracleStage } from '../builders/oracle-stage.js';
import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { eventually } from '../builders/eventually.js';
import { OracleRequests, priceFlow } from '../builders/oracle-requests.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';

const burst = 500;

let chain: DevChain;
let stage: OracleStage;
let database: TestDatabase;
let hub: HubProcess;
let requests: OracleRequests;

beforeAll(async () => {
  [chain, database] = await Promise.all([DevChain.start(['--gas-limit', '100000000']), createTestDatabase()]);
  stage = await startOracleStage(chain);
  hub = await HubProcess.create({
    databaseUrl: database.url,
    flows: { 'prices.yaml': priceFlow('my-oracle') },
    env: { ORACLE_KEY: devAccounts[1].key },
    configuration: `
networks:
  local: { rpcUrl: "${chain.url}", chainId: 31337, confirmations: 0 }
signers:
  oracle-key: { privateKey: { env: ORACLE_KEY } }
connections:
  my-oracle: { connector: oracle, network: local, contract: "${stage.operator.address}", signer: oracle-key }
`,
  });
  await hub.start();
  await hub.untilListening();
  requests = await OracleRequests.open(chain, stage);
}, 120_000);

afterAll(async () => {
  await hub.remove();
  await chain.stop();
  await database.drop();
}, 30_000);

interface Listed {
  readonly items: readonly { readonly error: { readonly code: string } | null }[];
}

describe('an oracle', () => {
  it(`given ${String(burst)} requests at once and a block a second, then each is answered once, with its value`, async () => {
    await chain.call('evm_setAutomine', [false]);
    await requests.ask(burst);
    await chain.call('evm_setIntervalMining', [1]);

    await requests.untilAnswered(burst, { withinMs: 90_000 });

    expect(await requests.report()).toMatchObject({ requests: burst, unanswered: 0, answeredTwice: 0, wrong: 0 });
  }, 120_000);

  it('given a request whose answer no uint256 can hold, then it is a dead letter, and the next one is answered', async () => {
    await requests.ask(1, '-5');
    await requests.ask(1);

    const { items } = await eventually(async () => {
      const letters = await hub.get<Listed>('/api/dead-letters');
      return letters.items.length > 0 && letters;
    });
    expect(items.map(({ error }) => error?.code)).toEqual(['oracle.answer']);
    await requests.untilAnswered(burst + 2, { withinMs: 20_000, others: 1 });
  }, 60_000);
});
