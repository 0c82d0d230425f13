import { describe, expect, it } from '@jest/globals';
import { formatEvents, revertedOf } from './stream-format.js';
import type { StreamEvent } from './stream.js';

const event: StreamEvent = {
  specversion: '1.0',
  id: '31337:0xaa:0xbb:0',
  source: '/networks/local',
  type: 'evm.contractEvent',
  data: {
    name: 'Settled',
    args: { orderId: '991', amount: '2500' },
    contract: { address: '0x91' },
    transaction: {
      hash: '0xaa',
      index: 17,
      from: '0x77',
      call: { function: 'settle(uint256)', args: { orderId: '991' } },
    },
    block: { number: 3021, hash: '0xbb', timestamp: '2026-01-05T10:00:00.000Z' },
    log: { index: 4 },
    network: 'local',
    chainId: 31337,
  },
};
const events = [{ event: 'event Settled(uint256 orderId, uint256 amount)' }];
const labels = { stream: 'es-1', name: 'settled' };

function formatted(format: 'ethconnect' | 'firefly', one: StreamEvent): unknown {
  const { body } = formatEvents({ format, labels, events }, { id: 'b', number: 1, stream: 'sb-1', events: [one] });
  return (JSON.parse(body) as unknown[])[0];
}

describe('events in the forms of older gateways', () => {
  it('given the form of ethconnect, when an event is sent, then it has its fields, and our stable id', () => {
    expect(formatted('ethconnect', event)).toEqual({
      id: '31337:0xaa:0xbb:0',
      address: '0x91',
      blockNumber: '3021',
      blockHash: '0xbb',
      transactionHash: '0xaa',
      transactionIndex: '0x11',
      logIndex: '4',
      signature: 'Settled(uint256,uint256)',
      data: { orderId: '991', amount: '2500' },
      subId: 'sb-1',
      timestamp: '1767607200',
      inputMethod: 'settle',
      inputArgs: { orderId: '991' },
      inputSigner: '0x77',
    });
  });

  it('given the form of FireFly, when an event is sent, then it has its fields', () => {
    expect(formatted('firefly', event)).toMatchObject({
      listenerId: 'sb-1',
      subId: 'sb-1',
      streamId: 'es-1',
      listenerName: 'settled',
      transactionIndex: '17',
      timestamp: '2026-01-05T10:00:00.000Z',
      chainId: '31337',
    });
  });

  it.each(['ethconnect', 'firefly'] as const)(
    'given %s, when an event is taken back, then nobody takes it for a new one',
    (format) => {
      expect(formatted(format, revertedOf(event))).toMatchObject({
        id: '31337:0xaa:0xbb:0:reverted',
        signature: 'reverted:Settled(uint256,uint256)',
        reverted: true,
        revertedId: '31337:0xaa:0xbb:0',
      });
    },
  );

  it('given an event that cannot be decoded, when it is sent, then it says why and has no data', () => {
    const broken = { ...event, data: { ...event.data, decodeError: 'too short' } };

    expect(formatted('ethconnect', broken)).toMatchObject({ data: null, decodeError: 'too short' });
  });
});
