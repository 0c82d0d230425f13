import { describe, expect, it } from '@jest/globals';
import type { HookRequest } from '#sdk';
import { callAction, silentLog } from '../../test/builders/action-call.js';
import { adapter } from './adapter.trigger.js';
import { answer } from './answer.action.js';

async function heard(body: unknown, input: Readonly<Record<string, unknown>> = {}, more: Partial<HookRequest> = {}) {
  const request: HookRequest = {
    method: 'POST',
    headers: { 'idempotency-key': 'key-1' },
    query: {},
    rawBody: Buffer.from(JSON.stringify(body)),
    body,
    isAuthenticated: true,
    ...more,
  };
  const [one] = (await adapter.receive?.({
    input: adapter.input.parse(input),
    client: undefined,
    request,
    log: silentLog,
  })) ?? [undefined];
  return one;
}

const fields = {
  from: { aliases: ['base', 'coin'] },
  to: { default: 'USD' },
  amount: { type: 'number', required: false },
  wallet: { type: 'address', required: false },
  live: { type: 'boolean', required: false },
};

describe('what a flow hears when it is asked as an adapter', () => {
  it('given a request, then data, id, endpoint and meta are told, and nothing else of it', async () => {
    const body = { id: 7, data: { a: 1 }, endpoint: 'price', meta: { latestAnswer: 5 }, responseURL: 'https://node' };

    expect(await heard(body)).toEqual({
      id: 'key-1',
      event: { id: '7', data: { a: 1 }, endpoint: 'price', meta: { latestAnswer: 5 } },
    });
    expect(await heard({})).toEqual({ id: 'key-1', event: { data: {} } });
    expect(await heard({ id: null, data: null, meta: null })).toEqual({ id: 'key-1', event: { data: {} } });
  });

  it.each<[string, object, object]>([
    ['an alias', { coin: 'ETH' }, { from: 'ETH', to: 'USD' }],
    ['the name before its alias', { coin: 'BTC', from: 'ETH' }, { coin: 'BTC', from: 'ETH', to: 'USD' }],
    ['an empty field with a default', { from: 'ETH', to: '' }, { from: 'ETH', to: 'USD' }],
    ['a field that is not declared', { from: 'ETH', more: [1] }, { from: 'ETH', to: 'USD', more: [1] }],
    ['a number', { from: 'ETH', amount: 1.5 }, { from: 'ETH', to: 'USD', amount: '1.5' }],
    ['a number as text', { from: 'ETH', amount: '1e18' }, { from: 'ETH', to: 'USD', amount: '1e18' }],
    [
      'an address',
      { from: 'ETH', wallet: `0x${'AB'.repeat(20)}` },
      { from: 'ETH', to: 'USD', wallet: `0x${'ab'.repeat(20)}` },
    ],
    ['a truth', { from: 'ETH', live: 'true' }, { from: 'ETH', to: 'USD', live: true }],
    ['nothing for an optional field', { from: 'ETH', amount: null }, { from: 'ETH', to: 'USD' }],
  ])('given %s, then it comes as the flow declares it', async (_, data, expected) => {
    expect((await heard({ data }, { fields }))?.event).toEqual({ data: expected });
  });

  it('given several faults, then all are named', async () => {
    await expect(heard({ data: { amount: 'much', wallet: '0x1', live: 2 } }, { fields })).rejects.toMatchObject({
      code: 'request.invalid',
      fix: expect.stringContaining('from (text), to (text)'),
      faults: ['from', 'amount', 'wallet', 'live'].map((name) =>
        expect.objectContaining({ pointer: `#/data/${name}` }),
      ),
    });
  });

  it.each<[string, unknown, Partial<HookRequest>, string]>([
    ['no key', {}, { isAuthenticated: false }, 'auth.missing'],
    ['text', 'ETH', {}, 'request.invalid'],
    ['data that is a list', { data: [1] }, {}, 'request.invalid'],
    ['a long key', {}, { headers: { 'idempotency-key': 'x'.repeat(256) } }, 'request.invalid'],
  ])('given %s, then it is refused', async (_, body, more, code) => {
    await expect(heard(body, {}, more)).rejects.toMatchObject({ code });
  });

  it.each([['node.example.com:6688'], ['[::1]:6688'], ['127.0.0.1']])('given the host %s, then it is one', (host) => {
    expect(adapter.input.safeParse({ responseHosts: [host] }).success).toBe(true);
  });

  it.each([['https://node.example.com'], ['*'], ['node/v2'], ['']])('given the host %s, then it is none', (host) => {
    expect(adapter.input.safeParse({ responseHosts: [host] }).success).toBe(false);
  });
});

describe('what the caller gets', () => {
  it.each([[42], [0], [false], ['text'], [['a']], [{ a: 1 }]])('given %j, then it is an answer', async (result) => {
    expect(await callAction(answer, { with: { result } })).toEqual({ result });
  });

  it.each([[null], [undefined], [''], [' '], ['null'], ['NaN'], [NaN], [Infinity]])(
    'given %j, then it is none',
    async (result) => {
      await expect(callAction(answer, { with: { result } })).rejects.toMatchObject({ code: 'oracle.answer' });
    },
  );
});
