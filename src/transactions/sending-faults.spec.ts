import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isFinal, type StoredFeeWish } from '#evm';
import { eventually } from '../../test/builders/eventually.js';
import { awayOnce, overlaid } from '../../test/builders/overlaid.js';
import { rpcError, rpcResult } from '../evm/testing/fault-proxy.js';
import { SendingStage, soon } from './testing/sending-stage.js';

let stage: SendingStage;

beforeAll(async () => {
  stage = await SendingStage.start();
});

afterAll(() => stage.close());

beforeEach(() => stage.nextMint());

afterEach(() => stage.clear());

describe('a store that is away while sending', () => {
  it('given that it cannot keep where a transaction was mined, when it is back, then it is kept after all', async () => {
    const store = awayOnce(stage.store, 'setStatus');

    const record = await stage.sendAndWait(stage.aManager({ store }), stage.aMint());

    expect(store.wasAway).toBe(true);
    expect(await stage.statuses(record.id)).toEqual(['reserved', 'signed', 'broadcast', 'mined', 'confirmed']);
    expect(record.place).toMatchObject({ hash: record.attempts[0]?.hash });
  });

  it('given one that was mined before a process began, when its end cannot be kept at first, then it is kept after all', async () => {
    const earlier = stage.aManager();
    const { id } = await earlier.submit(stage.aMint({ finality: 3 }));
    await earlier.waitFor(id, 'mined', soon());
    await earlier.close();
    await stage.chain.mine(4);
    const store = awayOnce(stage.store, 'setStatus', (changes) => JSON.stringify(changes).includes('confirmed'));

    const record = await stage.aManager({ store }).waitFor(id, 'final', soon());

    expect(store.wasAway).toBe(true);
    expect(record).toMatchObject({ status: 'confirmed' });
  });

  it('given that it cannot keep that a wish was granted, when it is back, then the fee was raised once', async () => {
    await stage.chain.call('evm_setAutomine', [false]);
    const store = awayOnce(stage.store, 'grant');
    const manager = stage.aManager({ store });
    const { id } = await manager.submit(stage.aMint());
    await manager.waitFor(id, 'broadcast', soon());

    await manager.replace(id, {});
    await eventually(async () => (await stage.stored(id)).wish === undefined);

    expect(store.wasAway).toBe(true);
    expect((await stage.stored(id)).attempts).toHaveLength(2);
    await manager.replace(id, {});
    await eventually(async () => (await stage.stored(id)).attempts.length === 3);
    await stage.chain.call('evm_setAutomine', [true]);
    await manager.waitFor(id, 'final', soon());
  });

  it.each([
    ['before it is kept that the first was granted', () => awayOnce(stage.store, 'grant')],
    ['while the first is granted', () => stage.store],
  ])('given another fee that is asked for %s, then that one is offered too', async (_when, granting) => {
    await stage.chain.call('evm_setAutomine', [false]);
    const granted = granting();
    let isWished = false;
    const grant = async (id: string, fee: StoredFeeWish | undefined): Promise<void> => {
      if (!isWished) await stage.store.wish(id, 'replace', { max: '90000000000', tip: '9000000000' });
      isWished = true;
      await granted.grant(id, fee);
    };
    const manager = stage.aManager({ store: overlaid(granted, { grant }) });
    const { id } = await manager.submit(stage.aMint());
    await manager.waitFor(id, 'broadcast', soon());

    await manager.replace(id, {});
    await eventually(async () => (await stage.stored(id)).wish === undefined);

    expect((await stage.stored(id)).attempts).toMatchObject([{}, {}, { maxFee: '90000000000' }]);
    await stage.chain.call('evm_setAutomine', [true]);
    await manager.waitFor(id, 'final', soon());
  });

  it('given that it cannot keep that no node has it, when it is back, then its history tells it', async () => {
    await stage.chain.call('evm_setAutomine', [false]);
    const store = awayOnce(stage.store, 'setStatus', (changes) => JSON.stringify(changes).includes('forgotten'));
    const manager = stage.aManager({ store, resendAfterMs: 60_000 });
    const { id } = await manager.submit(stage.aMint());
    await manager.waitFor(id, 'broadcast', soon());
    for (const wait of [() => store.wasAway, async () => (await stage.reasons(id)).length > 0]) {
      await eventually(async () => {
        await stage.chain.call('anvil_dropAllTransactions');
        await stage.chain.mine();
        return await wait();
      });
    }
    await eventually(async () => {
      await stage.chain.mine();
      return isFinal(await stage.stored(id));
    });

    expect(await stage.reasons(id)).toEqual(['forgotten']);
  });
});

