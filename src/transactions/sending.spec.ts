import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeySigner, isFinal } from '#evm';
import { Secret } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { DevChain, artefact, devAccounts } from '../evm/testing/dev-chain.js';
import { localLeases, localSignals } from '../evm/testing/manager-parts.js';
import { SendingStage, soon } from './testing/sending-stage.js';

let stage: SendingStage;

beforeAll(async () => {
  stage = await SendingStage.start();
});

afterAll(() => stage.close());

beforeEach(() => stage.nextMint());

afterEach(() => stage.clear());

describe('sending a transaction', () => {
  it('given a request, when it is sent twice, then it is one transaction and every status is kept', async () => {
    const before = await stage.nonces();
    const manager = stage.aManager();

    const record = await stage.sendAndWait(manager, stage.aMint());
    const again = await stage.sendAndWait(manager, stage.aMint());

    expect(record).toMatchObject({ status: 'confirmed', nonce: before });
    expect(again.id).toBe(record.id);
    expect(await stage.balance()).toBe(1);
    expect(await stage.statuses(record.id)).toEqual(['reserved', 'signed', 'broadcast', 'mined', 'confirmed']);
  });

  it('given a used key, when it is used for another payload, then it is a conflict', async () => {
    const manager = stage.aManager();
    await stage.sendAndWait(manager, stage.aMint());
    await expect(manager.submit(stage.aMint({ value: 1n }))).rejects.toMatchObject({ code: 'request.conflict' });
  });

  it('given many callers of two processes at once, when each uses its own key, then there are as many nonces without a gap', async () => {
    const before = await stage.nonces();
    const parts = { signals: localSignals(), leases: localLeases() };
    const managers = [stage.aManager(parts), stage.aManager(parts), stage.aManager(parts, { isSending: false })];

    const records = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        stage.sendAndWait(
          managers[index % 3]!,
          stage.aMint({ idempotencyKey: `${stage.key('many')}-${String(index)}` }),
        ),
      ),
    );

    expect(records.map(({ nonce }) => nonce).sort((one, other) => one - other)).toEqual(
      Array.from({ length: 30 }, (_, index) => before + index),
    );
    expect(await stage.balance()).toBe(30);
  });

  it('given one key, when two processes use it at the same moment, then it is one transaction', async () => {
    const parts = { signals: localSignals(), leases: localLeases() };
    const records = await Promise.all(
      [stage.aManager(parts), stage.aManager(parts)].map((one) => stage.sendAndWait(one, stage.aMint())),
    );
    expect(new Set(records.map(({ id }) => id)).size).toBe(1);
    expect(await stage.balance()).toBe(1);
  });

  it('given confirmations, when the block is mined, then it is mined until the blocks are on top', async () => {
    const manager = stage.aManager();
    const { id } = await manager.submit(stage.aMint({ finality: 2 }));
    expect(await manager.waitFor(id, 'mined', soon())).toMatchObject({ status: 'mined' });
    await stage.chain.mine(2);
    expect(await manager.waitFor(id, 'final', soon())).toMatchObject({ status: 'confirmed' });
  });

  it('given a call that the contract refuses, when it is sent, then its reason is told and no nonce is used', async () => {
    const before = await stage.nonces();
    const stranger = await createKeySigner('stranger', new Secret(devAccounts[1].key));
    const manager = stage.aManager({ signers: { get: () => Promise.resolve(stranger) } });

    await expect(manager.submit(stage.aMint())).rejects.toMatchObject({
      code: 'evm.reverted',
      detail: `The contract reverted the call: NotOwner(caller: "${stranger.address}")`,
    });
    await expect(stage.aManager().submit(stage.aMint({ data: `0xa9059cbb${'0'.repeat(128)}` }))).rejects.toMatchObject({
      detail: 'The contract reverted the call: transfer to the zero address',
    });
    expect(await stage.store.findByKey(stage.aMint().idempotencyKey)).toBeUndefined();
    expect(await stage.nonces()).toBe(before);
  });

  it.each([
    ['less gas than a transaction takes before it does anything', 21_000n],
    ['more gas than a block has', 1_000_000_000n],
  ])('given %s, when it is sent, then it is refused without a nonce', async (_, gasLimit) => {
    const before = await stage.nonces();
    const request = stage.aMint({ gasLimit });

    await expect(stage.aManager().submit(request)).rejects.toMatchObject({
      code: 'request.invalid',
      faults: [{ pointer: '#/gas' }],
    });
    expect(await stage.store.findByKey(request.idempotencyKey)).toBeUndefined();
    expect(await stage.nonces()).toBe(before);
  });

  it('given a call that is refused only when it is mined, when its gas was given, then it has failed with the reason', async () => {
    const manager = stage.aManager();
    const request = stage.aMint({ data: `0xa9059cbb${'0'.repeat(128)}`, gasLimit: 100_000n });

    const record = await stage.sendAndWait(manager, request);

    expect(record).toMatchObject({ status: 'failed', failure: { code: 'evm.reverted' } });
    expect(record.failure?.detail).toContain('transfer to the zero address');
  });

  it('given arguments that PostgreSQL cannot keep as they are, when it is sent, then it is sent and shown with marks', async () => {
    const about = { contract: 'token', function: 'mint(address,uint256)', args: { memo: 'a\0b\ud800' } };

    const record = await stage.sendAndWait(stage.aManager(), stage.aMint({ about }));

    expect(record).toMatchObject({ status: 'confirmed', about: { args: { memo: 'a␀b\ufffd' } } });
    expect(await stage.balance()).toBe(1);
  });

  it('given a contract, when it is deployed, then its address is known', async () => {
    const manager = stage.aManager();
    const { to: _, ...request } = stage.aMint({ data: artefact('DemoToken').bytecode });

    const record = await stage.sendAndWait(manager, request);

    expect(record).toMatchObject({ status: 'confirmed', to: undefined });
    expect(await stage.chain.call('eth_getCode', [record.contractAddress, 'latest'])).not.toBe('0x');
  });

  it('given a signer without coins, when it sends, then the error says so and no nonce is used', async () => {
    const poor = await createKeySigner('poor', new Secret('11'.repeat(32)));
    const manager = stage.aManager({ signers: { get: () => Promise.resolve(poor) } });
    await expect(manager.submit(stage.aMint({ to: stage.recipient, data: '0x', value: 10n }))).rejects.toMatchObject({
      code: 'evm.insufficientFunds',
    });
    expect(await stage.store.findByKey(stage.aMint().idempotencyKey)).toBeUndefined();
  });
});

