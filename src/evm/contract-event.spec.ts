import { describe, expect, it } from '@jest/globals';
import { AbiCoder } from 'ethers';
import type { AbiFragment } from './abi.js';
import type { ChainLog } from './chain-log.js';
import { contractEventOf } from './contract-event.js';
import { compileLogDecoder } from './log-decoder.js';

const said: AbiFragment = {
  type: 'event',
  name: 'Said',
  inputs: [
    { name: 'by', type: 'address', indexed: true },
    { name: 'text', type: 'string' },
  ],
};
const address = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
const decoder = compileLogDecoder(said);
const log: ChainLog = {
  address,
  topics: [decoder.topic, `0x${'0'.repeat(24)}${address.slice(2)}`],
  data: AbiCoder.defaultAbiCoder().encode(['string'], ['hello']),
  blockNumber: 7,
  blockHash: `0x${'b'.repeat(64)}`,
  transactionHash: `0x${'c'.repeat(64)}`,
  transactionIndex: 2,
  logIndex: 3,
  timestamp: 1_700_000_000,
};
const common = { decoder, network: 'local', chainId: 31_337 };

describe('the event of a contract', () => {
  it('given a log, when shown, then it says what, where and when', () => {
    expect(contractEventOf({ ...common, log, contractName: 'forum' })).toEqual({
      name: 'Said',
      args: { by: address, text: 'hello' },
      contract: { name: 'forum', address },
      transaction: { hash: log.transactionHash, index: 2 },
      block: { number: 7, hash: log.blockHash, timestamp: '2023-11-14T22:13:20.000Z' },
      log: { index: 3 },
      network: 'local',
      chainId: 31_337,
    });
  });

  it('given a log that cannot be read, when shown, then the reason and the log are in it', () => {
    expect(contractEventOf({ ...common, log: { ...log, data: '0x' }, contractName: undefined })).toMatchObject({
      args: { by: address, text: null },
      contract: { address },
      decodeError: 'text: the data ends too early',
      raw: { topics: log.topics, data: '0x' },
    });
  });

  it('given an event of the same signature with other arguments indexed, when shown, then it is another one', () => {
    const other = { ...log, topics: [decoder.topic] };
    expect(contractEventOf({ ...common, log: other, contractName: undefined })).toBeUndefined();
  });
});
