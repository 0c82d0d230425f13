import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callAction } from '../../test/builders/action-call.js';
import { ScriptedServer, type ScriptedAnswer } from '../../test/builders/scripted-server.js';
import { startJob } from './start-job.action.js';

const job = '0eec7e1d-d0d2-476c-a1a8-72dfb6633f46';
let server: ScriptedServer;

beforeAll(async () => {
  server = await ScriptedServer.start();
});
afterAll(() => server.stop());

function start(answer: ScriptedAnswer | Promise<ScriptedAnswer>, input: Readonly<Record<string, unknown>> = {}) {
  server.answer = () => answer;
  return callAction(startJob, {
    with: { job, ...input },
    settings: { node: { url: server.url, accessKey: 'access', secret: 's3cret' } },
    idempotencyKey: 'run-7-start',
  });
}

function aRun(attributes: Readonly<Record<string, unknown>>): ScriptedAnswer {
  return { body: { data: { type: 'pipelineRun', id: '12', attributes: { errors: [null], ...attributes } } } };
}

describe('starting a job of a node', () => {
  it('given a job that ends well, then it gets the body with an id, and its outputs are read', async () => {
    const output = await start(
      aRun({ outputs: ['"42"', '12345678901234567890', null], finishedAt: '2026-01-01T00:00:00Z' }),
      {
        body: { amount: '25000' },
      },
    );

    expect(output).toEqual({
      outcome: 'completed',
      run: '12',
      outputs: ['42', '12345678901234567890', null],
      errors: [],
    });
    const [request] = server.requests.slice(-1);
    expect(request).toMatchObject({
      method: 'POST',
      path: `/v2/jobs/${job}/runs`,
      body: { id: 'run-7-start', amount: '25000' },
    });
    expect(request?.headers).toMatchObject({
      'x-chainlink-ea-accesskey': 'access',
      'x-chainlink-ea-secret': 's3cret',
    });
  });

  it.each<[string, ScriptedAnswer, object]>([
    [
      'a job that failed',
      aRun({
        outputs: [null],
        errors: ['task failed'],
        fatalErrors: ['task failed'],
        finishedAt: '2026-01-01T00:00:00Z',
      }),
      { outcome: 'errored', errors: ['task failed'] },
    ],
    [
      'a job that waits for an adapter',
      aRun({ outputs: [null], finishedAt: null }),
      { outcome: 'suspended', run: '12' },
    ],
    ['a node that breaks off', { isCut: true }, { outcome: 'unknown' }],
    ['a node that fails', { status: 500, body: { errors: [{ detail: 'boom' }] } }, { outcome: 'unknown' }],
    ['an answer that nobody reads', { body: 'x' }, { outcome: 'unknown' }],
  ])('given %s, then the outcome says so', async (_, answer, expected) => {
    expect(await start(answer)).toMatchObject(expected);
  });

  it('given a node that does not answer in time, then the outcome is unknown, and an error where the job is idempotent', async () => {
    const never = new Promise<ScriptedAnswer>(() => undefined);

    expect(await start(never, { timeout: '50ms' })).toMatchObject({ outcome: 'unknown' });
    await expect(start(never, { timeout: '50ms', idempotent: true })).rejects.toMatchObject({
      code: 'connection.timeout',
      retry: 'later',
    });
  });

  it.each<[string, ScriptedAnswer, Readonly<Record<string, unknown>>, string]>([
    ['keys that are wrong', { status: 401, body: {} }, {}, 'connection.unauthorised'],
    ['a job that is not there', { status: 404, body: {} }, {}, 'http.rejected'],
    ['a node that fails, and an idempotent job', { status: 500, body: {} }, { idempotent: true }, 'http.failed'],
  ])('given %s, then the step fails', async (_, answer, input, code) => {
    await expect(start(answer, input)).rejects.toMatchObject({ code });
  });

  it('given a node that is not there, then it is certain that nothing was started, and it is tried again', async () => {
    const settings = { node: { url: 'http://127.0.0.1:9', accessKey: 'a', secret: 'b' } };
    await expect(callAction(startJob, { with: { job }, settings })).rejects.toMatchObject({ retry: 'later' });
  });

  it('given a connection without a node, then it says what to add', async () => {
    await expect(callAction(startJob, { with: { job }, settings: {} })).rejects.toMatchObject({
      code: 'connection.invalid',
      fix: expect.stringContaining('node:'),
    });
  });
});
