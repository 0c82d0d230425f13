import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AdapterHub } from '../builders/adapter-hub.js';
import { eventually } from '../builders/eventually.js';
import { ResumingNode } from '../builders/resuming-node.js';
import { ScriptedServer } from '../builders/scripted-server.js';
import { freePort } from '../../bench/setup/free-port.js';
import { startFrameworkAdapter, type FrameworkAdapter } from '../environment/framework-adapter.js';

/** A source that counts, can be told to fail and to keep its callers waiting. */
class Source {
  asked = 0;
  status = 200;
  held: (() => void)[] | undefined;
  #server: Server | undefined;

  static async start(): Promise<Source> {
    const source = new Source();
    const server = createServer((_, response) => {
      source.asked += 1;
      const end = (): void => {
        response.writeHead(source.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ price: 3120.55, n: source.asked }));
      };
      if (source.held === undefined) end();
      else source.held.push(end);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    source.#server = server;
    return source;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server?.address() as AddressInfo).port}/price`;
  }

  hold(): void {
    this.held = [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const end of held) end();
  }

  async stop(): Promise<void> {
    this.release();
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}

let node: ResumingNode;
let source: Source;
let hub: AdapterHub;
let slow: ScriptedServer;
let framework: FrameworkAdapter;

function priceFlow(more: string): string {
  return `
trigger:
  uses: oracle.adapter
  with:
    fields: { from: { aliases: [base] }, to: { aliases: [quote], default: USD } }
${more}
steps:
  - id: price
    uses: http.request
    with: { url: '${source.url}' }
    retry: { attempts: 1 }
  - id: said
    uses: oracle.answer
    with:
      result: '{{steps.price.body.price}}'
      data: { pair: '{{event.data.from}}/{{event.data.to}}', n: '{{steps.price.body.n}}' }
`;
}

beforeAll(async () => {
  [node, source, slow] = await Promise.all([ResumingNode.start(), Source.start(), ScriptedServer.start()]);
  framework = await startFrameworkAdapter(source.url);
  hub = await AdapterHub.start({
    port: await freePort(),
    configuration: `
connections:
  feeds:
    connector: oracle
    adapters: { prices: { url: '${framework.url}' }, slow: { url: '${slow.url}' } }
`,
    flows: {
      price: `name: price${priceFlow(`    responseHosts: ['${node.host}']`)}`,
      hasty: `name: hasty${priceFlow(`    responseHosts: ['${node.host}']\n    budget: 500ms`)}`,
      later: `name: later${priceFlow(`    responseHosts: ['${node.host}']\n    async: true`)}`,
      echo: `
name: echo
trigger: { uses: oracle.adapter }
steps:
  - id: said
    uses: oracle.answer
    with: { result: '{{event.data.value}}' }
`,
      mute: `
name: mute
trigger: { uses: oracle.adapter }
steps:
  - id: said
    uses: oracle.answer
    where: { event.data.value: never }
    with: { result: 1 }
`,
      'by-framework': `
name: by-framework
trigger: { uses: oracle.adapter, with: { fields: { from: {} } } }
steps:
  - id: price
    uses: oracle.callAdapter
    connection: feeds
    with: { adapter: prices, data: { base: '{{event.data.from}}', quote: USD } }
    retry: { attempts: 5, delay: 200ms }
  - id: said
    uses: oracle.answer
    with: { result: '{{steps.price.result}}' }
`,
      'by-slow-adapter': `
name: by-slow-adapter
trigger: { uses: oracle.adapter, with: { budget: 20s } }
steps:
  - id: asked
    uses: oracle.callAdapter
    connection: feeds
    with: { adapter: slow, await: 1m }
  - id: said
    uses: oracle.answer
    with: { result: '{{steps.asked.result}}' }
`,
      hook: `
