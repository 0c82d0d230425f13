import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { blockMemory, contractDirectory, type BlockMemory, type ContractDirectory, type Network } from '#evm';
import type { EmitOptions, Heard, HttpClient, ListenContext, ServiceToken } from '#sdk';
import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { silent, until } from '../../src/evm/testing/heard-logs.js';
import { callFunction } from './call-function.action.js';
import { network } from './connection.js';
import { contractEvent } from './contract-event.trigger.js';
import connector from './index.js';
import { newBlock } from './new-block.trigger.js';

let chain: DevChain;
let client: Network;
const stops: (() => Promise<void>)[] = [];

const http: HttpClient = {
  request: () => Promise.reject(new Error('not used')),
  agents: { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) },
  assertAllowed: () => Promise.resolve(),
};
const forgetful: BlockMemory = { load: () => Promise.resolve([]), save: () => Promise.resolve() };
const noContracts: ContractDirectory = { find: () => Promise.resolve(undefined), names: () => Promise.resolve([]) };
const lent = new Map<string, unknown>([
  [blockMemory.name, forgetful],
  [contractDirectory.name, noContracts],
]);
const use = <T>(token: ServiceToken<T>): T => {
  if (!lent.has(token.name)) throw new Error(`${token.name} is not bound`);
  return lent.get(token.name) as T;
};

