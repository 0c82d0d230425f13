import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AbiCoder, encodeBytes32String } from 'ethers';
import { getFragment, selectorOf, type TransactionRecord } from '#evm';
import { artefact, devAccounts, type DevChain } from '../../src/evm/testing/dev-chain.js';
import { callAction } from '../../test/builders/action-call.js';
import {
  requestsOf,
  startAnsweringStage,
  type AnsweringStage,
  type Asked,
} from '../../test/builders/answering-stage.js';
import { untilEnded } from '../../test/builders/lent-network.js';
import type { OracleStage } from '../../test/builders/oracle-stage.js';
import { fulfill } from './fulfill.action.js';
import type { Artefact } from './testing/chainlink-contracts.js';

const coder = AbiCoder.defaultAbiCoder();
const job = `0x${Buffer.from('0eec7e1dd0d2476ca1a872dfb6633f46').toString('hex')}`;
const oracleAccount = devAccounts[1];

let world: AnsweringStage;
let stage: OracleStage;
let chain: DevChain;
let kept: AnsweringStage['kept'];

beforeAll(async () => {
  world = await startAnsweringStage({ withOldOracle: true });
  ({ contracts: stage, chain, kept } = world);
});

afterAll(() => world.close());

async function ask(callback: string, { version = 1, consumer = stage.consumer } = {}): Promise<Asked> {
  const selector = selectorOf(getFragment(consumer.abi, 'function', callback));
  const [request] = requestsOf(await stage.send(consumer, 'ask', [job, '1', selector, '0x', version]));
  return request!;
}

const answer = (given: Record<string, unknown>, settings?: Record<string, unknown>): ReturnType<typeof once> =>
  untilEnded(() => once(given, settings));

const once = (given: Record<string, unknown>, settings: Record<string, unknown> = {}) =>
  callAction(fulfill, {
    with: given,
    settings: { contract: stage.operator.address, signer: 'oracle-key', ...settings },
    use: world.use,
  });

async function sentBy(address: string): Promise<number> {
  return Number(await chain.call('eth_getTransactionCount', [address, 'latest']));
}

describe('answering a request', () => {
  it.each<[string, string, Record<string, unknown>, string[], unknown[]]>([
    ['a price', 'takeUint', { type: 'uint256', value: '3512.87', times: 100 }, ['uint256'], [351_287n]],
    ['a temperature', 'takeInt', { type: 'int256', value: '-273.15', times: '100' }, ['int256'], [-27_315n]],
    ['a yes', 'takeBool', { type: 'bool', value: true }, ['bool'], [true]],
    ['a name', 'takeWord', { type: 'bytes32', value: 'Kraken' }, ['bytes32'], [encodeBytes32String('Kraken')]],
    [
      'an address',
      'takeAddress',
      { type: 'address', value: devAccounts[0].address },
      ['address'],
      [devAccounts[0].address],
    ],
    ['text', 'takeText', { type: 'string', value: 'größer '.repeat(40) }, ['string'], ['größer '.repeat(40)]],
    ['bytes', 'takeBytes', { type: 'bytes', value: `0x${'0123'.repeat(200)}` }, ['bytes'], [`0x${'0123'.repeat(200)}`]],
    [
      'several values',
      'takeMany',
      {
        values: [
          { type: 'uint256', value: '1.5', times: '1e18' },
          { type: 'int256', value: '-7' },
          { type: 'string', value: 'ETH/USD' },
        ],
      },
      ['uint256', 'int256', 'string'],
      [15n * 10n ** 17n, -7n, 'ETH/USD'],
    ],
  ])('given %s, then the consumer has it', async (_title, callback, given, types, values) => {
    const request = await ask(callback);

    const output = await answer({ request, ...given });

    expect(output).toMatchObject({ outcome: 'answered', transactionHash: expect.stringMatching(/^0x/) as unknown });
    expect(await kept(request)).toEqual({ data: coder.encode(types, values), times: '1' });
  });

  it('given a request that wants an answer of version 2, when it is one word, then it goes the way of many', async () => {
    const request = await ask('takeUint', { version: 2 });

    const output = await answer({ request, type: 'uint256', value: '42' });

    expect(output).toMatchObject({
      outcome: 'answered',
      answer: coder.encode(['bytes32', 'uint256'], [request.id, 42n]),
    });
    expect(await kept(request)).toEqual({ data: coder.encode(['uint256'], [42n]), times: '1' });
  });

  it('given an Oracle of old, then it passes on one word, and more is refused before anything is sent', async () => {
    const [oracle, consumer] = [stage.oldOracle!, stage.oldConsumer!];
    const [word, text] = [await ask('takeUint', { consumer }), await ask('takeText', { consumer })];

    const output = await answer({ request: word, type: 'uint256', value: '42' }, { contract: oracle.address });

    expect(output).toMatchObject({ outcome: 'answered' });
    expect((await kept(word, consumer)).data).toBe(coder.encode(['uint256'], [42n]));
    await expect(answer({ request: text, type: 'string', value: 'a' }, { contract: oracle.address })).rejects.toThrow(
      expect.objectContaining({ code: 'oracle.answer', message: expect.stringMatching(/one word only/) as unknown }),
    );
    await expect(
      answer({ request: word, type: 'uint256', value: '43' }, { contract: oracle.address }),
    ).resolves.toEqual(
      expect.objectContaining({ outcome: 'alreadyAnswered', transaction: expect.any(String) as unknown }),
    );
  });

  it('given a forwarder, then the answer passes through it', async () => {
    const forwarder = await stage.deploy(artefact('AuthorizedForwarder') as Artefact, [
      stage.link.address,
      devAccounts[0].address,
      `0x${'0'.repeat(40)}`,
      '0x',
    ]);
    await stage.send(stage.operator, 'setAuthorizedSenders', [[oracleAccount.address, forwarder.address]]);
    const settings = { forwarder: forwarder.address };
    const request = await ask('takeUint');
    const given = { request, type: 'uint256', value: '42' };

    await expect(answer(given, settings)).rejects.toThrow(/would refuse the answer: .*authorized/i);
    await stage.send(forwarder, 'setAuthorizedSenders', [[oracleAccount.address]]);

    expect(await answer(given, settings)).toMatchObject({ outcome: 'answered' });
    const text = await ask('takeText');
    await answer({ request: text, type: 'string', value: 'x'.repeat(500) }, settings);
    expect((await kept(text)).times).toBe('1');
  });

  it('given a value that fits no type, then nothing is sent', async () => {
    const request = await ask('takeUint');
    const before = await sentBy(oracleAccount.address);

    await expect(answer({ request, type: 'uint256', value: '-1' })).rejects.toThrow(
      expect.objectContaining({ code: 'oracle.answer' }),
    );
    expect(await sentBy(oracleAccount.address)).toBe(before);
  });
});

