import { describe, expect, it } from '@jest/globals';
import type { HookRequest } from '#sdk';
import { silentLog } from '../../test/builders/action-call.js';
import { hookReceived } from './hook-received.trigger.js';

function aRequest(given: Partial<HookRequest>): HookRequest {
  const body = given.body ?? { id: 17, amount: '25000' };
  return {
    method: 'POST',
    headers: {},
    query: {},
    rawBody: Buffer.from(JSON.stringify(body)),
    isAuthenticated: true,
    ...given,
    body,
  };
}

async function receive(request: HookRequest, input: Record<string, unknown> = {}) {
  return (
    (await hookReceived.receive?.({
      input: hookReceived.input.parse(input),
      client: undefined,
      request,
      log: silentLog,
    })) ?? []
  );
}

describe('zapier.hookReceived', () => {
  it('given no API key, when it arrives, then it is refused', async () => {
    await expect(receive(aRequest({ isAuthenticated: false }))).rejects.toMatchObject({ code: 'auth.missing' });
  });

  it('given an id field, when it arrives, then that is its id', async () => {
    const request = aRequest({ headers: { 'idempotency-key': 'other' } });

    expect(await receive(request, { idField: 'id' })).toEqual([
      { id: '17', event: { body: { id: 17, amount: '25000' } } },
    ]);
  });

  it.each([{}, { id: '' }, { id: { a: 1 } }, { id: 'x'.repeat(300) }, 'text'])(
    'given an id field and the body %j, when it arrives, then it is refused',
    async (body) => {
      await expect(receive(aRequest({ body }), { idField: 'id' })).rejects.toMatchObject({ code: 'request.invalid' });
    },
  );

  it('given the header Idempotency-Key, when it arrives, then that is its id', async () => {
    expect((await receive(aRequest({ headers: { 'idempotency-key': 'zap-1' } })))[0]?.id).toBe('zap-1');
  });

  it('given no id, when it arrives twice, then these are two events', async () => {
    const [first] = await receive(aRequest({}));
    const [second] = await receive(aRequest({}));

    expect(first?.id).not.toBe(second?.id);
  });
});
