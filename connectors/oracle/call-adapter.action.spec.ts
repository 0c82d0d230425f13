import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { oracleKept, oracleResumptions, type Resumption, type ServiceToken } from '#sdk';
import { callAction } from '../../test/builders/action-call.js';
import { ScriptedServer, type ScriptedAnswer } from '../../test/builders/scripted-server.js';
import { callAdapter } from './call-adapter.action.js';

let server: ScriptedServer;

beforeAll(async () => {
  server = await ScriptedServer.start();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.requests.length = 0;
});

function call(input: Readonly<Record<string, unknown>>, answer: ScriptedAnswer) {
  server.answer = () => answer;
  return callAction(callAdapter, { with: { url: server.url, ...input } });
}

describe('calling an external adapter', () => {
  it('given an adapter of the connection, when it is called, then it gets data, id and its secret header', async () => {
    server.answer = () => ({ body: { data: { result: 42, volume: 7 }, result: 42, statusCode: 200 } });
    const output = await callAction(callAdapter, {
      with: { adapter: 'Prices', data: { base: 'ETH' }, endpoint: 'price' },
      settings: { adapters: { prices: { url: `${server.url}/prices`, headers: { 'X-Key': 's3cret' } } } },
      idempotencyKey: 'run-7-price',
    });

    expect(output).toEqual({ result: 42, data: { result: 42, volume: 7 } });
    expect(server.requests).toMatchObject([
      { method: 'POST', path: '/prices', body: { id: 'run-7-price', data: { base: 'ETH' }, endpoint: 'price' } },
    ]);
    expect(server.requests[0]?.headers['x-key']).toBe('s3cret');
    expect(server.requests[0]?.body).not.toHaveProperty('responseURL');
  });

  it.each<[string, ScriptedAnswer, Readonly<Record<string, unknown>>, unknown]>([
    ['a result beside data', { body: { result: 'x' } }, {}, 'x'],
    ['0', { body: { data: { result: 0 } } }, {}, 0],
    ['false', { body: { result: false } }, {}, false],
    ['20 digits', { body: '{"result":12345678901234567890}' }, {}, '12345678901234567890'],
    ['a fraction of 20 digits', { body: '{"result":0.12345678901234567891}' }, {}, '0.12345678901234567891'],
    ['a mark of byte order', { body: '\uFEFF{"result":1}' }, {}, 1],
    ['a path', { body: { data: { prices: [{ usd: 5 }, { usd: 6 }] } } }, { path: ['data', 'prices', '-1', 'usd'] }, 6],
    ['the framework’s times', { body: { result: 1, statusCode: 200, timestamps: {} } }, {}, 1],
    ['an error that is null', { body: { result: 1, error: null } }, {}, 1],
  ])('given %s, then that is the result', async (_, answer, input, result) => {
    expect((await call(input, answer)).result).toEqual(result);
  });

  it.each<[string, ScriptedAnswer, string, RegExp]>([
    ['null', { body: { result: null } }, 'oracle.adapter', /no data\.result or result/],
    ['nothing', { body: {} }, 'oracle.adapter', /no data\.result or result/],
    ['empty text', { body: { result: '' } }, 'oracle.adapter', /no data/],
    ['NaN as text', { body: { result: 'NaN' } }, 'oracle.adapter', /no data/],
    ['NaN', { body: '{"result":NaN}' }, 'oracle.adapter', /no JSON object/],
    ['a page', { body: '<html>Sorry</html>' }, 'oracle.adapter', /no JSON object: <html>/],
    ['a list', { body: '[1]' }, 'oracle.adapter', /no JSON object/],
    ['201', { status: 201, body: { result: 1 } }, 'oracle.adapter', /answered 201.*null/],
    ['a status of its own, with a text', { body: { statusCode: 500, error: 'boom' } }, 'oracle.adapter', /500: boom/],
    ['a status of its own, without an error', { body: { statusCode: 500, result: 1 } }, 'oracle.adapter', /why/],
    ['a status of its provider', { body: { providerStatusCode: 429, result: 1 } }, 'oracle.adapter', /answered 429/],
    ['an error beside 200', { body: { result: 1, error: { message: 'late' } } }, 'oracle.adapter', /late/],
    ['"errored"', { body: { result: 1, status: 'errored' } }, 'oracle.adapter', /why/],
    ['errorMessage', { status: 502, body: { errorMessage: 'down', statusCode: 502 } }, 'oracle.adapter', /502: down/],
    ['a wrong input', { status: 400, body: { error: { message: 'base is missing' } } }, 'http.rejected', /base is/],
    ['too many calls', { status: 429, body: {} }, 'oracle.adapter', /429/],
    ['a wrong key', { status: 401, body: {} }, 'connection.unauthorised', /401/],
    ['an answer for later', { body: { pending: true } }, 'http.rejected', /later/],
    ['the header of nodes', { headers: { 'x-chainlink-pending': 'true' }, body: {} }, 'http.rejected', /later/],
  ])('given %s, then it is refused', async (_, answer, code, detail) => {
    await expect(call({}, answer)).rejects.toMatchObject({ code, detail: expect.stringMatching(detail) });
  });

  it('given an address that must be public, when it is none, then nothing is asked; an adapter of the connection is', async () => {
    await expect(call({ onlyPublic: true }, { body: { result: 1 } })).rejects.toMatchObject({
      code: 'target.forbidden',
    });
    expect(server.requests).toEqual([]);

    server.answer = () => ({ body: { result: 1 } });
    const named = await callAction(callAdapter, {
      with: { adapter: 'prices', onlyPublic: true },
      settings: { adapters: { prices: { url: server.url } } },
    });
    expect(named.result).toBe(1);
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['neither name nor address', {}, 'flow.input'],
    ['a name without a connection', { adapter: 'prices' }, 'connection.notFound'],
  ])('given %s, then it says so', async (_, input, code) => {
    await expect(callAction(callAdapter, { with: input })).rejects.toMatchObject({ code });
  });

  it('given a name that the connection does not have, then it names those that it has', async () => {
    const settings = { adapters: { prices: { url: server.url } } };
    await expect(callAction(callAdapter, { with: { adapter: 'weather' }, settings })).rejects.toMatchObject({
      code: 'connection.invalid',
      fix: expect.stringContaining('it has prices'),
    });
  });
});

