import { describe, expect, it } from '@jest/globals';
import { silentLog } from '../../test/builders/action-call.js';
import { action } from './action.trigger.js';

const declared = {
  action: 'send',
  fields: {
    amount: { type: 'number' },
    place: { type: 'location', required: false },
    days: { type: 'checkboxes', required: false, options: { mo: 'Monday', tu: 'Tuesday' } },
  },
};

/** As IFTTT posts it, once the hub has judged who sent it. */
async function receive(body: unknown, { isAuthenticated = true, headers = {} } = {}) {
  const request = { method: 'POST', headers, query: {}, rawBody: Buffer.alloc(0), body, isAuthenticated };
  const heard = await action.receive!({
    input: action.input.parse(declared),
    client: undefined,
    request,
    log: silentLog,
  });
  return heard[0]!;
}

describe('ifttt.action', () => {
  it('given fields of every kind, when they fit, then the event has them, and what the Applet is', async () => {
    const place = { lat: '48.2', lng: 16.4, radius: 1, address: 'Wien', description: '', zoom: 3 };
    const heard = await receive({
      actionFields: { amount: ' 1.5', place, days: ['mo', 'tu'], unknown: 'ignored' },
      ifttt_source: { id: 7, url: 'https://ifttt.com/7' },
      user: { timezone: 'Europe/Vienna' },
    });

    expect(heard.event).toEqual({
      action: 'send',
      fields: { amount: ' 1.5', place, days: ['mo', 'tu'] },
      source: { id: '7', url: 'https://ifttt.com/7' },
      user: { timezone: 'Europe/Vienna' },
    });
  });

  it('given a deduplication key, an idempotency key or a request id, when it is heard, then the first of them is its id', async () => {
    const headers = { 'idempotency-key': 'idem', 'x-request-id': 'req' };
    const body = { actionFields: { amount: '1' } };

    expect((await receive({ actionFields: { amount: '1', deduplication_key: '0x9f' } }, { headers })).id).toBe(
      'key:0x9f',
    );
    expect((await receive(body, { headers })).id).toBe('request:idem');
    expect((await receive(body, { headers: { 'x-request-id': 'req' } })).id).toBe('request:req');
  });

  it.each([
    ['a number that is none', { amount: '1e3' }, /amount must be a number/],
    ['a place without coordinates', { amount: '1', place: { lat: 'x' } }, /place/],
    ['a box that is not there', { amount: '1', days: ['su'] }, /mo, tu/],
    ['an object where text belongs', { amount: {} }, /must be text/],
  ])('given %s, when it is posted, then it can never succeed', async (_, actionFields, said) => {
    await expect(receive({ actionFields })).rejects.toMatchObject({
      code: 'ifttt.field',
      detail: expect.stringMatching(said),
    });
  });

  it('given no fields, or a stranger, when it is posted, then it is refused as a request', async () => {
    await expect(receive({})).rejects.toMatchObject({ code: 'request.invalid' });
    await expect(receive({ actionFields: {} })).rejects.toMatchObject({ code: 'request.invalid' });
    await expect(receive({ actionFields: { amount: '1' } }, { isAuthenticated: false })).rejects.toMatchObject({
      code: 'auth.missing',
    });
  });

  it.each([
    ['a choice without options', { fields: { colour: { type: 'choice' } } }],
    ['a pattern that is none', { fields: { text: { pattern: '(' } } }],
    ['the field that every action has', { fields: { deduplication_key: {} } }],
    ['a slug that IFTTT would not take', { action: 'Send it' }],
    ['a key that is not known', { feilds: {} }],
  ])('given %s, when the flow is checked, then it is refused', (_, wrong) => {
    expect(action.input.safeParse({ ...declared, ...wrong }).success).toBe(false);
  });
});
