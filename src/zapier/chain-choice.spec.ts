import { describe, expect, it } from '@jest/globals';
import { compileLogDecoder, parseEventDeclaration, type ChainLog, type Network } from '#evm';
import { chooseOnChain } from './chain-choice.js';

const fragment = parseEventDeclaration('event Paid(uint256 amount)');
const address = `0x${'11'.repeat(20)}`;
const network = {
  name: 'local',
  chainId: 1,
  addressBook: { get: () => Promise.resolve({ name: 'shop', address, abi: [fragment], decimals: 6 }) },
} as unknown as Network;

function aLog(logIndex: number): ChainLog {
  return {
    address,
    topics: [compileLogDecoder(fragment).topic],
    data: `0x${'00'.repeat(31)}05`,
    blockNumber: 7,
    blockHash: `0x${'aa'.repeat(32)}`,
    transactionHash: `0x${'22'.repeat(32)}`,
    transactionIndex: 0,
    logIndex,
    timestamp: 0,
  };
}

describe('an event that a Zap has chosen', () => {
  it('given logs of one transaction that are alike, when they come in parts, then each is an event, and again the same one', async () => {
    const choice = await chooseOnChain(network, { trigger: 'contract_event', contract: 'shop', event: 'Paid' });

    const heard = [...choice.hear([aLog(0), aLog(1)]), ...choice.hear([aLog(2)])];
    expect(new Set(heard.map(({ key }) => key)).size).toBe(3);
    expect(heard.map(({ item }) => item.id)).toEqual([0, 1, 2].map((index) => `1:${aLog(0).transactionHash}:${index}`));

    choice.restart();
    expect(choice.hear([aLog(0), aLog(1), aLog(2)])).toEqual(heard);
  });
});
