import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DevChain, devAccounts } from '../../../src/evm/testing/dev-chain.js';
import { startOracleStage, type OracleStage } from '../../../test/builders/oracle-stage.js';

let chain: DevChain;
let stage: OracleStage;

beforeAll(async () => {
  chain = await DevChain.start();
  stage = await startOracleStage(chain, { withOldOracle: true });
});

afterAll(() => chain.stop());

const job = `0x${Buffer.from('0eec7e1dd0d2476ca1a872dfb6633f46').toString('hex')}`;
const requestTopic = '0xd8d7ecc4800d25fa53ce0372f13a416d98907a7ef3d8d3bdd79cf4fe75529c65';

describe('the contracts of the vendor', () => {
  it('given a consumer with LINK, when it asks, then the operator emits the request', async () => {
    const { logs } = await stage.send(stage.consumer, 'askPrice', [job, '1', 'https://a.example', 'a,b', '100']);

    expect(
      logs.filter(({ address, topics }) => address === stage.operator.address && topics[0] === requestTopic),
    ).toEqual([expect.objectContaining({ topics: [requestTopic, job] })]);
    expect(await stage.read(stage.operator, 'isAuthorizedSender', [devAccounts[1].address])).toEqual({ arg0: true });
  });

  it('given the ancestor of the operator, when it is asked, then it emits the same event', async () => {
    const { logs } = await stage.send(stage.oldConsumer!, 'askPrice', [job, '1', 'https://a.example', 'a,b', '100']);

    expect(logs.some(({ address, topics }) => address === stage.oldOracle!.address && topics[0] === requestTopic)).toBe(
      true,
    );
  });
});
