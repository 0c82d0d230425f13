import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { eventually } from '../builders/eventually.js';
import { OracleHub } from '../builders/oracle-hub.js';
import { OracleRequests, priceFlow } from '../builders/oracle-requests.js';

const kills = 30;
const requestsInAll = 500;
const depth = 5;

describe('an oracle whose hub is killed while the chain is reorganised', () => {
  let oracle: OracleHub;
  let requests: OracleRequests;

  beforeAll(async () => {
    oracle = await OracleHub.start({
      flows: () => ({ 'prices.yaml': priceFlow('my-oracle') }),
      network: 'confirmations: 6, revertedAfter: 6',
    });
    const { chain, stage } = oracle;
    await chain.call('evm_setAutomine', [false]);
    await chain.call('evm_setIntervalMining', [1]);
    requests = await OracleRequests.open(chain, stage);
  }, 180_000);

  afterAll(() => oracle.remove(), 60_000);

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
      await oracle.hub.kill();
      await oracle.hub.start();
    }

    await requests.untilAnswered(requestsInAll, { withinMs: 90_000 });
    await eventually(() => countOf('run', `state in ('queued', 'running')`).then((open) => open === 0), {
      withinMs: 60_000,
      what: 'The end of every run',
    });
    await oracle.chain.call('evm_setIntervalMining', [0]);
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
    const client = new pg.Client({ connectionString: oracle.database.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ count: string }>(`select count(*) from ${table} where ${condition}`);
      return Number(rows[0]?.count);
    } finally {
      await client.end();
    }
  }
});
