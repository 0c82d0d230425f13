import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Applet } from '../../sandbox/ifttt/applets.js';
import { eventually } from '../builders/eventually.js';
import { removable } from '../builders/removable.js';
import { IftttHub } from '../builders/ifttt-hub.js';

const whale = `
name: whale
trigger:
  uses: evm.contractEvent
  with: { contract: usdc, event: Transfer }
  where: { event.args.value: { gte: 50000000000 } }
steps:
  - uses: ifttt.publish
    with:
      trigger: whale_alert
      time: "{{event.block.timestamp}}"
      ingredients: { amount: "{{formatUnits event.args.value 6}} USDC", receiver: "{{event.args.to}}" }
`;
const [ada, blaise, carl] = [
  '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
  '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc',
  '0x90f79bf6eb2c4f870365e785982e1f101e93b906',
] as const;

let hub: IftttHub;

beforeAll(async () => {
  hub = await IftttHub.start({ flows: { 'whale.yaml': whale } });
  await eventually(async () => {
    const { body } = await hub.api('GET', '/api/triggers');
    return body.triggers.length > 0 && body.triggers.every(({ cursor }: { cursor: unknown }) => cursor !== null);
  });
});

afterAll(() => hub.close(), 60_000);

const counts = async () => (await hub.api('GET', '/api/ifttt')).body as { identities: number; watched: number };
const firedBy = ({ id }: Applet) => hub.standIn.applets.list().find((applet) => applet.id === id)?.fired ?? [];

/** Switches an Applet on that the hub watches for, and waits until it does. */
async function switchOn(trigger: string, fields: Record<string, string>): Promise<Applet> {
  const before = await counts();
  const applet = await hub.standIn.applets.switchOn({ trigger, fields });
  expect(applet.problem).toBeUndefined();
  await eventually(async () => (await counts()).watched > before.watched, { what: 'the watch' });
  return applet;
}

const transfersTo = (to: string) => ({ network: 'local', token: 'usdc', to, minimum: '10000' });

describe('an Applet for a trigger that a flow publishes to', () => {
  it('given a whale that moves, when its flow has run, then the Applet fires once, because of Realtime, within seconds', async () => {
    const applet = await hub.standIn.applets.switchOn({ trigger: 'whale_alert' });
    await hub.transfer(60_000, ada);
    await hub.transfer(40_000, ada);
    const [fired] = await eventually(() => {
      const all = firedBy(applet);
      return all.length > 0 && all;
    });

    expect(fired).toMatchObject({ because: 'realtime', ingredients: { amount: '60000 USDC', receiver: ada } });
    await hub.standIn.applets.pollAll('clock');
    expect(firedBy(applet)).toHaveLength(1);
    await hub.standIn.applets.switchOff(applet.id);
  });
});

