import type { EndedRun } from '#runs';
import { transactionItem, type Item } from './items.js';

/** What an editor shows where nothing has happened yet; made as everything else is. */
export function exampleTransaction(): Item {
  return transactionItem(
    {
      id: '0b7ad5c4-3f0e-4d0e-9d0e-2f2a3c1b0a99:5',
      transaction: {
        id: '0b7ad5c4-3f0e-4d0e-9d0e-2f2a3c1b0a99',
        idempotencyKey: 'example',
        chainId: 1,
        signer: 'treasury',
        from: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
        to: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
        nonce: 7,
        value: '0',
        contractAddress: null,
        about: { contract: 'loyalty-token', function: 'mint(address,uint256)' },
        origin: 'flow:loyalty-points',
      },
      network: 'mainnet',
      status: 'confirmed',
      hash: `0x${'ab'.repeat(32)}`,
      place: { hash: `0x${'ab'.repeat(32)}`, blockNumber: 1_000, blockHash: `0x${'cd'.repeat(32)}`, gasUsed: '51234' },
      failure: null,
      reason: null,
      time: '2026-01-01T00:00:00.000Z',
    },
    'mainnet',
  );
}

export function exampleRun(flow: string): EndedRun {
  return {
    id: '2040e8bf-ce55-8998-a33d-71433dc91548',
    flow,
    version: 'example',
    state: 'completed',
    error: null,
    startedAt: new Date('2026-01-01T00:00:00.000Z'),
    finishedAt: new Date('2026-01-01T00:00:05.000Z'),
    outputs: {},
  };
}
