import { describe, expect, it } from '@jest/globals';
import { silentLog } from '../../test/builders/action-call.js';
import { runFlow } from './run-flow.trigger.js';

const declared = {
  fields: {
    wallet: { type: 'address' },
    points: { type: 'integer', label: 'Points' },
    rush: { type: 'boolean', required: false },
    due: { type: 'datetime', required: false },
    tier: { type: 'choice', options: { gold: 'Gold', tin: 'Tin' }, default: 'tin' },
  },
};
const wallet = '0x5FbDB2315678afecb367f032d93F642f64180aa3';

async function receive(fields: unknown, { isAuthenticated = true, headers = {} } = {}) {
  const request = { method: 'POST', headers, query: {}, rawBody: Buffer.alloc(0), body: { fields }, isAuthenticated };
  return runFlow.receive?.({ input: runFlow.input.parse(declared), client: undefined, request, log: silentLog });
}

describe('zapier.runFlow', () => {
  it('given what the flow declares, when a Zap runs it, then values are as flows use them', async () => {
    const heard = await receive(
      { wallet, points: '100000000000000000001', rush: 'yes', due: '2026-01-31T12:00:00+01:00', tier: 'gold' },
      { headers: { 'idempotency-key': 'zap-1' } },
    );

    expect(heard).toEqual([
      {
        id: 'zap-1',
        event: {
          fields: {
            wallet: wallet.toLowerCase(),
            points: '100000000000000000001',
            rush: true,
            due: '2026-01-31T11:00:00.000Z',
            tier: 'gold',
          },
        },
      },
    ]);
  });

  it('given fields left out, when a Zap runs it, then defaults hold and what is optional is null', async () => {
    const [one] = (await receive({ wallet, points: 1, rush: '' })) ?? [];
    const [other] = (await receive({ wallet, points: 1 })) ?? [];

    expect(one?.event.fields).toEqual({
      wallet: wallet.toLowerCase(),
      points: '1',
      rush: null,
      due: null,
      tier: 'tin',
    });
    expect(one?.id).not.toBe(other?.id);
  });

  it('given several faults, when a Zap runs it, then each is named with its place', async () => {
    await expect(receive({ points: '1.5', tier: 'lead', colour: 'red', due: 'soon' })).rejects.toMatchObject({
      code: 'request.invalid',
      faults: [
        { pointer: '#/fields/colour' },
        { pointer: '#/fields/wallet', detail: 'wallet is missing' },
        { pointer: '#/fields/points', detail: 'Points must be a whole number' },
        { pointer: '#/fields/due' },
        { pointer: '#/fields/tier', detail: 'tier must be one of gold, tin' },
      ],
    });
    await expect(receive('text')).rejects.toMatchObject({ code: 'request.invalid' });
  });

  it('given no key, when it is called, then it is refused', async () => {
    await expect(receive({ wallet, points: 1 }, { isAuthenticated: false })).rejects.toMatchObject({
      code: 'auth.missing',
    });
  });

  it('given a choice without options, then the flow is refused', () => {
    expect(runFlow.input.safeParse({ fields: { tier: { type: 'choice' } } }).success).toBe(false);
    expect(runFlow.input.safeParse({ fields: { 'no-hyphen': {} } }).success).toBe(false);
  });
});
