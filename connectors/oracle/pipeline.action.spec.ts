import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Network,
  blockMemory,
  compileLogDecoder,
  contractDirectory,
  createKeySigner,
  networkDirectory,
  senderLeases,
  signerSource,
  transactionSignals,
  transactionStore,
} from '#evm';
import type { Store } from '#platform';
import { PatchbayError, Secret, oracleKept, type HttpClient, type HttpRequest, type ServiceToken } from '#sdk';
import { KyselyTransactionStore } from '#transactions';
import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { silent } from '../../src/evm/testing/heard-logs.js';
import { localLeases, localSignals } from '../../src/evm/testing/manager-parts.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { oracle as oracleConnection } from './connection.js';
import { fulfill } from './fulfill.action.js';
import { oracleRequest } from './operator-abi.js';
import { pipeline } from './pipeline.action.js';
import { parseJobSpec } from './pipeline/spec.js';
import { startOracleStage, type OracleStage } from '../../test/builders/oracle-stage.js';

const asked: HttpRequest[] = [];
let price = '{"data": {"price": 3512.87}}';
const http: HttpClient = {
  request: (request) => {
    asked.push(request);
    return Promise.resolve({ status: 200, headers: {}, text: price, body: price });
  },
  agents: { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) },
  assertAllowed: () => Promise.resolve(),
};
const uuid = '0eec7e1d-d0d2-476c-a1a8-72dfb6633f46';
const job = `0x${Buffer.from(uuid.replaceAll('-', '')).toString('hex')}`;
const decoder = compileLogDecoder(oracleRequest);

let chain: DevChain;
let store: Store;
let ledger: KyselyTransactionStore;
let network: Network;
let stage: OracleStage;
let source: string;
let use: <T>(token: ServiceToken<T>) => T;
const kept = new Map<string, string>();

beforeAll(async () => {
  [chain, store] = await Promise.all([DevChain.start(), openTestStore()]);
  stage = await startOracleStage(chain);
  ledger = new KyselyTransactionStore(store.db);
  const signer = await createKeySigner('oracle-key', new Secret(devAccounts[1].key));
  const services = new Map<string, unknown>([
    [transactionStore.name, ledger],
    [signerSource.name, { get: () => Promise.resolve(signer) }],
    [transactionSignals.name, localSignals()],
    [senderLeases.name, localLeases()],
    [contractDirectory.name, { find: () => Promise.resolve(undefined), names: () => Promise.resolve([]) }],
    [blockMemory.name, undefined],
    [networkDirectory.name, { get: () => Promise.resolve(network), byChainId: () => Promise.resolve(network) }],
    [
      oracleKept.name,
      {
        find: (key: string) => Promise.resolve(kept.get(key)),
        keep: (key: string, content: string) => Promise.resolve(void kept.set(key, content)),
      },
    ],
  ]);
  use = <T>(token: ServiceToken<T>): T => services.get(token.name) as T;
  network = new Network(
    {
      name: 'local',
      rpcUrls: [chain.url],
      wsUrl: undefined,
      chainId: DevChain.chainId,
      confirmations: 0,
      revertedAfter: undefined,
      addressBook: undefined,
      blockTimeMs: undefined,
    },
    { http, log: silent, use },
  );
  network.startSending();
  const spec = await readFile(new URL('testing/jobs/get-uint256.toml', import.meta.url), 'utf8');
  const { spec: read } = parseJobSpec(
    spec
      .replaceAll('0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512', stage.operator.address)
      .replace(' minConfirmations="0"', ''),
  );
  source = read!.observationSource;
}, 120_000);

afterAll(async () => {
  await network.close();
  http.agents.http.destroy();
  await chain.stop();
  await store.close();
});

/** What `oracle.request` gives the flow. */
async function ask() {
  const { hash, blockNumber, logs } = await stage.send(stage.consumer, 'askPrice', [
    job,
    '1',
    'https://prices.example.com/eth',
    'data,price',
    '100',
  ]);
  const log = logs.find(({ topics }) => topics[0] === decoder.topic)!;
  const { args } = decoder.decode(log);
  return {
    id: String(args['requestId']),
    oracle: log.address.toLowerCase(),
    chainId: DevChain.chainId,
    specId: String(args['specId']),
    requester: String(args['requester']),
    payment: String(args['payment']),
    callbackAddress: String(args['callbackAddr']),
    callbackFunctionId: String(args['callbackFunctionId']),
    expiration: String(args['cancelExpiration']),
    dataVersion: Number(args['dataVersion']),
    data: String(args['data']),
    blockNumber,
    blockHash: `0x${'0'.repeat(64)}`,
    transactionHash: hash,
    raw: { topics: log.topics, data: log.data },
  };
}