describe('a callback that fails', () => {
  it.each([
    ['answer', 'callbackFailed'],
    ['skip', 'skipped'],
  ])('given a consumer that refuses, when the flow says %s, then the outcome is %s', async (policy, outcome) => {
    const request = await ask('takeUint');
    await stage.send(stage.consumer, 'refuse', [true]);

    const output = await answer({ request, type: 'uint256', value: '42', onCallbackFailure: policy });

    await stage.send(stage.consumer, 'refuse', [false]);
    expect(output.outcome).toBe(outcome);
    expect(output.transactionHash === undefined).toBe(outcome === 'skipped');
    expect((await kept(request)).times).toBe('0');
  });

  it('given a consumer that refuses, when the flow says hold, then the run is held and can be taken up later', async () => {
    const request = await ask('takeUint');
    const given = { request, type: 'uint256', value: '42', onCallbackFailure: 'hold' };
    await stage.send(stage.consumer, 'refuse', [true]);
    await expect(answer(given)).rejects.toThrow(expect.objectContaining({ code: 'oracle.callback', retry: 'never' }));

    await stage.send(stage.consumer, 'refuse', [false]);

    expect(await answer(given)).toMatchObject({ outcome: 'answered' });
  });

  it('given a hungry callback, when it is given what it needs, then it takes the answer; with the usual it starves', async () => {
    const given = { type: 'uint256', value: '42' };
    const [starved, fed] = [await ask('takeHungrily'), await ask('takeHungrily')];

    const output = await answer({ request: starved, ...given, gasLimit: '450000' });

    expect(output.outcome).toBe('callbackFailed');
    expect(await answer({ request: fed, ...given, callbackGas: '600000' })).toMatchObject({ outcome: 'answered' });
    expect([(await kept(starved)).times, (await kept(fed)).times]).toEqual(['0', '1']);
  });

  it('given a callback to an address without a contract, then it is no answer', async () => {
    const request = { ...(await ask('takeUint')) };
    await chain.call('anvil_setCode', [stage.consumer.address, '0x']).catch(() => undefined);
    const code = await chain.call<string>('eth_getCode', [stage.consumer.address, 'latest']);
    const output = await answer({ request, type: 'uint256', value: '42', onCallbackFailure: 'skip' });
    await chain.call('anvil_setCode', [stage.consumer.address, consumerCode]);
    expect([code, output.outcome]).toEqual(['0x', 'skipped']);
  });

  let consumerCode: string;
  beforeAll(async () => {
    consumerCode = await chain.call<string>('eth_getCode', [stage.consumer.address, 'latest']);
  });
});

