import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { oracleKept, type HttpClient, type HttpRequest } from '#sdk';
import { aHttpClient, callAction } from '../../test/builders/action-call.js';
import {
  requestsOf,
  startAnsweringStage,
  type AnsweringStage,
  type Asked,
} from '../../test/builders/answering-stage.js';
import { untilEnded } from '../../test/builders/lent-network.js';
import { fulfill } from './fulfill.action.js';
import { specIdOf } from './job-id.js';
import { pipeline } from './pipeline.action.js';
import { parseJobSpec } from './pipeline/spec.js';

const asked: HttpRequest[] = [];
let price = '{"data": {"price": 3512.87}}';
const http: HttpClient = {
  ...aHttpClient(),
  request: (request) => {
    asked.push(request);
    return Promise.resolve({ status: 200, headers: {}, text: price, body: price });
  },
};
const uuid = '0eec7e1d-d0d2-476c-a1a8-72dfb6633f46';

let stage: AnsweringStage;
let source: string;
const kept = new Map<string, string>();
const keeps = {
  find: (key: string) => Promise.resolve(kept.get(key)),
  keep: (key: string, content: string) => Promise.resolve(void kept.set(key, content)),
};

beforeAll(async () => {
  stage = await startAnsweringStage({ lent: { [oracleKept.name]: keeps } });
  const spec = await readFile(new URL('testing/jobs/get-uint256.toml', import.meta.url), 'utf8');
  const { spec: read } = parseJobSpec(
    spec
      .replaceAll('0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512', stage.contracts.operator.address)
      .replace(' minConfirmations="0"', ''),
  );
  source = read!.observationSource;
});

afterAll(() => stage.close());

async function ask(): Promise<Asked> {
  const { send, consumer } = stage.contracts;
  const what = [specIdOf(uuid), '1', 'https://prices.example.com/eth', 'data,price', '100'];
  const [request] = requestsOf(await send(consumer, 'askPrice', what));
  return request!;
}

const settings = () => ({ contract: stage.contracts.operator.address, signer: 'oracle-key' });

const run = (request: Asked, idempotencyKey: string) =>
  callAction(pipeline, {
    with: { source, job: { externalJobID: uuid, evmChainID: '31337' }, request },
    settings: settings(),
    idempotencyKey,
    use: stage.use,
    http,
  });

async function answerTo(request: Asked): Promise<{ value: bigint | undefined; times: string }> {
  const { data, times } = await stage.kept(request);
  return { value: data === '0x' ? undefined : BigInt(data), times };
}

describe('a job spec that answers requests of a chain', () => {
  it('given a request, when the tasks are done, then the consumer has the number', async () => {
    const request = await ask();

    const { outputs } = await untilEnded(() => run(request, 'run-1-run'));

    expect(outputs).toEqual([expect.objectContaining({ status: 'confirmed' })]);
    await expect(answerTo(request)).resolves.toEqual({ value: 351_287n, times: '1' });
    expect(asked.at(-1)).toMatchObject({ url: 'https://prices.example.com/eth' });
    const sent = await stage.ledger.findByKey(`oracle:31337:${request.oracle}:${request.id}:${request.expiration}`);
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
    const { outcome } = await untilEnded(() =>
      callAction(fulfill, {
        with: { request, type: 'uint256', value: '7' },
        settings: settings(),
        use: stage.use,
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
