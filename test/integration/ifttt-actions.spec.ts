import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../builders/eventually.js';
import { givingPoints } from '../builders/ifttt-flows.js';
import { IftttHub } from '../builders/ifttt-hub.js';
import { Target } from '../environment/target.js';

const wallet = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';

let hub: IftttHub;
let target: Target;

beforeAll(async () => {
  target = await Target.start();
  const waiting = `
name: waiting
trigger: { uses: ifttt.action, with: { action: wait } }
steps: [{ uses: http.request, with: { method: POST, url: '${target.url}' } }]
`;
  hub = await IftttHub.start({ flows: { 'acting.yaml': givingPoints, 'waiting.yaml': waiting } });
});

afterAll(async () => {
  await hub.close();
  await target.stop();
}, 60_000);

describe('an action', () => {
  const act = (actionFields: unknown, more: object = {}, headers: Record<string, string> = {}) =>
    hub.ifttt('POST', '/actions/give_points', { actionFields, ...more }, headers);
  const points = (count: string) => ({ wallet, points: count });

  it('given the same request id, when it is posted again, also at the same time, then it is one run', async () => {
    const headers = { 'x-request-id': randomUUID() };
    const answers = await Promise.all(Array.from({ length: 5 }, () => act(points('2'), {}, headers)));

    expect(new Set(answers.map(({ body }) => body.data[0].id)).size).toBe(1);
  });

  it('given fields that fit, when IFTTT posts it, then the id of a run is answered', async () => {
    const answer = await act(points('1'), { user: { timezone: 'Europe/Vienna' }, ifttt_source: { id: 'a', url: 'u' } });

    expect(answer).toMatchObject({ status: 200, body: { data: [{ id: expect.any(String) }] } });
    expect(answer.body.data).toHaveLength(1);
    const run = await hub.api('GET', `/api/runs/${answer.body.data[0].id}`);
    expect(run.body).toMatchObject({
      flow: 'acting',
      data: {
        action: 'give_points',
        fields: { wallet, points: '1', colour: '' },
        source: { id: 'a', url: 'u' },
        user: { timezone: 'Europe/Vienna' },
      },
    });
  });

  it('given a run that takes long, when IFTTT posts its action, then it need not wait for the end', async () => {
    let open = (): void => undefined;
    const gate = new Promise<number>((resolve) => (open = () => resolve(200)));
    target.answer = () => gate;

    const { status, body } = await hub.ifttt('POST', '/actions/wait', { actionFields: {} });
    const run = () => hub.api('GET', `/api/runs/${body.data[0].id}`);
    const { state } = (await run()).body;
    open();

    expect(status).toBe(200);
    expect(['queued', 'running']).toContain(state);
    await eventually(async () => (await run()).body.state === 'completed');
  });

  it('given another request id but the same Applet and fields, when it is posted again soon, then it is one run', async () => {
    const source = { ifttt_source: { id: 'applet-7' } };
    const first = await act(points('3'), source);
    const repeated = await act({ points: '3', wallet }, source);
    const other = await act(points('3'), { ifttt_source: { id: 'applet-8' } });
    const more = await act(points('4'), source);

    const ids = [first, repeated, other, more].map(({ body }) => body.data[0].id);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
  });

  it('given a deduplication key, when it is the same, then it is one run, whatever else differs', async () => {
    const first = await act({ ...points('5'), deduplication_key: '0xabc' }, { ifttt_source: { id: 'x' } });
    const again = await act({ ...points('6'), deduplication_key: '0xabc' }, { ifttt_source: { id: 'y' } });
    const other = await act({ ...points('5'), deduplication_key: '0xdef' }, { ifttt_source: { id: 'x2' } });

    expect(again.body.data[0].id).toBe(first.body.data[0].id);
    expect(other.body.data[0].id).not.toBe(first.body.data[0].id);
  });

  it.each([
    ['an address that is none', { wallet: 'bob', points: '1' }, 'Wallet|wallet'],
    ['a number that is none', { wallet, points: 'many' }, 'points'],
    ['a number that its pattern refuses', { wallet, points: '0' }, 'points'],
    ['an empty field', { wallet: '', points: '1' }, 'wallet'],
    ['a choice that is none', { wallet, points: '1', colour: 'green' }, 'colour'],
  ])('given %s, when it is posted, then IFTTT is told to skip it', async (_, fields, named) => {
    expect(await act(fields)).toMatchObject({
      status: 400,
      body: { errors: [{ status: 'SKIP', message: expect.stringMatching(named) }] },
    });
  });

  it('given no fields, a missing one or broken JSON, when it is posted, then it is 400 and no skip', async () => {
    for (const answer of [
      await hub.ifttt('POST', '/actions/give_points', {}),
      await act({ wallet }),
      await hub.ifttt('POST', '/actions/give_points', '{"actionFields":'),
      await hub.ifttt('POST', '/actions/give_points', '[]'),
    ]) {
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ message: expect.any(String) }] } });
      expect(answer.body.errors[0].status).toBeUndefined();
    }
    expect((await hub.ifttt('POST', '/actions/nope', { actionFields: {} })).status).toBe(404);
  });

  it('given a flow that is paused, when an Applet acts, then it tries again, and later it is one run', async () => {
    await hub.flows.setPaused('acting', true);
    const refused = await hub.standIn.applets.act('give_points', points('9'), { id: 'patient' });
    await hub.flows.setPaused('acting', false);
    const done = await hub.standIn.applets.act('give_points', points('9'), { id: 'patient' });
    const again = await hub.standIn.applets.act('give_points', points('9'), { id: 'patient' });

    expect(refused).toMatchObject({ status: 503, attempts: 4, body: { errors: [{}] } });
    expect(done).toMatchObject({ status: 200, attempts: 1, body: { data: [{ id: expect.any(String) }] } });
    expect(again.body).toEqual(done.body);
  });
});