describe('a request that is not open any more', () => {
  const given = { type: 'uint256', value: '42' };

  it('given an answer, when another run answers the request, then it is known as answered and nothing is sent', async () => {
    const request = await ask('takeUint');
    await answer({ request, ...given });
    const before = await sentBy(oracleAccount.address);

    const again = await answer({ request, ...given });
    const other = await answer({ request, ...given, value: '43' });

    expect([again.outcome, other.outcome]).toEqual(['answered', 'alreadyAnswered']);
    expect(await sentBy(oracleAccount.address)).toBe(before);
    expect(await kept(request)).toEqual({ data: coder.encode(['uint256'], [42n]), times: '1' });
  });

  it('given runs that answer the same request at the same time, then one transaction is sent', async () => {
    const request = await ask('takeUint');
    const before = await sentBy(oracleAccount.address);

    const outputs = await Promise.all(Array.from({ length: 10 }, () => answer({ request, ...given })));

    expect(new Set(outputs.map(({ outcome }) => outcome))).toEqual(new Set(['answered']));
    expect(await sentBy(oracleAccount.address)).toBe(before + 1);
  });

  it('given another node that was faster, then it is known as answered and nothing is sent', async () => {
    const request = await ask('takeUint');
    await stage.send(stage.operator, 'setAuthorizedSenders', [[oracleAccount.address, devAccounts[0].address]]);
    const { id, payment, callbackAddress, callbackFunctionId, expiration } = request;
    const word = coder.encode(['uint256'], [7n]);
    await stage.send(stage.operator, 'fulfillOracleRequest', [
      id,
      payment,
      callbackAddress,
      callbackFunctionId,
      expiration,
      word,
    ]);

    const output = await answer({ request, ...given });

    expect(output).toEqual({ outcome: 'alreadyAnswered', answer: coder.encode(['uint256'], [42n]) });
    expect((await kept(request)).data).toBe(word);
  });

  it('given an answer that failed for want of gas, when it is tried again with enough, then it is sent anew', async () => {
    const request = await ask('takeUint');
    const settings = { contract: stage.operator.address };
    const key = `oracle:31337:${stage.operator.address}:${request.id}:${request.expiration}`;
    await expect(answer({ request, ...given, gasLimit: '410000' }, settings)).rejects.toThrow(/gas/);
    const failed = await world.network.transactions.submit({
      idempotencyKey: key,
      signer: 'oracle-key',
      to: stage.operator.address,
      data: '0x12345678',
      value: 0n,
      gasLimit: 100_000n,
      finality: 0,
    });
    await untilFinal(failed);

    expect(await answer({ request, ...given })).toMatchObject({ outcome: 'answered' });
  });

  it('given a request that its consumer has cancelled, then nothing is sent', async () => {
    const request = await ask('takeUint');
    await chain.call('evm_increaseTime', [301]);
    await stage.send(stage.consumer, 'cancel', [
      request.id,
      request['payment'],
      request['callbackFunctionId'],
      request.expiration,
    ]);

    expect(await answer({ request, ...given })).toMatchObject({ outcome: 'cancelled' });
  });

  it('given a request past its expiration, then it is refused, unless the flow says otherwise', async () => {
    const request = await ask('takeUint');
    await chain.call('evm_increaseTime', [301]);
    await chain.mine();

    await expect(answer({ request, ...given })).rejects.toThrow(expect.objectContaining({ code: 'oracle.expired' }));
    expect(await answer({ request, ...given, answerAfterExpiry: true })).toMatchObject({ outcome: 'answered' });
  });

  it('given a reorganisation after which the same request comes with another expiration, then the new one is answered, once', async () => {
    const dropped = await ask('takeUint');
    await chain.call('anvil_reorg', [1, []]);
    // Right after it nobody can tell whether the transaction comes back.
    await expect(answer({ request: dropped, ...given })).rejects.toThrow(
      expect.objectContaining({ code: 'evm.rpc', retry: 'later' }),
    );
    await chain.call('evm_increaseTime', [20]);
    const asked = await ask('takeUint');
    expect(asked.id).toBe(dropped.id);
    expect(asked.expiration).not.toBe(dropped.expiration);
    await chain.mine(5);

    expect(await answer({ request: dropped, ...given })).toMatchObject({ outcome: 'reorganised' });
    expect(await answer({ request: asked, ...given })).toMatchObject({ outcome: 'answered' });
    expect(await answer({ request: dropped, ...given })).toMatchObject({ outcome: 'reorganised' });
    expect(await kept(asked)).toEqual({ data: coder.encode(['uint256'], [42n]), times: '1' });
  });

  it('given a request of another contract, then the connection is named', async () => {
    const request = { ...(await ask('takeUint')), oracle: stage.link.address };
    await expect(answer({ request, ...given })).rejects.toThrow(
      expect.objectContaining({ code: 'connection.invalid' }),
    );
  });
});

describe('the inputs of an answer', () => {
  it.each([
    ['neither a value nor values', {}],
    ['both', { type: 'uint256', value: 1, values: [{ type: 'bool', value: true }] }],
    ['a type that Solidity does not have', { type: 'uint7', value: 1 }],
    ['less gas than the contract wants', { type: 'uint256', value: 1, gasLimit: '300000' }],
  ])('given %s, then they are refused', (_title, given) => {
    const [{ request }] = fulfill.examples as [{ request: unknown }];
    expect(fulfill.input.safeParse({ request, ...given }).success).toBe(false);
  });
});

async function untilFinal({ id }: TransactionRecord): Promise<void> {
  await world.network.transactions.waitFor(id, 'final', { withinMs: 30_000, signal: new AbortController().signal });
}
