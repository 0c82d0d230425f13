import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startStandIn, type StandInServer } from '../../test/builders/stand-in-server.js';
import { createZapierHooks } from './hooks.js';

const standIn = createZapierHooks();
let server: StandInServer;

beforeAll(async () => {
  server = await startStandIn(standIn);
});
afterAll(() => server.stop());

async function send(hook: string, body: unknown): Promise<Response | undefined> {
  return fetch(`${server.url}/hooks/standard/1001/${hook}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => undefined);
}

const told = async (hook: string, faults: object[]): Promise<unknown> =>
  fetch(`${server.url}/zaps/${hook}/faults`, { method: 'POST', body: JSON.stringify({ faults }) });

describe('a hook of Zapier in the sandbox', () => {
  it('given items sent once and again, when it is asked, then it tells which were doubled', async () => {
    await send('one', { id: 'a' });
    await send('one', [{ id: 'b' }, { id: 'c' }]);
    await send('one', { id: 'a' });

    const report = await (await fetch(`${server.url}/zaps/one`)).json();
    expect(report).toMatchObject({ requests: 3, items: 4, distinct: 3, doubled: 1, repeated: 0, isOff: false });
  });

  it('given an answer that was lost, when the item comes again, then it counts as repeated and not as doubled', async () => {
    await told('lost', [{ kind: 'reset-after' }, { kind: 'reset' }, { kind: '500' }]);

    expect(await send('lost', { id: 'a' })).toBeUndefined();
    expect(await send('lost', { id: 'a' })).toBeUndefined();
    expect((await send('lost', { id: 'a' }))?.status).toBe(500);
    expect((await send('lost', { id: 'a' }))?.status).toBe(200);
    expect(standIn.hook('1001/lost').report()).toMatchObject({ distinct: 1, repeated: 1, doubled: 0 });
  });

  it('given 429 and 410, when the sender does not heed them, then it is counted', async () => {
    await told('strict', [{ kind: '429', retryAfterSeconds: 60, asDate: true }]);
    const at = Date.now();
    const answer = await send('strict', { id: 'a' });
    await send('strict', { id: 'a' });
    standIn.hook('1001/strict').turnOff();

    expect(Date.parse(answer?.headers.get('retry-after') ?? '')).toBeGreaterThan(at + 58_000);
    expect((await send('strict', { id: 'a' }))?.status).toBe(410);
    expect((await send('strict', { id: 'a' }))?.status).toBe(410);
    expect(standIn.hook('1001/strict').report()).toMatchObject({ beforeRetryAfter: 1, after410: 1, isOff: true });
  });

  it('given a callback, when it is told something, then it is kept', async () => {
    await fetch(`${server.url}/hooks/callback/run-1`, { method: 'POST', body: '{"state":"completed"}' });

    expect(standIn.callbacks().get('run-1')).toEqual([{ state: 'completed' }]);
    expect((await fetch(`${server.url}/hooks/callback/run-1/more`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${server.url}/zaps/one/nothing`, { method: 'POST' })).status).toBe(404);
  });
});
