import { describe, expect, it } from '@jest/globals';
import type { AbiFragment, ContractEvent } from '#evm';
import { contractEventItem, flattened, publishedItem, runItem, runResult, transferItem } from './items.js';

const fragment: AbiFragment = {
  type: 'event',
  name: 'Sold',
  inputs: [
    { name: 'who', type: 'address', indexed: true },
    { name: 'amount', type: 'uint256' },
    { name: 'count', type: 'uint32' },
    { name: 'isGift', type: 'bool' },
    { name: 'note', type: 'string', indexed: true },
    { name: 'parts', type: 'uint256[]' },
    { name: '', type: 'int128' },
  ],
};

const sold: ContractEvent = {
  name: 'Sold',
  args: {
    who: '0xaa',
    amount: '115792089237316195423570985008687907853269984665640564039457584007913129639935',
    count: '7',
    isGift: false,
    note: { hash: '0xcc' },
    parts: ['1', '2'],
    arg6: '-1500000',
  },
  contract: { address: '0xbb' },
  transaction: { hash: '0x9f', index: 0 },
  block: { number: 12, hash: '0x1b', timestamp: '2026-01-01T00:00:00.000Z' },
  log: { index: 3 },
  network: 'local',
  chainId: 31_337,
};

describe('what a Zap sees', () => {
  it('given an event, then it is flat, big numbers are text with the scaled one beside them, and the id names the log', () => {
    expect(contractEventItem(sold, fragment, 6)).toEqual({
      id: '31337:0x9f:3',
      network: 'local',
      chain_id: 31_337,
      contract_name: '',
      contract_address: '0xbb',
      transaction_hash: '0x9f',
      block_number: 12,
      block_hash: '0x1b',
      log_index: 3,
      time: '2026-01-01T00:00:00.000Z',
      event: 'Sold',
      arg_who: '0xaa',
      arg_amount: '115792089237316195423570985008687907853269984665640564039457584007913129639935',
      arg_amount_formatted: '115792089237316195423570985008687907853269984665640564039457584007913129.639935',
      arg_count: '7',
      arg_isGift: false,
      arg_note: '0xcc',
      arg_parts: '["1","2"]',
      arg_arg6: '-1500000',
      arg_arg6_formatted: '-1.5',
    });
  });

  it('given arguments that could not be read, then the keys are the same', () => {
    const whole = Object.keys(contractEventItem(sold, fragment, 6));

    expect(Object.keys(contractEventItem({ ...sold, args: {} }, fragment, 6))).toEqual(whole);
    expect(transferItem({ ...sold, args: {} }, 6)).toMatchObject({ amount: '', amount_formatted: '' });
  });

  it('given a run, then what its steps gave is flat, and the callback says why it failed', () => {
    const run = {
      id: 'r1',
      flow: 'points',
      version: 'v1',
      state: 'failed',
      error: { code: 'evm.reverted', message: 'NotOwner' },
      startedAt: null,
      finishedAt: new Date('2026-01-01T00:00:00Z'),
      outputs: { mint: { transactionHash: '0x9f', events: [{ name: 'Minted' }] }, 'step-2': 7n },
    };

    expect(runItem(run)).toMatchObject({
      id: 'r1:failed',
      error_code: 'evm.reverted',
      started_at: null,
      finished_at: '2026-01-01T00:00:00.000Z',
      output_mint_transactionHash: '0x9f',
      output_mint_events: '[{"name":"Minted"}]',
      output_step_2: '7',
    });
    expect(runResult(run)).toMatchObject({ id: 'r1', error: { message: 'NotOwner' }, outputs: { step_2: '7' } });
  });

  it('given a field called like one that every event has, then that one stays', () => {
    const time = '2026-01-01T00:00:00+01:00';
    const item = publishedItem({ slug: 'sold', id: '1', time, ingredients: { id: 'other', amount: '5' } });

    expect(item).toEqual({ id: '1', event: 'sold', time: '2025-12-31T23:00:00.000Z', amount: '5' });
  });

  it('given something endless, then it is cut', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, index]));

    expect(Object.keys(flattened(many, ''))).toHaveLength(200);
  });
});
