import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startOracleStage, type OracleStage } from '../builders/oracle-stage.js';
import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { eventually } from '../builders/eventually.js';
import { OracleRequests, priceFlow } from '../builders/oracle-requests.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';

const kills = 30;
const requestsInAll = 500;
const depth = 5;

describe('an oracle whose hub is killed while the chain is reorganised', () => {
  let chain: DevChain;
  let stage: OracleStage;
  let database: TestDatabase;
  let hub: HubProcess;
  let requests: OracleRequests;

  beforeAll(async () => {
    [chain, database] = await Promise.all([DevChain.start(), createTestDatabase()]);
    stage = await startOracleStage(chain);
    hub = await HubProcess.create({
      databaseUrl: database.url,
      flows: { 'prices.yaml': priceFlow('my-oracle') },
      env: { ORACLE_KEY: devAccounts[1].key },
      configuration: `
networks:
  local: { rpcUrl: "${chain.url}", chainId: 31337, confirmations: 6, revertedAfter: 6 }
signers:
  oracle-key: { privateKey: { env: ORACLE_KEY } }
connections:
  my-oracle: { connector: oracle, network: local, contract: "${stage.operator.address}", signer: oracle-key }
`,
    });
    await hub.start();
    await hub.untilListening();
    await chain.call('evm_setAutomine', [false]);
    await chain.call('evm_setIntervalMining', [1]);
    requests = await OracleRequests.open(chain, stage);
  }, 180_000);

  afterAll(async () => {
    await hub.remove();
    await chain.stop();
    await database.drop();
  }, 60_000);

  it(`given ${String(requestsInAll)} requests, when the hub is killed ${String(kills)} times and ${String(depth)} blocks are replaced, then each is answered once, with its value`, async () => {
    let again = 0;
    for (let kill = 1; kill <= kills; kill += 1) {
      await requests.ask(Math.ceil((requestsInAll * kill) / kills) - requests.asked);
      await delay(randomInt(100, 900));
      if (kill === kills / 2) {
        // So that answers are dropped too, some with their requests and some without.
        await requests.untilAnswering();
        again = await requests.reorganise(depth);
      }
      await hub.kill();
      await hub.start();
    }

    await requests.untilAnswered(requestsInAll, { withinMs: 90_000 });
    await eventually(() => countOf('run', `state in ('queued', 'running')`).then((open) => open === 0), {
      withinMs: 60_000,
      what: 'The end of every run',
    });
    await chain.call('evm_setIntervalMining', [0]);
    expect(again).toBeGreaterThan(0);
    expect(await requests.report()).toMatchObject({
      requests: requestsInAll,
      unanswered: 0,
      answeredTwice: 0,
      wrong: 0,
    });
    expect(await countOf('run', `state = 'failed'`)).toBe(0);
    // Refused by the contract were only answers to what the chain had dropped.
    expect(await countOf('chain_transaction', `status = 'failed'`)).toBeLessThanOrEqual(again);
  }, 400_000);

  async function countOf(table: string, condition: string): Promise<number> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ count: string }>(`select count(*) from ${table} where ${condition}`);
      return Number(rows[0]?.count);
    } finally {
      await client.end();
    }
  }
});
