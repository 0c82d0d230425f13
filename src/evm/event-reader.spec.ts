import { describe, expect, it } from '@jest/globals';
import type { ChainLog } from './chain-log.js';
import { parseEventDeclaration } from './event-declaration.js';
import { EventReader } from './event-reader.js';
import { compileLogDecoder } from './log-decoder.js';

const decoder = compileLogDecoder(parseEventDeclaration('event Paid(uint256 amount)'));
const network = { name: 'local', chainId: 1 };

function aLog(logIndex: number, block = 'a'): ChainLog {
  return {
    address: `0x${'11'.repeat(20)}`,
    topics: [decoder.topic],
    data: `0x${'00'.repeat(31)}05`,
    blockNumber: 7,
    blockHash: `0x${block.repeat(64)}`,
    transactionHash: `0x${'22'.repeat(32)}`,
    transactionIndex: 0,
    logIndex,
    timestamp: 0,
  };
}

describe('the events of one listener', () => {
  it('given a block that comes in parts, when its logs are alike, then each has an id of its own', () => {
    const whole = new EventReader({ network, decoder, contractName: 'shop' }).read([aLog(0), aLog(1), aLog(2)]);
    const reader = new EventReader({ network, decoder, contractName: 'shop' });
    const parts = [...reader.read([aLog(0), aLog(1)]), ...reader.read([aLog(2)])];

    expect(parts).toEqual(whole);
    expect(new Set(parts.map(({ id }) => id)).size).toBe(3);
    expect(parts[2]).toMatchObject({
      position: '000000000007:000002',
      event: { name: 'Paid', args: { amount: '5' }, contract: { name: 'shop' } },
    });
  });

  it('given blocks that come again, when the reader was told, then the ids are the same', () => {
    const reader = new EventReader({ network, decoder, contractName: undefined });
    const [first] = reader.read([aLog(0)]);
    reader.restart();

    expect(reader.read([aLog(0)])[0]?.id).toBe(first?.id);
    expect(reader.read([aLog(4, 'b')])[0]?.id).toBe(first?.id);
  });

  it('given a log of another event with the same signature, then it is left out', () => {
    const reader = new EventReader({ network, decoder, contractName: undefined });

    expect(reader.read([{ ...aLog(0), topics: [decoder.topic, `0x${'33'.repeat(32)}`] }])).toEqual([]);
  });
});
