import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Network,
  blockMemory,
  contractDirectory,
  getFragment,
  networkDirectory,
  selectorOf,
  signerSource,
  type BlockMemory,
} from '#evm';
import {
  declaredTriggers,
  type DeclaredTrigger,
  type Heard,
  type HttpClient,
  type ListenContext,
  type ServiceToken,
} from '#sdk';
import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { silent, until } from '../../src/evm/testing/heard-logs.js';
import { oracle } from './connection.js';
import { specIdsOf } from './job-id.js';
import type { OracleClient } from './oracle.client.js';
import { request, type OracleRequestEvent } from './request.trigger.js';
import { startOracleStage, type OracleStage } from '../../test/builders/oracle-stage.js';

const uuid = '0eec7e1d-d0d2-476c-a1a8-72dfb6633f46';
const [asText, asBytes] = specIdsOf(uuid) as [string, string];
const usual = ['https://prices.example/eth', 'data,usd', '100'] as const;

const http: HttpClient = {
  request: () => Promise.reject(new Error('not used')),
  agents: { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) },
  assertAllowed: () => Promise.resolve(),
};
const forgetful: BlockMemory = { load: () => Promise.resolve([]), save: () => Promise.resolve() };

let chain: DevChain;
let stage: OracleStage;
let network: Network;
let flows: DeclaredTrigger[] = [];
const stops: (() => Promise<void>)[] = [];

const lent = new Map<string, unknown>([
  [blockMemory.name, forgetful],
  [contractDirectory.name, { find: () => Promise.resolve(undefined), names: () => Promise.resolve([]) }],
  [networkDirectory.name, { get: () => Promise.resolve(network), byChainId: () => Promise.resolve(network) }],
  [declaredTriggers.name, { of: () => flows }],
  [signerSource.name, { get: () => Promise.resolve({ name: 'oracle-key', address: devAccounts[1].address }) }],
]);
const use = <T>(token: ServiceToken<T>): T => {
  if (!lent.has(token.name)) throw new Error(`${token.name} is not bound`);
  return lent.get(token.name) as T;
};

beforeAll(async () => {
  chain = await DevChain.start();
  stage = await startOracleStage(chain, { withOldOracle: true });
  network = new Network(
    {
      name: 'local',
      rpcUrls: [chain.url],
      wsUrl: chain.wsUrl,
      chainId: DevChain.chainId,
      confirmations: 0,
      revertedAfter: 3,
      addressBook: undefined,
      blockTimeMs: undefined,
    },
    { http, log: silent, use },
  );
});