describe('an Applet for a token transfer', () => {
  it('given a receiver and a minimum, when transfers are mined, then it fires for those that fit, once each', async () => {
    const applet = await switchOn('token_transfer', transfersTo(ada));
    await hub.transfer(9_999, ada);
    await hub.transfer(20_000, blaise);
    const hash = await hub.transfer(12_345, ada);
    const [fired] = await eventually(() => firedBy(applet).length > 0 && firedBy(applet));

    expect(fired).toMatchObject({
      because: 'realtime',
      ingredients: { token: 'usdc', to: ada, amount: '12345', amount_raw: '12345000000', transaction_hash: hash },
    });
    expect(fired!.id).toMatch(new RegExp(`^31337:${hash}:`));
    await hub.standIn.applets.pollAll('clock');
    expect(firedBy(applet)).toHaveLength(1);
    await hub.standIn.applets.switchOff(applet.id);
  });

  it('given a hub that is stopped, when it starts again, then it finds what was mined meanwhile, and its history is there', async () => {
    const applet = await switchOn('token_transfer', transfersTo(blaise));
    await hub.transfer(30_000, blaise);
    await eventually(() => firedBy(applet).length === 1);
    await hub.halt();
    await hub.transfer(31_000, blaise);
    await hub.boot();
    // IFTTT may have been told before it knew where the hub is now.
    await eventually(async () => {
      await hub.standIn.applets.pollAll('clock');
      return firedBy(applet).length === 2;
    });

    const { body } = await hub.ifttt('POST', '/triggers/token_transfer', {
      trigger_identity: applet.identity,
      triggerFields: applet.fields,
    });
    expect(body.data.map(({ amount }: { amount: string }) => amount)).toEqual(['31000', '30000']);
    expect(firedBy(applet).map(({ ingredients }) => ingredients['amount'])).toEqual(['30000', '31000']);
    await hub.standIn.applets.switchOff(applet.id);
  });

  it('given a transfer that a reorganisation removes and that is mined again, when IFTTT polls, then it is the same event', async () => {
    const applet = await switchOn('token_transfer', transfersTo(carl));
    const listed = async (): Promise<{ meta: { id: string } }[]> =>
      (
        await hub.ifttt('POST', '/triggers/token_transfer', {
          trigger_identity: applet.identity,
          triggerFields: applet.fields,
        })
      ).body.data;
    const { hash, depth } = await removable(hub.chain.rpc, () => hub.transfer(15_000, carl));
    const raw = await hub.chain.rpc<string>('eth_getRawTransactionByHash', hash);
    await eventually(() => firedBy(applet).length === 1);
    const [before] = await listed();

    await hub.chain.rpc('anvil_reorg', await depth(), []);
    await eventually(async () => (await listed()).length === 0, { what: 'the removal' });
    await hub.chain.rpc('eth_sendRawTransaction', raw).catch(() => undefined);
    const [after] = await eventually(async () => {
      const items = await listed();
      return items.length > 0 && items;
    });

    expect(after!.meta.id).toBe(before!.meta.id);
    await hub.standIn.applets.pollAll('clock');
    expect(firedBy(applet)).toHaveLength(1);
    await hub.standIn.applets.switchOff(applet.id);
  });
});

describe('an Applet for a contract event', () => {
  it('given a condition on an argument, when events are emitted, then it fires for those that fit, with all arguments', async () => {
    const applet = await switchOn('contract_event', {
      network: 'local',
      contract: 'usdc',
      event: 'Transfer',
      filter_argument: 'value',
      filter_operator: 'lt',
      filter_value: '3000000',
    });
    await hub.transfer(5, ada);
    await hub.transfer(2, ada);
    const [fired] = await eventually(() => firedBy(applet).length > 0 && firedBy(applet));

    expect(fired?.ingredients).toMatchObject({
      event: 'Transfer',
      contract: 'usdc',
      argument_2: ada,
      argument_3: '2000000',
    });
    expect(firedBy(applet)).toHaveLength(1);
    await hub.standIn.applets.switchOff(applet.id);
  });
});

describe('an Applet for the status of a transaction', () => {
  it('given a transaction of the hub, when it is confirmed, then the Applet fires once', async () => {
    const applet = await switchOn('transaction_status', { status: 'confirmed', signer: 'treasury' });
    const sent = await hub.api('POST', '/api/contracts/loyalty-token/mint', {
      args: { to: ada, amount: '1' },
      from: 'treasury',
    });
    expect(sent.status).toBeLessThan(300);
    const [fired] = await eventually(() => firedBy(applet).length > 0 && firedBy(applet));

    expect(fired?.ingredients).toMatchObject({ status: 'confirmed', signer: 'treasury', network: 'local' });
    expect(firedBy(applet)).toHaveLength(1);
    await hub.standIn.applets.switchOff(applet.id);
  });
});

describe('the last Applet that is switched off', () => {
  it('given two with the same fields, when both are off, then the hub stops watching and forgets', async () => {
    const first = await switchOn('token_transfer', transfersTo(ada));
    const second = await hub.standIn.applets.switchOn({ trigger: 'token_transfer', fields: transfersTo(ada) });
    const { identities } = await counts();
    await hub.standIn.applets.switchOff(first.id);
    expect((await counts()).identities).toBe(identities);
    await hub.standIn.applets.switchOff(second.id);

    expect((await counts()).identities).toBe(identities - 1);
  });
});