name: hook
trigger: { uses: webhook.received }
steps: [{ uses: http.request, with: { url: '${source.url}' } }]
`,
    },
  });
});

afterAll(async () => {
  await hub.close();
  await Promise.all([node.stop(), source.stop(), slow.stop(), framework.stop()]);
});

describe('a flow that is asked as an external adapter', () => {
  it('given a request, when it is asked, then the answer is there in both styles, with the id of the caller', async () => {
    const { status, body } = await hub.adapter('price', { id: 'job-1', data: { base: 'ETH' } });

    expect({ status, body }).toEqual({
      status: 200,
      body: {
        jobRunID: 'job-1',
        data: { pair: 'ETH/USD', n: source.asked, result: 3120.55 },
        result: 3120.55,
        statusCode: 200,
      },
    });
  });

  it('given the same id and content twice, then there is one run and one answer; without an id there are two', async () => {
    const before = source.asked;
    const ask = { id: 'job-2', data: { from: 'BTC' } };
    const answers = await Promise.all([hub.adapter('price', ask), hub.adapter('price', ask)]);
    const repeated = await hub.adapter('price', ask);

    expect(source.asked).toBe(before + 1);
    expect(repeated.body).toEqual(answers[0].body);
    expect(answers[1].body).toEqual(answers[0].body);

    await hub.adapter('price', { data: { from: 'BTC' } });
    await hub.adapter('price', { data: { from: 'BTC' } });
    await hub.adapter('price', { id: 'job-2', data: { from: 'DAI' } });
    expect(source.asked).toBe(before + 4);
  });

  it.each<[string, string, string]>([
    ['a small number', '42', '42'],
    ['a number of 20 digits', '12345678901234567890', '"12345678901234567890"'],
    ['a fraction of 20 digits', '0.12345678901234567891', '"0.12345678901234567891"'],
    ['10^77', `1${'0'.repeat(77)}`, `"1${'0'.repeat(77)}"`],
    ['text', '"12345678901234567890"', '"12345678901234567890"'],
    ['false', 'false', 'false'],
    ['0', '0', '0'],
    ['a list', '[1,"a"]', '[1,"a"]'],
  ])('given %s, then it comes back exactly', async (_, given, expected) => {
    const { body } = await hub.adapter('echo', `{"data":{"value":${given}}}`);

    expect([JSON.stringify(body.result), JSON.stringify(body.data.result), body.statusCode]).toEqual([
      expected,
      expected,
      200,
    ]);
  });

  it.each<[string, string, unknown, number, string, RegExp]>([
    ['a field that is missing', 'price', { id: 7, data: {} }, 400, 'request.invalid', /data\.from is missing\. Send/],
    ['an id that cannot be kept', 'price', '{"id":"a\\u0000","data":{}}', 400, 'request.invalid', /U\+0000/],
    ['no object', 'price', '[1]', 400, 'request.invalid', /no JSON object/],
    ['half of JSON', 'price', '{"data":', 400, 'request.invalid', /not valid JSON/],
    ['data that is text', 'price', { data: 'ETH' }, 400, 'request.invalid', /data/],
    ['a flow that is not there', 'nothing', { data: {} }, 404, 'flow.notFound', /no flow called nothing/],
    ['a flow that is no adapter', 'hook', { data: {} }, 404, 'flow.notFound', /webhook\.received/],
    ['null for an answer', 'echo', { data: { value: null } }, 502, 'oracle.adapter', /./],
    ['nothing for an answer', 'echo', { data: {} }, 502, 'oracle.adapter', /./],
    ['NaN for an answer', 'echo', { data: { value: 'NaN' } }, 502, 'oracle.adapter', /take for a good answer/],
    ['a run that says nothing', 'mute', { data: {} }, 502, 'oracle.adapter', /ended without an answer/],
    [
      'a responseURL elsewhere',
      'price',
      { data: { from: 'ETH' }, responseURL: 'http://169.254.169.254/latest' },
      403,
      'target.forbidden',
      /responseHosts/,
    ],
    ['a responseURL that is none', 'price', { data: { from: 'ETH' }, responseURL: 'x' }, 400, 'request.invalid', /web/],
  ])('given %s, then it is an error as adapters tell it', async (_, flow, ask, status, code, message) => {
    const answer = await hub.adapter(flow, ask);

    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({
      status: 'errored',
      statusCode: status,
      error: { name: 'AdapterError', code, message: expect.stringMatching(message) },
    });
    expect(answer.body).not.toHaveProperty('result');
    expect(answer.body).not.toHaveProperty('data');
    if (typeof ask === 'object' && ask !== null && 'id' in ask) expect(answer.body.jobRunID).toBe('7');
  });

  it('given a source that fails, then the answer is an error with HTTP status 502', async () => {
    source.status = 500;
    const { status, body } = await hub.adapter('price', { id: 'job-3', data: { from: 'ETH' } });
    source.status = 200;

    expect(status).toBe(502);
    expect(body).toMatchObject({ jobRunID: 'job-3', statusCode: 502, error: { name: 'AdapterError' } });
    expect(body.error.message).toContain('answered 500');
  });

  it('given a key of another scope, or none, then it is refused as adapters refuse', async () => {
    const node = await hub.makeKey();
    const other = await hub.makeKey(['runs:read']);

    expect((await hub.adapter('echo', { data: { value: 1 } }, node)).status).toBe(200);
    for (const [key, status] of [
      [other, 403],
      ['', 401],
      ['wrong', 401],
    ] as const) {
      const answer = await hub.adapter('echo', { data: { value: 1 } }, key);
      expect(answer).toMatchObject({ status, body: { status: 'errored', error: { name: 'AdapterError' } } });
    }
    expect((await hub.ask('GET', '/api/runs', undefined, node)).status).toBe(403);
  });

  it('given no responseURL and a source that hangs, then the caller is told within the budget, and later gets the answer', async () => {
    source.hold();
    const ask = { id: 'job-4', data: { from: 'ETH' } };
    const late = await hub.adapter('hasty', ask);
    expect(late).toMatchObject({ status: 504, body: { jobRunID: 'job-4', error: { code: 'flow.timeout' } } });

    source.release();
    const answer = await eventually(async () => {
      const again = await hub.adapter('hasty', ask);
      return again.status === 200 && again;
    });
    expect(answer.body.result).toBe(3120.55);
  });
});

describe('answers that come later', () => {
  it('given an asynchronous flow, then it is pending at once, and the answer follows once', async () => {
    const { status, body } = await hub.adapter('later', {
      id: 'job-5',
      data: { from: 'ETH' },
      responseURL: node.resumeUrl('a'),
    });
    expect({ status, body }).toEqual({ status: 200, body: { pending: true } });

    const patched = await eventually(() => node.patched.find(({ path }) => path === 'PATCH /v2/resume/a'));
    expect(patched.body).toEqual({
      value: {
        jobRunID: 'job-5',
        data: { pair: 'ETH/USD', n: source.asked, result: 3120.55 },
        result: 3120.55,
        statusCode: 200,
      },
    });
  });

  it('given an asynchronous flow and no responseURL, then it is answered at once', async () => {
    expect((await hub.adapter('later', { data: { from: 'ETH' } })).body.result).toBe(3120.55);
  });

  it('given a run that fails, then the error follows', async () => {
    source.status = 500;
    await hub.adapter('later', { data: { from: 'ETH' }, responseURL: node.resumeUrl('b') });
    const patched = await eventually(() => node.patched.find(({ path }) => path === 'PATCH /v2/resume/b'));
    source.status = 200;

    expect(Object.keys(patched.body)).toEqual(['error']);
    expect(patched.body.error).toContain('answered 500');
  });

  it('given a budget that is used up, and a hub that is restarted, then the answer follows, also after refusals', async () => {
    source.hold();
    const { body } = await hub.adapter('hasty', {
      id: 'job-6',
      data: { from: 'ETH' },
      responseURL: node.resumeUrl('c'),
    });
    expect(body).toEqual({ pending: true });
    node.statuses.push(503, 422);

    const halted = hub.halt();
    source.release();
    await halted;
    await hub.boot();

    const found = await eventually(() => {
      const tries = node.patched.filter(({ path }) => path === 'PATCH /v2/resume/c');
      return tries.length === 3 && tries;
    });
    for (const { body: told } of found) expect(told).toEqual(found[0]?.body);
    expect(found[0]?.body.value.result).toBe(3120.55);
  });

  it('given a node that knows nothing of the task, then it is left alone after a few tries', async () => {
    node.statuses.push(500, 500, 500, 500);
    await hub.adapter('later', { data: { from: 'ETH' }, responseURL: node.resumeUrl('d') });

    await eventually(() => node.patched.filter(({ path }) => path.endsWith('/d')).length === 4);
    expect(node.statuses).toEqual([]);
  });
});

describe('a step that calls an adapter', () => {
  it('given an adapter on the framework of Chainlink, when a flow asks it, then its result is the answer', async () => {
    const { status, body } = await hub.adapter('by-framework', { id: 'job-7', data: { from: 'ETH' } });

    expect({ status, body }).toMatchObject({ status: 200, body: { jobRunID: 'job-7', result: 3120.55 } });
  });

  it('given an adapter that answers later, when it does, then the run goes on, once', async () => {
    slow.answer = () => ({ body: { pending: true } });
    const answer = hub.adapter('by-slow-adapter', { id: 'job-8', data: {} });
    const { body } = await eventually(() => slow.requests[0]);
    const resume = (value: unknown) => hub.ask('PATCH', String(body.responseURL), value, '');

    expect((await resume({})).status).toBe(422);
    expect((await resume({ value: 1, error: 'x' })).status).toBe(422);
    expect(await resume({ value: { data: { result: '77' } } })).toEqual({ status: 200, body: '' });
    expect((await resume({ value: 2 })).status).toBe(409);
    expect((await hub.ask('PATCH', `/oracle/resume/${crypto.randomUUID()}`, { value: 1 }, '')).status).toBe(404);
    expect((await hub.ask('PATCH', '/oracle/resume/x', { value: 1 }, '')).status).toBe(404);
    expect(await answer).toMatchObject({ status: 200, body: { result: '77' } });
    expect(slow.requests).toHaveLength(1);
  });
});