describe('an answer that comes later', () => {
  function aStore(resumption: Omit<Resumption, 'isNew'>) {
    const kept = new Map<string, string>();
    const services: Readonly<Record<string, unknown>> = {
      [oracleResumptions.name]: { open: () => Promise.resolve({ ...resumption, isNew: true }) },
      [oracleKept.name]: {
        find: (key: string) => Promise.resolve(kept.get(key)),
        keep: (key: string, content: string) => Promise.resolve(void kept.set(key, content)),
      },
    };
    return <T>(token: ServiceToken<T>) => services[token.name] as T;
  }
  const url = 'https://hub.example/oracle/resume/1';
  const input = () => ({ url: server.url, await: '5m' });

  it('given "pending", when the step comes again, then it waits and does not ask again', async () => {
    server.answer = () => ({ body: { pending: true } });
    const use = aStore({ url, state: 'waiting' });
    for (const _ of [1, 2]) {
      await expect(callAction(callAdapter, { with: input(), use })).rejects.toMatchObject({ code: 'oracle.pending' });
    }

    expect(server.requests).toMatchObject([{ body: { responseURL: url } }]);
  });

  it.each<[string, unknown, unknown]>([
    ['the result alone', 42, 42],
    ['all that is answered at once', { data: { result: '7' }, statusCode: 200 }, '7'],
  ])('given %s that came, then that is the result', async (_, value, result) => {
    const use = aStore({ url, state: 'answered', answer: { value } });

    expect((await callAction(callAdapter, { with: input(), use })).result).toEqual(result);
    expect(server.requests).toEqual([]);
  });

  it.each<[string, Omit<Resumption, 'isNew'>, string]>([
    ['an error', { url, state: 'answered', answer: { error: 'no such pair' } }, 'http.rejected'],
    ['null', { url, state: 'answered', answer: { value: { result: null } } }, 'oracle.adapter'],
    ['nothing in time', { url, state: 'expired' }, 'flow.timeout'],
  ])('given %s, then the step fails', async (_, resumption, code) => {
    const use = aStore(resumption);
    await expect(callAction(callAdapter, { with: input(), use })).rejects.toMatchObject({ code });
  });
});
