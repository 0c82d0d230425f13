import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { getFragment, selectorOf, topicOf } from '#evm';
import { oracleRequest, oracleResponse } from '../../connectors/oracle/operator-abi.js';
import { compileOracleConsumer } from '../../connectors/oracle/testing/chainlink-contracts.js';
import { eventually } from '../builders/eventually.js';
import { OracleHub } from '../builders/oracle-hub.js';
import type { Deployed } from '../builders/oracle-stage.js';
import { ScriptedServer } from '../builders/scripted-server.js';

const answers = new Map([
  ['/good', '{"price":"12.5"}'],
  ['/negative', '{"price":-5}'],
  ['/huge', '{"price":"1e77"}'],
  ['/nan', '{"price":NaN}'],
  ['/nan-text', '{"price":"NaN"}'],
  ['/null', '{"price":null}'],
  ['/html', '<!doctype html><p>We are back soon'],
  ['/empty', ''],
]);

let oracle: OracleHub;
let stranger: Deployed;
let source: ScriptedServer;

beforeAll(async () => {
  source = await ScriptedServer.start();
  source.answer = ({ path }) => {
    const body = answers.get(path);
    return body === undefined ? { status: 500 } : { body };
  };
  oracle = await OracleHub.start({
    flows: ({ consumer }) => ({
      'price.yaml': `
name: price
retry: { attempts: 1 }
trigger:
  uses: oracle.request
  with: { job: price, minPayment: '5', requesters: ["${consumer.address}"] }
steps:
  - id: source
    uses: oracle.collect
    with:
      sources: [{ name: asked, url: "{{event.params.get}}", path: "{{event.params.path}}" }]
  - id: answer
    uses: oracle.fulfill
    with:
      request: "{{event.request}}"
      type: uint256
      value: "{{steps.source.value}}"
      times: "{{event.params.times}}"
`,
    }),
  });
  const { stage } = oracle;
  stranger = await stage.deploy(await compileOracleConsumer(), [stage.link.address, stage.operator.address]);
  await stage.fund(stranger.address);
});

afterAll(async () => {
  await source.stop();
  await oracle.remove();
});

interface Asking {
  readonly by?: Deployed;
  readonly job?: string;
  readonly payment?: string;
  readonly get?: string;
  readonly path?: string;
}

const wordOf = (job: string): string => `0x${Buffer.from(job).toString('hex').padEnd(64, '0')}`;

async function ask({ by, job = 'price', payment = '5', get = '/good', path = 'price' }: Asking) {
  const { stage } = oracle;
  await stage.send(by ?? stage.consumer, 'askPrice', [wordOf(job), payment, `${source.url}${get}`, path, '100']);
}

async function askWith(data: string) {
  const { stage } = oracle;
  const callback = selectorOf(getFragment(stage.consumer.abi, 'function', 'takeUint'));
  await stage.send(stage.consumer, 'ask', [wordOf('price'), '5', callback, data, '1']);
}

async function countOf(topic: string): Promise<number> {
  const { chain, stage } = oracle;
  const filter = { address: stage.operator.address, topics: [topic], fromBlock: '0x0', toBlock: 'latest' };
  return (await chain.call<unknown[]>('eth_getLogs', [filter])).length;
}

interface Listed {
  readonly items: readonly { readonly error: { readonly code: string; readonly message: string } | null }[];
}

describe('requests that must not be answered', () => {
  const bad: readonly [string, () => Promise<void>, string][] = [
    ['data that is no CBOR', () => askWith('0xff00ff'), 'oracle.data'],
    ['a job that nobody has', () => ask({ job: 'weather' }), 'oracle.unknownJob'],
    ['a payment that is too small', () => ask({ payment: '4' }), 'oracle.payment'],
    ['somebody who may not ask', () => ask({ by: stranger }), 'oracle.requester'],
    ['a number below the type', () => ask({ get: '/negative' }), 'oracle.answer'],
    ['a number above the type', () => ask({ get: '/huge' }), 'oracle.answer'],
    ['a place that is not there', () => ask({ path: 'cost' }), 'oracle.sources'],
    ['NaN', () => ask({ get: '/nan' }), 'oracle.sources'],
    ['NaN as text', () => ask({ get: '/nan-text' }), 'oracle.sources'],
    ['null', () => ask({ get: '/null' }), 'oracle.sources'],
    ['a page', () => ask({ get: '/html' }), 'oracle.sources'],
    ['nothing', () => ask({ get: '/empty' }), 'oracle.sources'],
    ['a source that fails', () => ask({ get: '/none' }), 'oracle.sources'],
    ['no address', () => ask({ get: ' nowhere' }), 'flow.input'],
  ];

  it('given one of each and a good one behind it, then each is a dead letter with its reason, and only the good ones are answered', async () => {
    for (const [, send] of bad) {
      await send();
      await ask({});
    }

    const items = await eventually(async () => {
      const letters = await oracle.hub.get<Listed>('/api/dead-letters?limit=100');
      return letters.items.length === bad.length && letters.items;
    });
    const codes = items.map(({ error }) => error?.code);
    expect(codes.sort()).toEqual(bad.map(([, , code]) => code).sort());
    await eventually(async () => (await countOf(topicOf(oracleResponse))) === bad.length);
    expect(await countOf(topicOf(oracleRequest))).toBe(2 * bad.length);
    expect(await countOf(topicOf(oracleResponse))).toBe(bad.length);
  });
});