beforeEach(() => {
  flows = [];
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

afterAll(async () => {
  await network.close();
  http.agents.http.destroy();
  await chain.stop();
});

async function open(settings: Readonly<Record<string, unknown>> = {}): Promise<OracleClient> {
  const parsed = oracle.settings.parse({ contract: stage.operator.address, ...settings });
  return await oracle.open(parsed, { name: 'my-oracle', http, log: silent, use });
}

type Requests = Heard<OracleRequestEvent>[];

interface Listening {
  readonly heard: Requests;
  /** Positions from which on something was withdrawn. */
  readonly withdrawn: string[];
  readonly error: unknown;
}

/** Listens as a flow of this name would, with what the hub would know of it. */
async function listening(
  flow: string,
  written: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Listening> {
  const client = await open(settings);
  const input = request.input.parse(written);
  flows = [...flows, { flow, connection: 'my-oracle', input, movesValue: false, isPaused: false }].sort((one, other) =>
    one.flow < other.flow ? -1 : 1,
  );
  const stop = new AbortController();
  const listening = { heard: [] as Requests, withdrawn: [] as string[], error: undefined as unknown };
  let hasBegun = false;
  const context: ListenContext<typeof input, OracleClient, OracleRequestEvent> = {
    input,
    client,
    cursor: undefined,
    signal: stop.signal,
    log: silent,
    use,
    emit: (events) => {
      hasBegun = true;
      for (const heard of [events].flat() as Requests) {
        request.event.parse(heard.event);
        listening.heard.push(heard);
      }
      return Promise.resolve();
    },
    retract: ({ from }) => {
      listening.withdrawn.push(from);
      return Promise.resolve();
    },
    recall: () => Promise.resolve(new Map()),
    report: () => Promise.resolve(),
  };
  const ended = request.listen!(context).catch((error: unknown) => {
    listening.error = error;
  });
  stops.push(async () => {
    stop.abort();
    await ended;
  });
  await until(() => hasBegun || listening.error !== undefined, 'the listener has begun');
  return listening;
}

const askPrice = (job: string, payment = '1') => stage.send(stage.consumer, 'askPrice', [job, payment, ...usual]);

/** With data of one's own, which real consumers can send as well. */
async function askWith(data: string, job = asText) {
  const callback = selectorOf(getFragment(stage.consumer.abi, 'function', 'takeUint'));
  return await stage.send(stage.consumer, 'ask', [job, '1', callback, data, '1']);
}

describe('oracle.request', () => {
  it('given a job, when a consumer asks in either spelling, then each request is an event with its parameters', async () => {
    const { heard } = await listening('eth-usd', { job: uuid.toUpperCase() });

    const { hash, blockNumber } = await askPrice(asText);
    await askPrice(asBytes, '25');
    await until(() => heard.length === 2, 'both requests');

    const [first, second] = heard;
    expect(first!.event).toMatchObject({
      request: {
        oracle: stage.operator.address,
        chainId: DevChain.chainId,
        network: 'local',
        specId: asText,
        job: uuid,
        requester: stage.consumer.address,
        payment: '1',
        callbackAddress: stage.consumer.address,
        callbackFunctionId: selectorOf(getFragment(stage.consumer.abi, 'function', 'takeUint')),
        dataVersion: 1,
        blockNumber,
        transactionHash: hash,
      },
      params: { get: usual[0], path: usual[1], times: usual[2] },
    });
    expect(first!.refused).toBeUndefined();
    expect(first!.subject).toBe(first!.event.request.id);
    expect(Number(first!.event.request.expiration)).toBeGreaterThan(Date.now() / 1_000);
    expect(second!.event.request).toMatchObject({ specId: asBytes, job: uuid, payment: '25' });
    expect(second!.event.request.id).not.toBe(first!.event.request.id);
  });

  it('given values of every kind, when contracts encode them, then every digit and byte arrives', async () => {
    const { heard } = await listening('everything', { job: 'everything' });
    const [job] = specIdsOf('everything');

    const largest = (2n ** 256n - 1n).toString();
    const least = (-(2n ** 255n)).toString();
    for (const [whole, signed] of [
      [(2n ** 63n).toString(), (-(2n ** 63n)).toString()],
      [(2n ** 64n - 1n).toString(), (-(2n ** 64n)).toString()],
      [(2n ** 64n).toString(), (-(2n ** 64n) - 1n).toString()],
      [largest, least],
    ] as const) {
      await stage.send(stage.consumer, 'askEverything', [job, '1', 'zwölf €', whole, signed, '0x00ff', ['a', 'b']]);
      await until(() => heard.at(-1)?.event.params['whole'] === whole, 'the request');
      expect(heard.at(-1)!.event.params).toEqual({ text: 'zwölf €', whole, signed, raw: '0x00ff', list: ['a', 'b'] });
    }
  });

  it('given Oracle, the ancestor, when it is asked, then its requests are heard alike', async () => {
    const contract = stage.oldOracle!.address;
    const { heard } = await listening('old', { job: uuid }, { contract });

    await stage.send(stage.oldConsumer!, 'askPrice', [asText, '1', ...usual]);
    await until(() => heard.length === 1, 'the request');

    expect(heard[0]!.event).toMatchObject({ request: { oracle: contract }, params: { times: '100' } });
    await expect((await open({ contract })).contract()).resolves.toEqual({ address: contract, kind: 'oracle' });
  });

  it.each([
    ['pays too little', { minPayment: '2' }, 'oracle.payment'],
    ['comes from somebody else', { requesters: [devAccounts[0].address] }, 'oracle.requester'],
    ['has more data than is taken', { maxDataBytes: 10 }, 'oracle.data'],
  ])('given a request that %s, when it is heard, then it is refused with the reason', async (_what, rule, code) => {
    const { heard } = await listening('strict', { job: uuid, ...rule });

    await askPrice(asText);
    await until(() => heard.length === 1, 'the request');

    expect(heard[0]!.refused).toMatchObject({ code, fix: expect.any(String) });
  });

  it('given rules of the connection, when the flow has none, then these hold, and those of a flow come first', async () => {
    const strict = await listening('a', { job: uuid }, { minPayment: '10' });
    const lenient = await listening('b', { job: uuid, minPayment: '0' }, { minPayment: '10' });

    await askPrice(asText, '9');
    await until(() => strict.heard.length === 1 && lenient.heard.length === 1, 'the request, twice');

    expect(strict.heard[0]!.refused?.code).toBe('oracle.payment');
    expect(strict.heard[0]!.event.params).toMatchObject({ times: '100' });
    expect(lenient.heard[0]!.refused).toBeUndefined();
  });

  it.each([
    ['no CBOR', '0xff00ff'],
    ['a name without a value', '0x63676574'],
    ['a name that reaches the prototype', '0x695f5f70726f746f5f5f01'],
  ])('given data that is %s, when it is heard, then it is refused and the next request is not', async (_what, data) => {
    const { heard } = await listening('eth-usd', { job: uuid });

    await askWith(data);
    await askPrice(asText);
    await until(() => heard.length === 2, 'both requests');

    expect(heard[0]).toMatchObject({ refused: { code: 'oracle.data' }, event: { params: {} } });
    expect(heard[1]!.refused).toBeUndefined();
  });

  it('given two flows on one contract, when a job is asked that neither has, then the first by name refuses it', async () => {
    const first = await listening('aaa', { job: 'one' });
    const second = await listening('bbb', { job: 'two' });

    await askPrice(specIdsOf('three')[0]!);
    await askPrice(specIdsOf('two')[0]!);
    await until(() => first.heard.length === 1 && second.heard.length === 1, 'one for each');

    expect(first.heard[0]).toMatchObject({
      refused: { code: 'oracle.unknownJob' },
      event: { request: { job: 'three' } },
    });
    expect(second.heard[0]).toMatchObject({ event: { request: { job: 'two' } } });
    expect(second.heard[0]!.refused).toBeUndefined();
  });

  it('given a job whose flow is paused, when it is asked for, then nobody refuses it', async () => {
    const { heard } = await listening('bbb', { job: 'one' });
    const paused = request.input.parse({ job: 'paused' });
    flows = [{ flow: 'aaa', connection: 'my-oracle', input: paused, movesValue: false, isPaused: true }, ...flows];

    await askPrice(specIdsOf('paused')[0]!);
    await askPrice(specIdsOf('nobody')[0]!);
    await until(() => heard.length === 1, 'the unknown one');

    expect(heard[0]!.event.request.job).toBe('nobody');
  });

  it('given a contract that others serve too, when a job is asked that no flow has, then it is left to them', async () => {
    const { heard } = await listening('shared', { job: uuid }, { isShared: true });

    await askPrice(specIdsOf('somebody else')[0]!);
    await askPrice(asBytes);
    await until(() => heard.length === 1, 'ours');

    expect(heard[0]!.event.request.job).toBe(uuid);
  });

  it('given a reorganisation, when the same request id comes with another expiration, then it is another event', async () => {
    const { heard, withdrawn } = await listening('eth-usd', { job: uuid });
    await askPrice(asText);
    await until(() => heard.length === 1, 'the request');

    await chain.call('anvil_reorg', [1, []]);
    await chain.call('evm_increaseTime', [7]);
    await askPrice(asText);
    await chain.mine();
    await until(() => heard.length === 2 && withdrawn.length === 1, 'the request again');

    const [before, after] = heard;
    expect(after!.event.request.id).toBe(before!.event.request.id);
    expect(after!.event.request.expiration).not.toBe(before!.event.request.expiration);
    expect(after!.id).not.toBe(before!.id);
    expect(withdrawn[0]! <= before!.position!).toBe(true);
  });

  it('given requests of the past, when they are read again, then those of the job come with the ids they had', async () => {
    const { heard } = await listening('eth-usd', { job: uuid });
    await stage.send(stage.consumer, 'askPrices', ['30', asText, '1', ...usual]);
    await askPrice(specIdsOf('another')[0]!);
    await until(() => heard.length === 31, 'all of them');
    const own = heard.filter(({ refused }) => refused === undefined);
    const past: Requests = [];

    await request.backfill!({
      input: request.input.parse({ job: uuid }),
      client: await open(),
      cursor: undefined,
      from: String(own[0]!.event.request.blockNumber),
      to: undefined,
      signal: new AbortController().signal,
      log: silent,
      use,
      emit: (events) => {
        past.push(...([events].flat() as Requests));
        return Promise.resolve();
      },
      progress: () => undefined,
    });

    expect(past.map(({ id }) => id)).toEqual(own.map(({ id }) => id));
  });
});

describe('the inputs of oracle.request', () => {
  it.each([[''], ['a name that is longer than 32 bytes are'], ['0xdeadbeef'.repeat(4)]])(
    'given the job %j, when a flow is loaded, then it is refused with what a job is',
    (job) => {
      const { error } = request.input.safeParse({ job });
      expect(error?.issues[0]?.message).toMatch(/must be a UUID, or a name of at most 32 bytes/);
    },
  );
});

describe('a connection that lacks its contract', () => {
  it.each([
    ['no contract', { contract: undefined }, /has no contract/],
    ['nothing at its address', { contract: `0x${'12'.repeat(20)}` }, /no contract at/],
  ])('given %s, when a flow listens, then it is told why it cannot', async (_what, settings, detail) => {
    const { error } = await listening('lost', { job: uuid }, settings);
    expect(error).toMatchObject({
      code: 'connection.invalid',
      detail: expect.stringMatching(detail),
      fix: expect.any(String),
    });
  });
});