describe('a node that misbehaves while sending', () => {
  it('given a node that says yes and forgets, when it is asked again, then the same bytes are sent again', async () => {
    const manager = stage.aManager({ resendAfterMs: 50 }, { url: stage.proxy.url });
    let isSwallowed = false;
    stage.proxy.fault = async (call, forward) => {
      if (call.method !== 'eth_sendRawTransaction' || isSwallowed) return await forward();
      isSwallowed = true;
      return rpcResult(call, `0x${'12'.repeat(32)}`);
    };

    const record = await stage.sendAndWait(manager, stage.aMint());

    expect(record.attempts).toHaveLength(1);
    expect(await stage.balance()).toBe(1);
  });

  it('given a node that forgets its whole pool, when blocks go by, then the same bytes of all are sent again', async () => {
    await stage.chain.call('evm_setAutomine', [false]);
    const manager = stage.aManager({ resendAfterMs: 60_000 });
    const records = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        manager.submit(stage.aMint({ idempotencyKey: `${stage.key('pool')}-${String(index)}` })),
      ),
    );
    await Promise.all(records.map(({ id }) => manager.waitFor(id, 'broadcast', soon())));
    await stage.chain.call('anvil_dropAllTransactions');
    await stage.chain.mine(4);
    await stage.chain.call('evm_setAutomine', [true]);

    const ends = await Promise.all(records.map(({ id }) => manager.waitFor(id, 'final', soon())));

    expect(ends.map(({ status, attempts }) => [status, attempts.length])).toEqual(records.map(() => ['confirmed', 1]));
    const [lowest] = records.toSorted((one, other) => one.nonce - other.nonce);
    expect(await stage.reasons(lowest!.id)).toEqual(['forgotten']);
    expect(await stage.balance()).toBe(5);
  });

  it('given an answer that is lost after the node has taken it, when it is asked again, then nothing is sent anew', async () => {
    const manager = stage.aManager({}, { url: stage.proxy.url });
    let losses = 3;
    stage.proxy.fault = async (call, forward, response) => {
      const answer = await forward();
      if (call.method === 'eth_sendRawTransaction' && losses-- > 0) response.destroy();
      return answer;
    };

    const record = await stage.sendAndWait(manager, stage.aMint());

    expect(record.attempts).toHaveLength(1);
    expect(await stage.balance()).toBe(1);
  });

  it('given a fee that is too low, when blocks go by, then it is raised with the same nonce and either receipt counts', async () => {
    await stage.chain.call('evm_setAutomine', [false]);
    const manager = stage.aManager({ resendAfterMs: 60_000 });
    const { id, nonce } = await manager.submit(stage.aMint());
    const [first] = (await manager.waitFor(id, 'broadcast', soon())).attempts;
    await eventually(async () => {
      await stage.chain.call('anvil_setNextBlockBaseFeePerGas', [`0x${(BigInt(first!.maxFee) + 1n).toString(16)}`]);
      await stage.chain.mine();
      return isFinal(await stage.stored(id));
    });

    const record = await stage.stored(id);
    expect(record).toMatchObject({ status: 'confirmed', nonce });
    expect(BigInt(record.attempts.at(1)?.maxFee ?? 0) * 8n).toBeGreaterThanOrEqual(BigInt(first!.maxFee) * 9n);
    expect(await stage.balance()).toBe(1);
  });

  it('given bytes that can never be mined, when the node refuses them, then the nonce is filled and the transaction has failed', async () => {
    stage.proxy.fault = async (call, forward) => {
      const isPayload = call.method === 'eth_sendRawTransaction' && String(call.params[0]).length > 400 - 64;
      return isPayload ? rpcError(call, -32_000, 'exceeds block gas limit') : await forward();
    };
    const before = await stage.nonces();

    const record = await stage.sendAndWait(stage.aManager({}, { url: stage.proxy.url }), stage.aMint());

    expect(record).toMatchObject({ status: 'failed', failure: { code: 'evm.rpc' } });
    expect(record.failure?.detail).toContain('exceeds block gas limit');
    expect(await stage.nonces()).toBe(before + 1);
    expect(await stage.balance()).toBe(0);
  });

  it('given receipts that come late, when the node has them, then it is mined', async () => {
    let nulls = 5;
    stage.proxy.fault = async (call, forward) => {
      if (call.method === 'eth_getBlockReceipts' && nulls-- > 0) return rpcResult(call, null);
      return call.method === 'eth_getTransactionReceipt' && nulls-- > 0 ? rpcResult(call, null) : await forward();
    };
    expect(await stage.sendAndWait(stage.aManager({}, { url: stage.proxy.url }), stage.aMint())).toMatchObject({
      status: 'confirmed',
    });
  });

  it('given a node that says something else of the block just then, when no other block comes, then it is confirmed all the same', async () => {
    await stage.chain.call('evm_setAutomine', [false]);
    const manager = stage.aManager({}, { url: stage.proxy.url });
    const { id } = await manager.submit(stage.aMint({ finality: 1 }));
    await manager.waitFor(id, 'broadcast', soon());
    await stage.chain.mine();
    const { place } = await manager.waitFor(id, 'mined', soon());
    const number = `0x${(place?.blockNumber ?? 0).toString(16)}`;
    let asked = 0;
    stage.proxy.fault = async (call, forward) => {
      const isIt = call.method === 'eth_getBlockByNumber' && call.params[0] === number;
      if (!isIt || (asked += 1) > 1) return await forward();
      return rpcResult(call, null);
    };
    await stage.chain.mine();

    expect(await manager.waitFor(id, 'final', soon())).toMatchObject({ status: 'confirmed', place });
    expect(asked).toBeGreaterThan(0);
  });

  it('given a block that leaves the chain, when it is confirmed, then the same transaction is mined again', async () => {
    const manager = stage.aManager();
    const { id } = await manager.submit(stage.aMint({ finality: 2 }));
    await manager.waitFor(id, 'mined', soon());
    await stage.chain.call('anvil_reorg', [1, []]);
    await eventually(async () => {
      await stage.chain.mine();
      return isFinal(await stage.stored(id));
    });

    const record = await stage.stored(id);
    expect(record).toMatchObject({ status: 'confirmed' });
    expect(record.attempts).toHaveLength(1);
    expect(await stage.balance()).toBe(1);
    expect((await stage.statuses(id)).filter((status) => status === 'mined')).toHaveLength(2);
  });
});
