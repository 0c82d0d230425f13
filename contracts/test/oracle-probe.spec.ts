import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DevChain, artefact } from '../../src/evm/testing/dev-chain.js';
import { deployContract, type Deployed } from '../../test/builders/deployed.js';

const specId = `0x${'61'.repeat(32)}`;

let chain: DevChain;
let oracle: string;
let stranger: string;
let probe: Deployed;

beforeAll(async () => {
  chain = await DevChain.start();
  [, oracle = '', stranger = ''] = await chain.call<string[]>('eth_accounts');
  const link = await deployContract(chain, artefact('LinkToken'), []);
  probe = await deployContract(chain, artefact('OracleProbe'), [link.address]);
});

afterAll(async () => {
  await chain.stop();
});

async function asked(): Promise<string> {
  const events = await probe.events(await probe.send('ask', [oracle, specId, 0, '0x']));
  return /Asked\((0x[0-9a-f]{64})/.exec(events.join('\n'))?.[1] ?? '';
}

describe('the probe', () => {
  it('given a question, when the oracle answers with several words, then all of them are kept, and only once', async () => {
    const requestId = await asked();
    const words = '0'.repeat(63) + '7' + 'f'.repeat(64);

    // As an oracle calls back: the id, and behind it one word or more.
    await chain.send({ from: oracle, to: probe.address, data: probe.encode('answered', [requestId]) + words });

    expect(await probe.read('answerOf', [requestId])).toBe(`0x${words}`);
    expect(await probe.refusal('answered', [requestId], { from: oracle })).toContain('NotPending');
  });

  it('given a question, when somebody else answers or asks, then it is refused', async () => {
    const requestId = await asked();
    expect(await probe.refusal('answered', [requestId], { from: stranger })).toContain('NotPending');
    expect(await probe.refusal('ask', [oracle, specId, 0, '0x'], { from: stranger })).toContain('NotOwner');
  });
});