type Request = Awaited<ReturnType<typeof ask>>;

const context = { attempt: 1, http, log: silent, flow: 'prices', run: 'run', step: 'run' };

async function open() {
  const settings = oracleConnection.settings.parse({ contract: stage.operator.address, signer: 'oracle-key' });
  return await oracleConnection.open(settings, { name: 'my-oracle', http, log: silent, use });
}

async function run(request: Request, idempotencyKey: string) {
  return await pipeline.run({
    ...context,
    input: pipeline.input.parse({ source, job: { externalJobID: uuid, evmChainID: '31337' }, request }),
    client: await open(),
    idempotencyKey,
    signal: new AbortController().signal,
    use,
  });
}

/** As the engine does it: what is pending is asked for again. */
async function untilEnded<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PatchbayError) || error.code !== 'evm.pending') throw error;
    }
  }
}

async function answerTo({ id }: Request): Promise<{ value: bigint | undefined; times: string }> {
  const [data, times] = await Promise.all([
    stage.read(stage.consumer, 'answers', [id]),
    stage.read(stage.consumer, 'timesAnswered', [id]),
  ]);
  const [bytes] = Object.values(data) as [string];
  return { value: bytes === '0x' ? undefined : BigInt(bytes), times: String(Object.values(times)[0]) };
}

describe('a job spec that answers requests of a chain', () => {
  it('given a request, when the tasks are done, then the consumer has the number', async () => {
    const request = await ask();

    const { outputs } = await untilEnded(() => run(request, 'run-1-run'));

    expect(outputs).toEqual([expect.objectContaining({ status: 'confirmed' })]);
    await expect(answerTo(request)).resolves.toEqual({ value: 351_287n, times: '1' });
    expect(asked.at(-1)).toMatchObject({ url: 'https://prices.example.com/eth' });
    const sent = await ledger.findByKey(`oracle:31337:${request.oracle}:${request.id}:${request.expiration}`);
    expect(sent?.status).toBe('confirmed');
  });

  it('given a price that changes meanwhile, when the step is done again, then the same transaction is followed', async () => {
    const request = await ask();
    await untilEnded(() => run(request, 'run-2-run'));
    price = '{"data": {"price": 1}}';

    const { outputs } = await untilEnded(() => run(request, 'run-2-run'));

    expect(outputs).toEqual([expect.objectContaining({ status: 'confirmed' })]);
    await expect(answerTo(request)).resolves.toEqual({ value: 351_287n, times: '1' });
  });

  it('given a request that a fulfil step has answered, when the tasks are done too, then it is answered once', async () => {
    const request = await ask();
    const { outcome } = await untilEnded(async () =>
      fulfill.run({
        ...context,
        input: fulfill.input.parse({ request, type: 'uint256', value: '7' }),
        client: await open(),
        idempotencyKey: 'not used',
        signal: new AbortController().signal,
        use,
      }),
    );
    expect(outcome).toBe('answered');

    await untilEnded(() => run(request, 'run-3-run'));

    await expect(answerTo(request)).resolves.toEqual({ value: 7n, times: '1' });
  });

  it('given a page instead of a price, when the tasks are done, then nothing is sent and the reason is told', async () => {
    const request = await ask();
    price = '<html>busy</html>';

    await expect(run(request, 'run-4-run')).rejects.toMatchObject({
      code: 'oracle.answer',
      detail: expect.stringMatching(/task found failed: .*no JSON/) as unknown,
    });
    await expect(answerTo(request)).resolves.toMatchObject({ times: '0' });
  });
});

describe('the source of the step', () => {
  it('given faults in it, when the flow is loaded, then they are told with line and column', () => {
    const result = pipeline.input.safeParse({ source: 'a [type=memo value=1]\nb [type=htp url="x"]' });
    expect(result.error?.issues.map(({ message, path }) => [path, message])).toEqual([
      [['source'], expect.stringMatching(/^line 2, column 4: The task b is of the type htp.*Did you mean http\?$/)],
    ]);
  });
});
