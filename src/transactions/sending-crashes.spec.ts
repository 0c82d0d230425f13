import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isFinal } from '#evm';
import { eventually } from '../../test/builders/eventually.js';
import { Cut } from './testing/cut.js';
import { SendingStage, soon } from './testing/sending-stage.js';

let stage: SendingStage;

beforeAll(async () => {
  stage = await SendingStage.start();
});

afterAll(() => stage.close());

beforeEach(() => stage.nextMint());

afterEach(() => stage.clear());

describe('sending through crashes', () => {
  it('given a process that dies after any one of its steps, when another goes on, then one nonce is used and the effect is there once', async () => {
    for (let step = 1, isCut = true; isCut; step++) {
      stage.nextMint();
      const before = await stage.nonces();
      const cut = new Cut(step);
      stage.proxy.fault = (_call, forward, response) =>
        cut.through(forward).catch(() => {
          response.destroy();
          return undefined;
        });
      const dying = stage.aManager({ store: cut.around(stage.store) }, { url: stage.proxy.url });
      const begun = await dying.submit(stage.aMint()).catch(() => undefined);
      await eventually(async () => cut.isDead || (begun && isFinal(await stage.stored(begun.id))));
      await dying.close();
      stage.proxy.fault = undefined;
      isCut = cut.isDead;

      const record = await stage.sendAndWait(stage.aManager(), stage.aMint());

      expect({ step, nonce: record.nonce, status: record.status }).toEqual({
        step,
        nonce: before,
        status: 'confirmed',
      });
      expect(await stage.nonces()).toBe(before + 1);
      expect(await stage.balance()).toBe(1);
    }
  });

  it('given a reserved nonce that nobody goes on with, when a process begins to send, then it and later ones are mined', async () => {
    const accepting = stage.aManager({}, { isSending: false });
    await accepting.submit(stage.aMint());
    const { id } = await accepting.submit(stage.aMint({ idempotencyKey: stage.key('later') }));

    stage.aManager();

    await accepting.waitFor(id, 'final', soon());
    expect(await stage.balance()).toBe(2);
  });

  it('given a gap below what is unfinished, when a process begins to send, then it is filled and the rest is mined', async () => {
    const before = await stage.nonces();
    await stage.database.db
      .updateTable('chain_nonce')
      .set({ next: before + 3 })
      .where('address', '=', stage.signer.address)
      .execute();

    const record = await stage.sendAndWait(stage.aManager(), stage.aMint());

    expect(record).toMatchObject({ status: 'confirmed', nonce: before + 3 });
    expect(await stage.balance()).toBe(1);
  });
});