beforeAll(async () => {
  chain = await DevChain.start();
  client = await network.open(
    { rpcUrl: chain.url, wsUrl: chain.wsUrl, chainId: DevChain.chainId },
    {
      name: 'local',
      http,
      log: silent,
      use,
    },
  );
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

afterAll(async () => {
  await client.close();
  http.agents.http.destroy();
  await chain.stop();
});

type Listen<Event> = (context: ListenContext<never, Network, Event>) => Promise<void>;

/** Runs a listener as the hub would, and gives what it hears. */
async function listening<Event>(
  listen: Listen<Event> | undefined,
  input: unknown,
  { movesValue = false, on = client } = {},
): Promise<Heard<Event>[]> {
  const heard: Heard<Event>[] = [];
  const stop = new AbortController();
  let hasBegun = false;
  const ended = listen!({
    input: input as never,
    client: on,
    movesValue,
    cursor: undefined,
    signal: stop.signal,
    log: silent,
    use,
    emit: (events, _options?: EmitOptions) => {
      hasBegun = true;
      heard.push(...(Array.isArray(events) ? (events as Heard<Event>[]) : [events as Heard<Event>]));
      return Promise.resolve();
    },
    retract: () => Promise.resolve(),
    recall: () => Promise.resolve(new Map()),
    report: () => Promise.resolve(),
  });
  stops.push(async () => {
    stop.abort();
    await ended;
  });
  await until(() => hasBegun, 'the listener has begun');
  return heard;
}

describe('evm.contractEvent', () => {
  it('given a named contract, when it emits, then the event has arguments by name and fits its schema', async () => {
    const heard = await listening(
      contractEvent.listen as never,
      contractEvent.input.parse({ contract: 'usdc', event: 'Transfer' }),
    );

    const hash = await chain.transfer(1_234_567n);
    await until(() => heard.length > 0, 'the transfer');

    const [first] = heard as Heard<Record<string, unknown>>[];
    expect(contractEvent.event.parse(first!.event)).toMatchObject({
      name: 'Transfer',
      args: { from: devAccounts[0].address, to: devAccounts[1].address, value: '1234567' },
      contract: { name: 'usdc', address: chain.token },
      transaction: { hash, index: 0 },
      network: 'local',
      chainId: 31_337,
    });
    expect(first!.id.startsWith(`31337:${hash}:`)).toBe(true);
    expect(first!.position).toMatch(/^\d{12}:\d{6}$/);
  });

  it('given flows that move value, when nothing says how long to wait, then they hear only what is final, unlike others', async () => {
    const on = await network.open(
      { rpcUrl: chain.url, chainId: DevChain.chainId, confirmations: 0, finality: 'finalized' },
      { name: 'local', http, log: silent, use },
    );
    const { listen, input } = contractEvent;
    const silentInput = input.parse({ contract: 'usdc', event: 'Transfer' });
    const outspoken = input.parse({ contract: 'usdc', event: 'Transfer', confirmations: 0 });
    const others = await listening(listen as never, silentInput, { on });
    const told = await listening(listen as never, outspoken, { on, movesValue: true });
    const careful = await listening(listen as never, silentInput, { on, movesValue: true });

    const hash = await chain.transfer(77n);
    await until(() => others.length > 0 && told.length > 0, 'the transfer for those who do not wait');
    await chain.mine(3);
    const tooEarly = careful.length;
    await chain.mine(70);
    await until(() => careful.length > 0, 'the final transfer');

    expect(tooEarly).toBe(0);
    expect(careful[0]!.id.startsWith(`31337:${hash}:`)).toBe(true);
    stops.push(() => on.close());
  });

  it('given the same transfer many times in one transaction, when heard, then each is an event of its own', async () => {
    const heard = await listening(
      contractEvent.listen as never,
      contractEvent.input.parse({ contract: 'usdc', event: 'Transfer' }),
    );
    await chain.transferMany(3);
    await until(() => heard.length === 3, 'three transfers');
    expect(new Set(heard.map(({ id }) => id)).size).toBe(3);
  });

  it('given past blocks, when they are read again, then the same events with the same ids come and progress is told', async () => {
    const live = await listening(
      contractEvent.listen as never,
      contractEvent.input.parse({ contract: 'usdc', event: 'Transfer' }),
    );
    await chain.transferMany(200);
    await chain.transferMany(200);
    await until(() => live.length === 400, 'the live events');
    const from = Number(live[0]!.position!.slice(0, 12));
    const past: Heard[] = [];
    let done = 0;

    await contractEvent.backfill!({
      input: contractEvent.input.parse({ contract: 'usdc', event: 'Transfer' }),
      client,
      cursor: undefined,
      from: String(from),
      to: String(from + 1),
      signal: new AbortController().signal,
      log: silent,
      use,
      emit: (events) => {
        past.push(...[events].flat());
        return Promise.resolve();
      },
      progress: (value, total) => {
        done = value / total;
      },
    });

    expect(past).toEqual(live);
    expect(done).toBe(1);
  });

  it('given a flow that moves value, when past blocks are read that are not final yet, then it hears them once they are', async () => {
    const on = await network.open(
      { rpcUrl: chain.url, chainId: DevChain.chainId, confirmations: 0, finality: 'finalized' },
      { name: 'local', http, log: silent, use },
    );
    stops.push(() => on.close());
    const hash = await chain.transfer(78n);
    const head = await chain.head();
    const past: Heard[] = [];
    const heads: number[] = [];
    const read = contractEvent.backfill!({
      input: contractEvent.input.parse({ contract: 'usdc', event: 'Transfer' }),
      client: on,
      movesValue: true,
      cursor: undefined,
      from: String(head),
      to: String(head),
      signal: new AbortController().signal,
      log: silent,
      use,
      emit: async (events) => {
        past.push(...[events].flat());
        heads.push(await chain.head());
      },
      progress: () => undefined,
    });
    // A reader that does not wait has read them by then.
    for (let mined = 0; mined < 60; mined += 1) await chain.mine(1);
    await chain.mine(10);
    await read;

    expect(past.map(({ id }) => id.startsWith(`31337:${hash}:`))).toEqual([true]);
    expect(heads[0]).toBeGreaterThanOrEqual(head + 64);
  });

  it('given an unknown contract or event, when the listener starts, then the error says what there is', async () => {
    const listen = contractEvent.listen as unknown as (context: object) => Promise<void>;
    const base = { client, cursor: undefined, signal: new AbortController().signal, log: silent };
    await expect(listen({ ...base, input: { contract: 'usdt', event: 'Transfer' } })).rejects.toMatchObject({
      code: 'evm.unknownContract',
      fix: expect.stringMatching(/^There are: usdc, loyalty-token/),
    });
    await expect(listen({ ...base, input: { contract: 'usdc', event: 'Transferred' } })).rejects.toMatchObject({
      code: 'evm.unknownFunction',
      fix: 'It has: Approval, Transfer',
    });
  });
});

describe('evm.newBlock', () => {
  it('given a listener, when blocks are mined, then each is heard once and in order', async () => {
    const heard = await listening(newBlock.listen as never, {});
    const head = await chain.head();

    await chain.mine(5);
    await until(() => heard.length === 5, 'five blocks');

    expect((heard as Heard<{ number: number }>[]).map(({ event }) => event.number)).toEqual(
      [1, 2, 3, 4, 5].map((step) => head + step),
    );
  });
});

describe('evm.callFunction', () => {
  const call = (input: object): Promise<{ result?: unknown }> =>
    Promise.resolve(
      callFunction.run({
        input: callFunction.input.parse(input),
        client,
        signal: new AbortController().signal,
      } as unknown as Parameters<typeof callFunction.run>[0]),
    );

  it('given a function, when it is called by name or in order, then its value comes back as text', async () => {
    expect(await call({ contract: 'usdc', function: 'symbol' })).toEqual({ result: 'USDC' });
    expect(await call({ contract: 'usdc', function: 'allowance', args: [chain.token, chain.token] })).toEqual({
      result: '0',
    });
  });

  it.each([
    [['0x12'], 'must be an address'],
    [{ holder: chainlessAddress() }, 'but is missing'],
    [['0x5FBDB2315678afecb367f032d93f642f64180aa3'], 'checksum (EIP-55)'],
    [[], 'must have 1 value'],
  ])('given arguments %j, when called, then they are refused', async (args, detail) => {
    await expect(call({ contract: 'usdc', function: 'balanceOf', args })).rejects.toMatchObject({
      code: 'evm.arguments',
      detail: expect.stringContaining(detail),
    });
  });

  it('given an address without that contract, when called, then the error says to check the address', async () => {
    await expect(
      call({ contract: devAccounts[1].address, abi: 'DemoToken', function: 'symbol' }),
    ).rejects.toMatchObject({
      code: 'evm.unknownFunction',
    });
  });
});

describe('the evm connector', () => {
  it('given its examples, when parsed, then they fit the inputs', () => {
    for (const { input, examples } of [...Object.values(connector.triggers), ...Object.values(connector.actions)]) {
      for (const example of examples) expect(input.safeParse(example).success).toBe(true);
    }
  });
});

function chainlessAddress(): string {
  return `0x${'ab'.repeat(20)}`;
}
