import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../test/builders/eventually.js';
import { DeliveryStage, valuesOf } from './testing/delivery-stage.js';

let stage: DeliveryStage;

beforeAll(async () => {
  stage = await DeliveryStage.start();
});

afterEach(() => stage.clear());

afterAll(() => stage.close());

describe('a reorganisation', () => {
  it('given ten blocks that are replaced, when some of their events are mined again, then these do not come twice and the others are taken back', async () => {
    const { service } = await stage.aProcess();
    await service.create(stage.aStream(), 'test');
    const first = (await stage.chain.head()) + 1;
    for (let amount = 101; amount <= 110; amount++) await stage.transferOf(stage.chain.token, amount);
    await eventually(() => stage.receiver.events.length === 10);
    const before = stage.receiver.events.slice();

    const again = await Promise.all([first, first + 1, first + 2].map((number) => rawTransaction(number)));
    await stage.chain.call('anvil_reorg', [10, again.map((raw, index) => [raw, index])]);
    await stage.transferOf(stage.chain.token, 111);
    await eventually(() => stage.receiver.events.length >= 11);
    expect(valuesOf(stage.receiver.events.slice(10))).toEqual([111]);
    await stage.chain.mine(15);
    await eventually(() => stage.receiver.events.length >= 18);

    const reverted = stage.receiver.events.slice(11);
    expect(reverted.map(({ type }) => type)).toEqual(Array.from({ length: 7 }, () => 'evm.contractEvent.reverted'));
    expect(valuesOf(reverted)).toEqual([110, 109, 108, 107, 106, 105, 104]);
    expect(reverted.map(({ data }) => data['reverted'])).toEqual(
      before
        .slice(3)
        .map(({ id }) => id)
        .reverse(),
    );
    expect(new Set(stage.receiver.events.map(({ id }) => id)).size).toBe(18);
    await stage.chain.mine(15);
    await eventually(async () => (await stage.store.pool.query('select from stream_delivered')).rowCount === 0);
    expect(stage.receiver.events).toHaveLength(18);
  });

  it('given a reorganisation while the process is away in the middle of a block, when it is back, then nothing is lost or doubled', async () => {
    const first = await stage.aProcess();
    await first.service.create(stage.aStream(), 'test');
    stage.receiver.answer = (count) => (count <= 1 ? 200 : undefined);
    await stage.chain.transferMany(70, 5n);
    await eventually(() => stage.receiver.received.length === 2);
    await stage.stop(first);

    await stage.chain.call('anvil_reorg', [1, []]);
    stage.receiver.answer = () => 200;
    await stage.aProcess();
    await stage.transferOf(stage.chain.token, 201);
    await eventually(() => stage.receiver.events.length >= 51);
    await stage.chain.mine(16);
    await eventually(() => stage.receiver.events.length >= 101);

    expect(valuesOf(stage.receiver.events.slice(50, 51))).toEqual([201]);
    expect(stage.receiver.events.filter(({ type }) => type.endsWith('.reverted'))).toHaveLength(50);
    expect(new Set(stage.receiver.events.map(({ id }) => id)).size).toBe(101);
  });
});

async function rawTransaction(block: number): Promise<string> {
  const { transactions } = await stage.chain.call<{ transactions: string[] }>('eth_getBlockByNumber', [
    `0x${block.toString(16)}`,
    false,
  ]);
  return stage.chain.call('eth_getRawTransactionByHash', [transactions[0]]);
}
