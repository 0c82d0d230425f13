import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../builders/eventually.js';
import { OracleHub } from '../builders/oracle-hub.js';
import { OracleRequests, priceFlow } from '../builders/oracle-requests.js';

const burst = 500;

let oracle: OracleHub;
let requests: OracleRequests;

beforeAll(async () => {
  oracle = await OracleHub.start({
    flows: () => ({ 'prices.yaml': priceFlow('my-oracle') }),
    chainOptions: ['--gas-limit', '100000000'],
  });
  requests = await OracleRequests.open(oracle.chain, oracle.stage);
});

afterAll(() => oracle.remove(), 30_000);

interface Listed {
  readonly items: readonly { readonly error: { readonly code: string } | null }[];
}

describe('an oracle', () => {
  it(`given ${String(burst)} requests at once and a block a second, then each is answered once, with its value`, async () => {
    await oracle.chain.call('evm_setAutomine', [false]);
    await requests.ask(burst);
    await oracle.chain.call('evm_setIntervalMining', [1]);

    await requests.untilAnswered(burst, { withinMs: 90_000 });

    expect(await requests.report()).toMatchObject({ requests: burst, unanswered: 0, answeredTwice: 0, wrong: 0 });
  });

  it('given a request whose answer no uint256 can hold, then it is a dead letter, and the next one is answered', async () => {
    await requests.ask(1, '-5');
    await requests.ask(1);

    const { items } = await eventually(async () => {
      const letters = await oracle.hub.get<Listed>('/api/dead-letters');
      return letters.items.length > 0 && letters;
    });
    expect(items.map(({ error }) => error?.code)).toEqual(['oracle.answer']);
    await requests.untilAnswered(burst + 2, { withinMs: 60_000, others: 1 });
  });
});