describe('what an operator wants', () => {
  it('given a transaction that waits, when it is cancelled, then nothing is mined in its place', async () => {
    await stage.chain.call('evm_setAutomine', [false]);
    const manager = stage.aManager();
    const { id } = await manager.submit(stage.aMint());
    await manager.waitFor(id, 'broadcast', soon());

    await manager.cancel(id);
    await eventually(async () =>
      (await stage.stored(id)).attempts.some(({ kind, sentAt }) => kind === 'filler' && sentAt),
    );
    await stage.chain.mine();

    expect(await manager.waitFor(id, 'final', soon())).toMatchObject({ status: 'cancelled' });
    expect(await stage.balance()).toBe(0);
    await expect(manager.cancel(id)).rejects.toMatchObject({ code: 'request.conflict' });
  });

  it('given a transaction that waits, when it is replaced at a higher fee, then the same nonce is mined at that fee', async () => {
    await stage.chain.call('evm_setAutomine', [false]);
    const manager = stage.aManager();
    const { id, nonce } = await manager.submit(stage.aMint());
    await manager.waitFor(id, 'broadcast', soon());

    await manager.replace(id, { max: 99_000_000_000n, tip: 9_000_000_000n });
    await eventually(async () => (await stage.stored(id)).attempts.at(1)?.sentAt);
    await stage.chain.mine();

    const record = await manager.waitFor(id, 'final', soon());
    expect(record).toMatchObject({ status: 'confirmed', nonce, place: { hash: record.attempts.at(1)?.hash } });
    expect(record.attempts.at(1)).toMatchObject({ maxFee: '99000000000', tip: '9000000000' });
    expect(await stage.balance()).toBe(1);
  });

  it('given a cap, when the fee would have to rise above it, then it stays and the others of the network go on', async () => {
    await stage.chain.call('evm_setAutomine', [false]);
    const manager = stage.aManager();
    const other = await createKeySigner('other', new Secret(devAccounts[1].key));
    const neighbour = stage.aManager({ signers: { get: () => Promise.resolve(other) } });
    const { id } = await manager.submit(stage.aMint({ fee: { max: 1n, tip: 0n, cap: 2n } }));
    const transfer = { to: stage.recipient, data: '0x', value: 5n };
    const free = await neighbour.submit(stage.aMint({ ...transfer, idempotencyKey: stage.key('free') }));
    await eventually(async () => (await stage.stored(free.id)).status === 'broadcast');
    await stage.chain.mine(5);

    expect(await neighbour.waitFor(free.id, 'final', soon())).toMatchObject({ status: 'confirmed' });
    expect(isFinal(await stage.stored(id))).toBe(false);

    await manager.replace(id, { cap: 99_000_000_000n });
    await eventually(async () => {
      await stage.chain.mine();
      return isFinal(await stage.stored(id));
    });
    expect(await stage.balance()).toBe(1);
  });

  it('given a suspended signer, when it is to send, then it is refused with the reason', async () => {
    await stage.database.db
      .insertInto('chain_signer')
      .values({ chain_id: DevChain.chainId, address: stage.signer.address, suspended_at: new Date(), reason: 'audit' })
      .execute();
    try {
      await expect(stage.aManager().submit(stage.aMint())).rejects.toMatchObject({ code: 'evm.signerSuspended' });
    } finally {
      await stage.database.db.deleteFrom('chain_signer').execute();
    }
  });
});
