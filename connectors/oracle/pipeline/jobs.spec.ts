import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { decodeCall, encodeArguments, selectorOf, topicOf } from '#evm';
import { fulfillOracleRequest, fulfillOracleRequest2, oracleRequest } from '../operator-abi.js';
import { PipelineStage } from '../testing/pipeline-stage.js';
import { runPipeline } from './run.js';
import { parseJobSpec, type JobSpec } from './spec.js';
import { fromPlain, toPlain, type ValueMap } from './value.js';

const requestId = `0x${'5e'.repeat(32)}`;
const consumer = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';

describe('jobs as nodes are given them', () => {
  it.each([
    ['get-uint256', '{"data": {"price": 3512.123456789012345678}}', '3512123456789012345678'],
    ['get-int256', '{"data": {"price": -40.5}}', '-40500000000000000000'],
  ])('given %s, when a request comes, then it is answered with the exact number', async (file, source, expected) => {
    const { answer } = await answerOf(
      file,
      { get: 'https://a.example/', path: 'data,price', times: 10n ** 18n },
      source,
    );

    const type = file === 'get-int256' ? 'int256' : 'uint256';
    expect(answer).toBe(encodeArguments([{ name: '', type }], [expected]));
  });

  it('given get > bool, when a request comes, then it is answered yes or no', async () => {
    const { answer } = await answerOf('get-bool', { get: 'https://a.example/', path: 'open' }, '{"open": true}');

    expect(answer).toBe(`0x${'1'.padStart(64, '0')}`);
  });

  it('given get > bytes, when a request comes, then the first word of the answer is the request', async () => {
    const { answer, entry } = await answerOf(
      'get-bytes',
      { get: 'https://a.example/', path: 'text' },
      '{"text": "grüße"}',
    );

    expect(entry).toBe('fulfillOracleRequest2');
    const types = [
      { name: '', type: 'bytes32' },
      { name: '', type: 'bytes' },
    ];
    expect(answer).toBe(encodeArguments(types, [requestId, Buffer.from('grüße')]));
  });

  it('given get > multi-word, when a request comes, then all words are in one answer', async () => {
    const urls = { USD: 'https://a.example/usd', EUR: 'https://a.example/eur', JPY: 'https://a.example/jpy' };
    const params = Object.fromEntries(
      Object.entries(urls).flatMap(([code, url]) => [
        [`url${code}`, url],
        [`path${code}`, code],
      ]),
    );
    const { answer, stage } = await answerOf(
      'get-multi-word',
      params,
      (url) => `{"${url.slice(-3).toUpperCase()}": 1.239}`,
    );

    const word = { name: '', type: 'uint256' };
    expect(answer).toBe(
      encodeArguments([{ name: '', type: 'bytes32' }, word, word, word], [requestId, '123', '123', '123']),
    );
    expect(stage.sent[0]).toMatchObject({ gasLimit: '700000', confirmations: 0, chainId: '31337' });
  });

  it('given the cron job, when one of its two sources fails, then the other one is enough', async () => {
    const stage = new PipelineStage();
    stage.bridges.set('gas-adapter', 'https://adapter.example/');
    stage.answers.set('https://adapter.example/', '{"result": 30.9, "statusCode": 200}');
    const spec = await specOf('cron');

    const { state } = await run(spec, stage, {});

    expect(state).toBe('completed');
    expect(stage.calls.filter(({ url }) => url === 'https://one.example.com/gas')).toHaveLength(3);
    expect(stage.waits).toEqual([1_000, 2_000]);
    expect(stage.sent[0]?.data).toBe(
      `${selectorOf({ type: 'function', name: 'setPrice', inputs: [{ name: 'gwei', type: 'uint256' }] })}${'1e'.padStart(64, '0')}`,
    );
    const bridged = stage.calls.find(({ url }) => url === 'https://adapter.example/');
    expect(JSON.parse(bridged!.body!)).toEqual({
      id: '2f6b1f6e-9c53-44a2-9a69-06b9b6f2b8d4',
      data: { chain: 'main' },
    });
  });

  it('given the webhook job, when something is posted, then it is handed on with every digit', async () => {
    const stage = new PipelineStage();
    stage.bridges.set('ledger', 'https://ledger.example/');
    stage.answers.set('https://ledger.example/', '{"ok": true}');
    const spec = await specOf('webhook');

    const { outputs } = await run(spec, stage, {
      requestBody: '{"order": {"id": 1565616210741547008, "amount": 0.1}}',
    });

    expect(outputs[0]).toEqual({ value: '{"ok": true}' });
    expect(stage.calls[0]?.body).toBe('{"data":{"amount":0.2,"order":{"id":1565616210741547008,"amount":0.1}}}');
  });
});

async function specOf(name: string): Promise<JobSpec> {
  const file = new URL(`../testing/jobs/${name}.toml`, import.meta.url);
  const { spec, faults } = parseJobSpec(await readFile(file, 'utf8'), `${name}.toml`);
  expect(faults).toEqual([]);
  return spec!;
}

function run(spec: JobSpec, stage: PipelineStage, jobRun: ValueMap) {
  return runPipeline({
    graph: spec.graph,
    job: {
      externalJobID: spec.externalJobID,
      name: spec.name,
      evmChainID: spec.evmChainID,
      gasLimit: spec.gasLimit,
      maxTaskDurationMs: spec.maxTaskDurationMs,
    },
    jobRun,
    ports: stage.ports,
    signal: new AbortController().signal,
  });
}

async function answerOf(
  name: string,
  params: Readonly<Record<string, string | bigint>>,
  source: string | ((url: string) => string),
) {
  const spec = await specOf(name);
  const stage = new PipelineStage();
  for (const param of Object.values(params)) {
    if (typeof param !== 'string' || !param.startsWith('https:')) continue;
    stage.answers.set(param, typeof source === 'string' ? source : source(param));
  }
  const data = Buffer.concat(Object.entries(params).flatMap(([key, value]) => [cborText(key), cborOf(value)]));
  const types = oracleRequest.inputs!.filter(({ indexed }) => !indexed);
  const logData = encodeArguments(types, [
    consumer,
    requestId,
    '100000000000000000',
    consumer,
    '0x4357855e',
    '1790000000',
    '1',
    data,
  ]);
  const { outputs } = await run(spec, stage, {
    logTopics: fromPlain([topicOf(oracleRequest), `0x${'30'.repeat(32)}`]),
    logData,
  });
  const [only] = outputs;
  if (!only || 'error' in only) throw only?.error ?? new Error('No result');
  expect(toPlain(only.value)).toEqual({ transactionHash: `0x${'ab'.repeat(32)}` });
  const call = decodeCall([fulfillOracleRequest, fulfillOracleRequest2], stage.sent[0]!.data)!;
  expect(call.args).toMatchObject({
    requestId,
    payment: '100000000000000000',
    callbackAddress: consumer,
    callbackFunctionId: '0x4357855e',
    expiration: '1790000000',
  });
  return { answer: call.args['data'], entry: call.fragment.name, stage };
}

function cborText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([bytes.length < 24 ? Buffer.of(0x60 + bytes.length) : Buffer.of(0x78, bytes.length), bytes]);
}

function cborOf(value: string | bigint): Buffer {
  if (typeof value === 'string') return cborText(value);
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(value);
  return Buffer.concat([Buffer.of(0x1b), number]);
}
